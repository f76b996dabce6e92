import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../../src/admission/admission-review.ts';
import { maxWorkloadImages, readWorkload } from '../../src/admission/workload.ts';
import type { JsonObject } from '../../src/oci/strict-json.ts';
import { containers, objectOf, podSpecPaths, requestOf } from './sample-review.ts';
import type { WorkloadKind } from './sample-review.ts';

const imagesOf = (request: AdmissionRequest): string[] =>
  readWorkload(request).images.map(({ image }) => image);
const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string });
const create = (podSpec: JsonObject): AdmissionRequest =>
  requestOf('Pod', 'CREATE', { object: objectOf('Pod', podSpec) });
const update = (
  oldSpec: JsonObject,
  newSpec: JsonObject,
  change: Partial<AdmissionRequest> = {},
): AdmissionRequest =>
  requestOf('Pod', 'UPDATE', {
    object: objectOf('Pod', newSpec),
    oldObject: objectOf('Pod', oldSpec),
    ...change,
  });

const everywhere: JsonObject = {
  initContainers: [
    { name: 'init', image: 'init:1' },
    { name: 'sidecar', image: 'sidecar:1', restartPolicy: 'Always' },
  ],
  imagePullSecrets: [{ name: 'regcred' }, {}, { name: '' }, { name: 'other' }, { name: 'regcred' }],
  serviceAccountName: 'runner',
  containers: [
    { name: 'app', image: 'app:1' },
    { name: 'again', image: 'app:1' },
  ],
  ephemeralContainers: [{ name: 'debug', image: 'debug:1', targetContainerName: 'app' }],
  volumes: [
    { name: 'tmp', emptyDir: {} },
    { name: 'data', image: { reference: 'data:1', pullPolicy: 'Always' } },
  ],
};

