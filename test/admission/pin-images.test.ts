import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../../src/admission/admission-review.ts';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { pinImages } from '../../src/admission/pin-images.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import type { JsonObject } from '../../src/oci/strict-json.ts';
import { digestOf, image } from '../policy/sample-evidence.ts';
import { clusterPolicy, compile, exception, keyIssuer, signedBy } from '../policy/sample-resources.ts';
import {
  decideOn,
  outcomes,
  pod,
  portsOf,
  ScriptedSource,
  signed,
  end,
  signedPolicy,
} from './sample-decision.ts';
import type { Decision } from './sample-decision.ts';
import { containers, objectOf, requestOf } from './sample-review.ts';
import type { WorkloadKind } from './sample-review.ts';

const pin = (request: AdmissionRequest, decision: Decision = {}): Promise<ReviewAnswer> =>
  pinImages(request, portsOf(decision), { signal: new AbortController().signal });
const create = (spec: JsonObject, kind: WorkloadKind = 'Pod', metadata?: JsonObject): AdmissionRequest =>
  requestOf(kind, 'CREATE', { object: objectOf(kind, spec, metadata) });
const pinned = `ghcr.io/acme/app:1.4@${image}`;

describe('pinImages', () => {
  it('T01 names what policy judges by the digest that the tag means, wherever a Pod runs it', async () => {
    const text = 'ghcr.io/acme/app:1.4';
    const source = new ScriptedSource();
    const answer = await pin(
      create({
        initContainers: [{ name: 'init', image: text }],
        containers: [
          { name: 'app', image: text },
          { name: 'nginx', image: 'nginx' },
        ],
        volumes: [{ name: 'data', image: { reference: text } }],
      }),
      { source },
    );
    expect(answer).toMatchObject({ allowed: true, warnings: [] });
    const official = `docker.io/library/nginx:latest@${image}`;
    expect(answer.patch).toEqual([
      { op: 'replace', path: '/spec/initContainers/0/image', value: pinned },
      { op: 'replace', path: '/spec/containers/0/image', value: pinned },
      { op: 'replace', path: '/spec/volumes/0/image/reference', value: pinned },
      { op: 'replace', path: '/spec/containers/1/image', value: official },
      {
        op: 'add',
        path: '/metadata/annotations',
        value: {
          'refwarden.dev/pinned-from': JSON.stringify({
            'spec.initContainers[0].image': text,
            'spec.containers[0].image': text,
            'spec.volumes[0].image.reference': text,
            'spec.containers[1].image': 'nginx',
          }),
        },
      },
    ]);
    expect(JSON.parse(answer.auditAnnotations['pinned'] ?? '')).toEqual([
      { image: text, to: pinned },
      { image: 'nginx', to: official },
    ]);
    expect(source.resolved).toEqual(['ghcr.io/acme/app:1.4', 'docker.io/library/nginx:latest']);
    expect(source.listed).toEqual([]);
  });

  it('keeps annotations beside its own', async () => {
    const request = create(containers('ghcr.io/acme/app:1.4'), 'Pod', {
      name: 'app',
      annotations: { a: 'b' },
    });
    expect((await pin(request)).patch?.at(-1)).toEqual({
      op: 'add',
      path: '/metadata/annotations/refwarden.dev~1pinned-from',
      value: JSON.stringify({ 'spec.containers[0].image': 'ghcr.io/acme/app:1.4' }),
    });
  });

  it('writes no annotation that the object could not hold', async () => {
    const images = Array.from({ length: 500 }, (_, i) => `ghcr.io/acme/${'a'.repeat(100)}:${i}`);
    const { patch = [] } = await pin(create(containers(...images)));
    expect(patch).toHaveLength(500);
    expect(patch.filter(({ op }) => op === 'add')).toEqual([]);
  });

  it('T02 pins ephemeral containers, whose subresource takes nothing else', async () => {
    const object = objectOf('Pod', {
      ...containers(pinned),
      ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
    });
    const request = requestOf('Pod', 'UPDATE', {
      subResource: 'ephemeralcontainers',
      object,
      oldObject: objectOf('Pod', containers(pinned)),
    });
    expect((await pin(request)).patch).toEqual([
      {
        op: 'replace',
        path: '/spec/ephemeralContainers/0/image',
        value: `docker.io/library/busybox:latest@${image}`,
      },
    ]);
  });

  it.each([
    ['a template', create(containers('ghcr.io/acme/app:1.4'), 'Deployment')],
    ['an image by digest', create(containers(`ghcr.io/acme/app@${image}`))],
    [
      'an update that brings no image',
      requestOf('Pod', 'UPDATE', {
        object: objectOf('Pod', containers('ghcr.io/acme/app:1.4')),
        oldObject: objectOf('Pod', containers('ghcr.io/acme/app:1.4')),
      }),
    ],
    ['what is no image reference', create(containers('no image!'))],
    ['what is no Pod', create({ containers: 'none' })],
    ['a deletion', requestOf('Pod', 'DELETE')],
  ])('leaves %s as it is, without a request', async (_what, request) => {
    const source = new ScriptedSource();
    expect(await pin(request, { source })).toEqual({
      allowed: true,
      message: '',
      warnings: [],
      auditAnnotations: {},
    });
    expect(source.resolved).toEqual([]);
  });

  it.each([
    ['that no policy selects', signedPolicy({ images: ['docker.io/**'] })],
    ['that policy only records', signedPolicy({ mode: 'Audit' })],
    ['before policies are loaded', undefined],
  ])('leaves an image %s as it is', async (_what, policies) => {
    const source = new ScriptedSource();
    const request = create(containers('ghcr.io/acme/app:1.4'));
    expect((await pin(request, { source, policies })).patch).toBeUndefined();
    expect(source.resolved).toEqual([]);
  });

  it('pins what a policy with Warn selects, and what may be selected while labels are not known', async () => {
    const request = create(containers('ghcr.io/acme/app:1.4'));
    expect((await pin(request, { policies: signedPolicy({ mode: 'Warn' }) })).patch).toHaveLength(2);
    const policies = signedPolicy({ namespaces: { matchLabels: { env: 'prod' } } });
    expect((await pin(request, { policies })).patch).toBeUndefined();
    const labels = (): Promise<never> => Promise.reject(new RefwardenError('NamespaceUnknown', 'unknown'));
    expect((await pin(request, { policies, labels })).patch).toHaveLength(2);
  });

  it('asks nothing for what is excepted whatever its tag means, and pins what an exception names by digest', async () => {
    const policies = (...images: string[]): Decision['policies'] =>
      compile([
        keyIssuer('acme'),
        clusterPolicy('prod', { require: [signedBy('acme')] }),
        exception('hotfix', { images }),
      ]);
    const request = create({ containers: [{ name: 'app', image: 'ghcr.io/acme/app:1.4' }] });
    const byTag = new ScriptedSource();
    expect(
      (await pin(request, { policies: policies('ghcr.io/acme/app:1.4'), source: byTag })).patch,
    ).toBeUndefined();
    expect(byTag.resolved).toEqual([]);
    const byDigest = await pin(request, { policies: policies(`ghcr.io/acme/app@${image}`) });
    expect(byDigest.patch?.[0]).toMatchObject({ value: pinned });
    const other = await pin(request, { policies: policies('ghcr.io/acme/app:1.5') });
    expect(other.patch?.[0]).toMatchObject({ value: pinned });
  });

  it('T28 leaves what does not resolve to the validating webhook, and pins the rest', async () => {
    const source = new ScriptedSource({
      resolve: ({ repository }) =>
        repository === 'acme/app'
          ? Promise.reject(new RefwardenError('RegistryUnavailable', 'down'))
          : Promise.resolve({ digest: image }),
    });
    const { patch = [] } = await pin(create(containers('ghcr.io/acme/app:1.4', 'ghcr.io/acme/b:1')), {
      source,
    });
    expect(patch.map(({ path }) => path)).toEqual(['/spec/containers/1/image', '/metadata/annotations']);
  });
});

