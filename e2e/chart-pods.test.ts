import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseWebhookSettings } from '../src/admission/webhook-settings.ts';
import { parseRegistrySettings } from '../src/registry/registry-settings.ts';
import { webhookLimits } from '../src/server/webhook-server.ts';
import { runCommand } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { asKubernetes, chartPath, makeHelm } from './tools/helm.ts';
import type { Helm } from './tools/helm.ts';
import { refwardenCommand } from './webhook/refwarden-command.ts';
import { suiteStack } from './world/suite-stack.ts';

const { kubeconfigPath } = inject('world');

interface PodSpec {
  readonly [field: string]: unknown;
  readonly containers: readonly { readonly [field: string]: unknown; readonly args: readonly string[] }[];
}
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
}

const stack = suiteStack();
let helm: Helm;

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('chart-pods');
  stack.defer(() => directory.remove());
  helm = await makeHelm(directory.path, kubeconfigPath);
});

async function render(values: object = {}): Promise<(kind: string) => Rendered> {
  const args = ['template', 'refwarden', chartPath, ...asKubernetes, '--namespace=shop', '--values=-'];
  const { code, stdout, stderr } = await helm(args, JSON.stringify(values));
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const objects = parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Rendered | null) ?? []);
  return (kind) => {
    const found = objects.find((object) => object.kind === kind);
    if (found === undefined) throw new Error(`no ${kind}`);
    return found;
  };
}

const template = ({ spec }: Rendered): { metadata: Record<string, unknown>; spec: PodSpec } =>
  spec['template'] as { metadata: Record<string, unknown>; spec: PodSpec };
const podSpecs = (of: (kind: string) => Rendered): Record<string, PodSpec> => ({
  replica: template(of('Deployment')).spec,
  'hook of helm uninstall': template(of('Job')).spec,
  'helm test': of('Pod').spec as unknown as PodSpec,
});

describe('every Pod of the chart', () => {
  it('runs restricted, with bounds, where it was told to', async () => {
    const tolerations = [{ key: 'pool', operator: 'Exists' }];
    const where = { priorityClassName: 'urgent', nodeSelector: { pool: 'system' }, tolerations };
    const specs = podSpecs(await render({ ...where, imagePullSecrets: [{ name: 'own' }] }));
    for (const [pod, spec] of Object.entries(specs)) {
      expect(spec, pod).toMatchObject({ ...where, imagePullSecrets: [{ name: 'own' }] });
      expect(spec['securityContext'], pod).toEqual({
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        fsGroup: 65_532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(spec.containers, pod).toHaveLength(1);
      for (const container of spec.containers) {
        expect(container['securityContext'], pod).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container['resources'], pod).toMatchObject({
          requests: { cpu: expect.any(String) as string, memory: expect.any(String) as string },
          limits: { memory: expect.any(String) as string },
        });
      }
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec, pod).not.toHaveProperty(key);
    }
    expect(specs['helm test']).toMatchObject({ automountServiceAccountToken: false });
  });
});