describe('readWorkload', () => {
  it.each(Object.entries(podSpecPaths) as [WorkloadKind, string][])(
    'T02 T03 reads every image field of a %s',
    (kind, path) => {
      const workload = readWorkload(requestOf(kind, 'CREATE', { object: objectOf(kind, everywhere) }));
      expect(workload).toEqual({
        kind,
        namespace: 'shop',
        name: 'app',
        isTemplate: kind !== 'Pod',
        dryRun: false,
        pull: { secrets: ['regcred', 'other'], serviceAccount: 'runner' },
        images: [
          {
            image: 'init:1',
            fields: [{ path: `${path}.initContainers[0].image`, name: 'init', role: 'initContainer' }],
          },
          {
            image: 'sidecar:1',
            fields: [{ path: `${path}.initContainers[1].image`, name: 'sidecar', role: 'initContainer' }],
          },
          {
            image: 'app:1',
            fields: [
              { path: `${path}.containers[0].image`, name: 'app', role: 'container' },
              { path: `${path}.containers[1].image`, name: 'again', role: 'container' },
            ],
          },
          {
            image: 'debug:1',
            fields: [
              { path: `${path}.ephemeralContainers[0].image`, name: 'debug', role: 'ephemeralContainer' },
            ],
          },
          {
            image: 'data:1',
            fields: [{ path: `${path}.volumes[1].image.reference`, name: 'data', role: 'imageVolume' }],
          },
        ],
      });
    },
  );

  it('T02 reads the one container that an ephemeralcontainers update adds', () => {
    const running = { ...containers('app:1'), ephemeralContainers: [{ name: 'first', image: 'debug:1' }] };
    const debugged = {
      ...running,
      ephemeralContainers: [
        { name: 'first', image: 'debug:1' },
        { name: 'second', image: 'evil:1' },
      ],
    };
    expect(imagesOf(update(running, debugged, { subResource: 'ephemeralcontainers' }))).toEqual(['evil:1']);
  });

  it.each(['apps.example.com', '', 'batch', 'extensions', 'Apps'])(
    'reads no Deployment of the group %j',
    (group) => {
      const request = requestOf('Deployment', 'CREATE', {
        object: objectOf('Deployment', containers('app:1')),
      });
      expect(() => readWorkload({ ...request, kind: { group, version: 'v1', kind: 'Deployment' } })).toThrow(
        refusal(
          'WorkloadUnsupported',
          `${group === '' ? 'core' : group}/v1 Deployment is no kind whose images are read`,
        ),
      );
    },
  );

  it.each(['ConfigMap', 'pod', 'Binding', 'constructor', '__proto__', ''])(
    'refuses the kind %j, never taking it for harmless',
    (kind) => {
      expect(() =>
        readWorkload(requestOf(kind, 'CREATE', { object: objectOf('Pod', containers('app:1')) })),
      ).toThrow(
        refusal('WorkloadUnsupported', 'is no kind whose images are read; known are Pod, PodTemplate'),
      );
      expect(() => readWorkload(requestOf(kind, 'DELETE'))).toThrow(
        refusal('WorkloadUnsupported', 'is no kind'),
      );
    },
  );

  it('T05 judges an update that changes only an image, and that image alone', () => {
    expect(imagesOf(update(containers('a:1', 'b:1'), containers('a:1', 'b:2')))).toEqual(['b:2']);
    expect(
      imagesOf(
        update(containers('a:1'), {
          ...containers('a:1'),
          volumes: [{ name: 'v', image: { reference: 'v:1' } }],
        }),
      ),
    ).toEqual(['v:1']);
  });

  it('T02 judges an ephemeral container that is added, though another container has its image', () => {
    const running = { ...containers('app:1'), ephemeralContainers: [{ name: 'first', image: 'debug:1' }] };
    const added = (name: string, image: string): unknown =>
      readWorkload(
        update(
          running,
          { ...running, ephemeralContainers: [...running.ephemeralContainers, { name, image }] },
          { subResource: 'ephemeralcontainers' },
        ),
      ).images.map((one) => [one.image, one.fields.map(({ path }) => path)]);
    for (const [name, image] of [
      ['snoop', 'app:1'],
      ['snoop', 'debug:1'],
      ['c0', 'app:1'],
    ] as const) {
      expect(added(name, image)).toEqual([[image, ['spec.ephemeralContainers[1].image']]]);
    }
  });

  it('T41 lets an update through that keeps its images, wherever they move', () => {
    expect(imagesOf(update(containers('a:1', 'b:1'), containers('b:1')))).toEqual([]);
    expect(
      imagesOf(
        update(containers('a:1'), { initContainers: [{ name: 'i', image: 'a:1' }], ...containers('a:1') }),
      ),
    ).toEqual([]);
  });

  it('T41 compares the text exactly: another spelling is judged anew', () => {
    expect(imagesOf(update(containers('nginx'), containers('nginx:latest')))).toEqual(['nginx:latest']);
    expect(imagesOf(update(containers('nginx'), containers('docker.io/library/nginx')))).toEqual([
      'docker.io/library/nginx',
    ]);
  });

  it('T41 judges everything where the old object is missing', () => {
    expect(imagesOf(requestOf('Pod', 'UPDATE', { object: objectOf('Pod', containers('a:1')) }))).toEqual([
      'a:1',
    ]);
  });

  it('T41 takes no old object for an excuse on CREATE', () => {
    const request = create(containers('a:1'));
    expect(imagesOf({ ...request, oldObject: objectOf('Pod', containers('a:1')) })).toEqual(['a:1']);
  });

  const deleting: JsonObject = { name: 'app', deletionTimestamp: '2026-06-01T12:00:00Z' };

  it('T05 lets an update through of what is being deleted', () => {
    const object = objectOf('Pod', containers('new:1'), deleting);
    const oldObject = objectOf('Pod', containers('old:1'), deleting);
    expect(imagesOf(requestOf('Pod', 'UPDATE', { object, oldObject }))).toEqual([]);
  });

  it('T05 judges what only claims to be deleted', () => {
    const object = objectOf('Pod', containers('evil:1'), deleting);
    expect(imagesOf(requestOf('Pod', 'CREATE', { object }))).toEqual(['evil:1']);
    expect(imagesOf(requestOf('Pod', 'UPDATE', { object }))).toEqual(['evil:1']);
    expect(
      imagesOf(requestOf('Pod', 'UPDATE', { object, oldObject: objectOf('Pod', containers('old:1')) })),
    ).toEqual(['evil:1']);
    const nulled = objectOf('Pod', containers('old:1'), { name: 'app', deletionTimestamp: null });
    expect(imagesOf(requestOf('Pod', 'UPDATE', { object, oldObject: nulled }))).toEqual(['evil:1']);
  });

  it('T04 takes no notice of owner references', () => {
    const metadata = {
      name: 'app',
      ownerReferences: [{ kind: 'ReplicaSet', name: 'app', uid: '1', controller: true }],
    };
    expect(
      imagesOf(requestOf('Pod', 'CREATE', { object: objectOf('Pod', containers('a:1'), metadata) })),
    ).toEqual(['a:1']);
  });

  it('brings nothing new on DELETE', () => {
    expect(imagesOf(requestOf('Pod', 'DELETE', { oldObject: objectOf('Pod', containers('a:1')) }))).toEqual(
      [],
    );
  });

  it('refuses CONNECT, which brings no workload', () => {
    expect(() => readWorkload(requestOf('Pod', 'CONNECT', { object: {} }))).toThrow(
      refusal('WorkloadUnsupported', 'Operation CONNECT on Pod brings no workload to judge.'),
    );
  });

  it.each(['status', 'scale'])(
    'reads nothing of the subresource %s, which changes no image',
    (subResource) => {
      const object = objectOf('Deployment', containers('a:1'));
      expect(imagesOf(requestOf('Deployment', 'UPDATE', { object, subResource }))).toEqual([]);
    },
  );

  it.each(['Status', 'resize', 'binding', 'anything'])(
    'T02 judges the subresource %s like the object itself',
    (subResource) => {
      expect(imagesOf({ ...create(containers('a:1')), subResource })).toEqual(['a:1']);
    },
  );

  it('reads nothing of a Scale, and only of that of autoscaling', () => {
    const scale = (group: string): AdmissionRequest => ({
      ...requestOf('Scale', 'UPDATE', { object: { spec: { replicas: 3 } }, subResource: 'scale' }),
      kind: { group, version: 'v1', kind: 'Scale' },
    });
    expect(imagesOf(scale('autoscaling'))).toEqual([]);
    expect(() => readWorkload(scale(''))).toThrow(refusal('WorkloadUnsupported', 'core/v1 Scale is no kind'));
  });

  it.each<[WorkloadKind, JsonObject]>([
    ['ReplicationController', { metadata: {}, spec: { replicas: 1 } }],
    ['PodTemplate', { metadata: {} }],
    ['PodTemplate', { metadata: {}, template: null }],
  ])('finds no image where a %s has no template', (kind, object) => {
    expect(imagesOf(requestOf(kind, 'CREATE', { object }))).toEqual([]);
  });

  it.each<[WorkloadKind, JsonObject, string]>([
    ['Pod', {}, 'spec is not an object'],
    ['Pod', { spec: [] }, 'spec is not an object'],
    ['Pod', { spec: null }, 'spec is not an object'],
    ['Deployment', {}, 'spec is not an object'],
    ['Deployment', { spec: { template: 'x' } }, 'spec.template is not an object'],
    ['Deployment', { spec: { template: {} } }, 'spec.template.spec is not an object'],
    ['CronJob', { spec: {} }, 'spec.jobTemplate is not an object'],
    ['CronJob', { spec: { jobTemplate: { spec: null } } }, 'spec.jobTemplate.spec is not an object'],
    ['Pod', { spec: { containers: {} } }, 'spec.containers is not a list'],
    ['Pod', { spec: { containers: ['evil:1'] } }, 'spec.containers[0] is not an object'],
    ['Pod', { spec: { containers: [{ image: ['evil:1'] }] } }, 'spec.containers[0].image is not text'],
    ['Pod', { spec: { initContainers: 'evil:1' } }, 'spec.initContainers is not a list'],
    ['Pod', { spec: { ephemeralContainers: [1] } }, 'spec.ephemeralContainers[0] is not an object'],
    ['Pod', { spec: { volumes: { image: {} } } }, 'spec.volumes is not a list'],
    ['Pod', { spec: { volumes: [{ image: 'evil:1' }] } }, 'spec.volumes[0].image is not an object'],
    [
      'Pod',
      { spec: { volumes: [{ image: { reference: 1 } }] } },
      'spec.volumes[0].image.reference is not text',
    ],
  ])('refuses a misshapen %s: %j', (kind, object, message) => {
    expect(() => readWorkload(requestOf(kind, 'CREATE', { object }))).toThrow(
      refusal('WorkloadInvalid', message),
    );
  });

  it('refuses a misshapen old object: it would excuse anything', () => {
    const request = requestOf('Pod', 'UPDATE', {
      object: objectOf('Pod', containers('a:1')),
      oldObject: { spec: { containers: 'a:1' } },
    });
    expect(() => readWorkload(request)).toThrow(refusal('WorkloadInvalid', 'spec.containers is not a list'));
  });

  it.each(['CREATE', 'UPDATE'] as const)('refuses a %s without its object', (operation) => {
    expect(() => readWorkload(requestOf('Pod', operation))).toThrow(
      refusal('WorkloadInvalid', `request.object of a ${operation} of Pod is missing.`),
    );
  });

  it('leaves out images that a template leaves to a later mutation', () => {
    const spec: JsonObject = {
      containers: [
        { name: 'a' },
        { name: 'b', image: '' },
        { name: 'c', image: null },
        { name: 'd', image: 'd:1' },
      ],
      volumes: [{ name: 'v', image: null }],
      initContainers: null,
    };
    expect(imagesOf(create(spec))).toEqual(['d:1']);
  });

  it('T11 refuses a workload of more images than are judged', () => {
    const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `a:${i}`);
    expect(imagesOf(create(containers(...texts(maxWorkloadImages))))).toHaveLength(512);
    expect(() => readWorkload(create(containers(...texts(maxWorkloadImages + 1))))).toThrow(
      refusal('WorkloadInvalid', 'The workload has more than 512 image fields that are new.'),
    );
    expect(() => readWorkload(create(containers(...Array<string>(513).fill('a:1'))))).toThrow(
      refusal('WorkloadInvalid', '512'),
    );
    // Of before there was a policy, or a bound.
    const large = containers(...texts(600));
    expect(imagesOf(update(large, large))).toEqual([]);
    expect(imagesOf(update(large, containers('a:1', 'b:1')))).toEqual(['b:1']);
    expect(() => readWorkload(update(large, containers(...Array<string>(513).fill('b:1'))))).toThrow(
      refusal('WorkloadInvalid', '512'),
    );
    expect(() => readWorkload(create(containers(...Array<string>(16_385).fill('a:1'))))).toThrow(
      refusal('WorkloadInvalid', 'The workload has more than 16384 image fields.'),
    );
  });

  it.each<[JsonObject, string]>([
    [{ name: 'own' }, 'own'],
    [{ generateName: 'app-' }, 'app-*'],
    [{ name: '', generateName: 'app-' }, 'app-*'],
    [{}, ''],
  ])('names a workload whose name is still to be generated: %j', (metadata, name) => {
    const request = requestOf('Pod', 'CREATE', {
      name: '',
      object: objectOf('Pod', containers('a:1'), metadata),
    });
    expect(readWorkload(request).name).toBe(name);
  });
});