describe('T01 a Pod that must be pinned', () => {
  const source = (): ScriptedSource => new ScriptedSource({ referrers: () => [signed(), end()] });
  const decideUnpinned = (decision: Decision, workload = pod(['ghcr.io/acme/app:1.4'])) =>
    decideOn({ source: source(), ...decision }, workload, { mustBePinned: true });

  it('is not admitted by a tag, whatever the tag means now', async () => {
    const verdict = await decideUnpinned({});
    expect(verdict).toMatchObject({ allowed: false, outcome: 'inconclusive' });
    expect(outcomes(verdict)).toEqual(['passed -', 'inconclusive ImageNotPinned blocks']);
    expect(await decideUnpinned({ policies: signedPolicy({ onInconclusive: 'Admit' }) })).toMatchObject({
      allowed: false,
    });
  });

  it('T28 is admitted by a tag that does not resolve only where policy admits what it cannot judge', async () => {
    const down = new ScriptedSource({
      resolve: () => Promise.reject(new RefwardenError('RegistryUnavailable', 'down')),
    });
    const answer = (onInconclusive: 'Admit' | 'Deny') =>
      decideUnpinned({ source: down, policies: signedPolicy({ onInconclusive }) });
    expect(outcomes(await answer('Admit'))).toEqual(['inconclusive RegistryUnavailable']);
    expect(await answer('Admit')).toMatchObject({ allowed: true });
    expect(await answer('Deny')).toMatchObject({ allowed: false });
    down.resolved.length = 0;
    expect(outcomes(await answer('Deny'))).toEqual(['inconclusive RegistryUnavailable blocks']);
    expect(down.resolved).toHaveLength(1);
  });

  it('says why its tag could not be resolved where a policy asks for nothing but a digest', async () => {
    const policies = compile([clusterPolicy('p', { require: [{ name: 'pinned', pinned: true }] })]);
    const source = new ScriptedSource({
      resolve: () => Promise.reject(new RefwardenError('RegistryUnavailable', 'down')),
    });
    const down = await decideUnpinned({ source, policies });
    expect(outcomes(down)).toEqual(['failed NotPinned blocks', 'inconclusive RegistryUnavailable blocks']);
    const answering = new ScriptedSource();
    expect(outcomes(await decideUnpinned({ source: answering, policies }))).toEqual([
      'failed NotPinned blocks',
      'inconclusive ImageNotPinned blocks',
    ]);
    expect(answering.resolved).toHaveLength(1);
    for (const mode of ['Warn', 'Audit']) {
      const quiet = new ScriptedSource();
      const lenient = compile([clusterPolicy('p', { mode, require: [{ name: 'pinned', pinned: true }] })]);
      expect(outcomes(await decideUnpinned({ source: quiet, policies: lenient }))).toEqual([
        'failed NotPinned',
      ]);
      expect(quiet.resolved).toEqual([]);
    }
  });

  it('is admitted by digest', async () => {
    expect(await decideUnpinned({}, pod([pinned]))).toMatchObject({ allowed: true });
  });

  it.each([
    ['a template', {}, pod(['ghcr.io/acme/app:1.4'], { kind: 'Deployment', isTemplate: true })],
    ['a policy that warns', { policies: signedPolicy({ mode: 'Warn' }) }, undefined],
    ['a policy that records', { policies: signedPolicy({ mode: 'Audit' }) }, undefined],
    ['an image that no policy selects', { policies: signedPolicy({ images: ['docker.io/**'] }) }, undefined],
  ])('is not what %s is about', async (_what, decision, workload) => {
    expect(await decideUnpinned(decision, workload)).toMatchObject({ allowed: true });
  });
});