describe('a replica', () => {
  it('is given the time that it takes to end', async () => {
    const { spec } = template((await render())('Deployment'));
    const seconds = (webhookLimits.lingerMs + webhookLimits.drainMs) / 1000;
    // And what is written to the disk.
    expect(spec['terminationGracePeriodSeconds']).toBeGreaterThanOrEqual(seconds + 10);
  });

  it('is replaced before it goes; on the network of nodes, where ports are taken, after', async () => {
    const strategyOf = async (values: object): Promise<unknown> =>
      (await render(values))('Deployment').spec['strategy'];
    const type = 'RollingUpdate';
    expect(await strategyOf({})).toEqual({ type, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    const hostNetwork = await render({ hostNetwork: true });
    expect(hostNetwork('Deployment').spec['strategy']).toEqual({
      type,
      rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
    });
    expect(template(hostNetwork('Deployment')).spec).toMatchObject({
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
    });
  });

  it('is on a node of its own, if there are two, each version anew', async () => {
    const { spec } = template((await render())('Deployment'));
    const each = {
      maxSkew: 1,
      nodeTaintsPolicy: 'Honor',
      matchLabelKeys: ['pod-template-hash'],
      labelSelector: {
        matchLabels: {
          'app.kubernetes.io/name': 'refwarden',
          'app.kubernetes.io/instance': 'refwarden',
          'app.kubernetes.io/component': 'webhook',
        },
      },
    };
    expect(spec['topologySpreadConstraints']).toEqual([
      { ...each, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
      { ...each, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ]);
    expect(spec['tolerations']).toMatchObject([{ tolerationSeconds: 30 }, { tolerationSeconds: 30 }]);
  });

  it('has probes that an outage of the API server does not fail', async () => {
    const [container] = template((await render())('Deployment')).spec.containers;
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/livez', port: 'operations' } },
      livenessProbe: { httpGet: { path: '/livez', port: 'operations' } },
      readinessProbe: {
        httpGet: { path: '/readyz', port: 'operations' },
        periodSeconds: 2,
        failureThreshold: 2,
      },
    });
  });

  it('keeps the labels that it is found by, whatever further ones say', async () => {
    const of = await render({
      nameOverride: 'other',
      podLabels: { team: 'a', 'app.kubernetes.io/component': 'b' },
    });
    const { matchLabels } = of('Deployment').spec['selector'] as { matchLabels: object };
    expect(template(of('Deployment')).metadata['labels']).toMatchObject({ ...matchLabels, team: 'a' });
    expect(of('Service').spec['selector']).toEqual(matchLabels);
    expect(matchLabels).toEqual({
      'app.kubernetes.io/name': 'refwarden',
      'app.kubernetes.io/instance': 'refwarden',
      'app.kubernetes.io/component': 'webhook',
    });
  });

  it('reads the settings that the chart writes, and keeps a cache that its volume has room for', async () => {
    const settingsOf = async (values: object): Promise<unknown> => {
      const of = await render(values);
      const { data } = of('ConfigMap') as unknown as { data: Record<string, string> };
      parseWebhookSettings(data['webhooks.yaml'] ?? '');
      return parseRegistrySettings(data['registries.yaml'] ?? '');
    };
    expect(await settingsOf({})).toEqual({ registries: [], limits: { cacheDirMaxBytes: 1_610_612_736 } });
    expect(await settingsOf({ cache: { sizeLimit: '200Mi' }, limits: { maxReferrers: 7 } })).toMatchObject({
      limits: { cacheDirMaxBytes: 157_286_400, maxReferrers: 7 },
    });
    const registries = [{ host: 'registry.example', plainHttp: true }];
    expect(await settingsOf({ registries, webhook: { excludedNamespaces: ['a'] } })).toMatchObject({
      registries,
    });
    expect(await settingsOf({ limits: { cacheDirMaxBytes: 1000 } })).toMatchObject({
      limits: { cacheDirMaxBytes: 1000 },
    });
  });

  it.each([
    ['by default', {}],
    [
      'with everything that adds one',
      {
        certificates: { mode: 'Provided', secretName: 'own' },
        clientCA: { configMap: 'api-server' },
        pinning: false,
        unmatched: 'Deny',
        dockerConfigSecret: 'registries',
        pullSecrets: { mode: 'All' },
        credentialProviders: {
          config: { kind: 'CredentialProviderConfig' },
          volume: { hostPath: { path: '/x' } },
        },
      },
    ],
  ])('is started with flags that the program knows, %s', async (_what, values) => {
    const { args } = template((await render(values))('Deployment')).spec.containers[0] ?? { args: [] };
    // What it complains of is a file that is not here, not the flags.
    const { stderr, code } = await runCommand(...refwardenCommand(...args));
    expect(stderr).toMatch(/cannot be read|No API server|is not there|ENOENT/);
    expect(stderr).not.toMatch(/unknown|unexpected|invalid option/i);
    expect(code).not.toBe(0);
  });
});

describe('around the replicas', () => {
  it('a budget lets one go at a time, and one that does not answer at once', async () => {
    expect((await render())('PodDisruptionBudget').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  it('a network policy lets in two ports, and whom it was told of', async () => {
    const webhookFrom = [{ ipBlock: { cidr: '10.0.0.0/8' } }];
    const { spec } = (await render({ networkPolicy: { webhookFrom } }))('NetworkPolicy');
    const { matchLabels } = (await render())('Deployment').spec['selector'] as { matchLabels: object };
    expect(spec).toEqual({
      podSelector: { matchLabels },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 'webhook' }], from: webhookFrom }, { ports: [{ port: 'operations' }] }],
    });
  });

  it('ports are those of the values', async () => {
    const of = await render({ ports: { webhook: 9443, operations: 9080 } });
    const [container] = template(of('Deployment')).spec.containers;
    expect(container?.['ports']).toEqual([
      { name: 'webhook', containerPort: 9443 },
      { name: 'operations', containerPort: 9080 },
    ]);
    expect(container?.args).toEqual(
      expect.arrayContaining(['--listen=0.0.0.0:9443', '--operations-listen=0.0.0.0:9080']),
    );
    expect(of('Service').spec['ports']).toEqual([{ name: 'webhook', port: 443, targetPort: 'webhook' }]);
  });
});