describe('T06 a tag beside a digest', () => {
  const other = digestOf('another image');
  /** The tag means `image`. */
  const source = (): ScriptedSource =>
    new ScriptedSource({
      resolve: ({ tag }) =>
        tag === undefined
          ? Promise.reject(new Error('asked without a tag'))
          : Promise.resolve({ digest: image }),
      referrers: () => [end()],
    });
  const policies = compile([
    keyIssuer('acme'),
    clusterPolicy('releases', { images: ['ghcr.io/acme/app:v*'], require: [signedBy('acme')] }),
    clusterPolicy('all', { excludeImages: ['ghcr.io/acme/app:debug'], require: [signedBy('acme')] }),
  ]);
  const askedBy = async (text: string, asked = source()) => {
    const verdict = await decideOn({ source: asked, policies }, pod([text]));
    return verdict.images.flatMap(({ checks }) => checks.map(({ policy }) => policy)).sort();
  };

  it('decides as it would alone, where the registry says that it means this digest', async () => {
    expect(await askedBy(`ghcr.io/acme/app:debug@${image}`)).toEqual([]);
    expect(await askedBy('ghcr.io/acme/app:debug')).toEqual([]);
    expect(await askedBy(`ghcr.io/acme/app:v1@${image}`)).toEqual(['all', 'releases']);
    expect(await askedBy(`ghcr.io/acme/app:main@${image}`)).toEqual(['all']);
  });

  it('is a mere claim otherwise: every policy that it may be about applies', async () => {
    expect(await askedBy(`ghcr.io/acme/app:debug@${other}`)).toEqual(['all', 'releases']);
    expect(await askedBy(`ghcr.io/acme/app:main@${other}`)).toEqual(['all', 'releases']);
    const down = new ScriptedSource({
      resolve: () => Promise.reject(new RefwardenError('RegistryUnavailable', 'down')),
    });
    expect(await askedBy(`ghcr.io/acme/app:debug@${image}`, down)).toEqual(['all', 'releases']);
  });

  it('is asked for only where a policy selects by it', async () => {
    const asked = source();
    await askedBy(`ghcr.io/acme/app:v1@${image}`, asked);
    await askedBy(`ghcr.io/acme/other:main@${image}`, asked);
    expect(asked.resolved).toEqual([]);
    await askedBy(`ghcr.io/acme/app:main@${image}`, asked);
    expect(asked.resolved).toEqual(['ghcr.io/acme/app:main']);
  });
});
