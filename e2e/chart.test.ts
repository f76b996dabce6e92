import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { must } from './objects/kubectl-objects.ts';
import { foreignDefinitions } from './chart/foreign-definitions.ts';
import { renderInstallManifest } from './chart/render-install-manifest.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { asKubernetes, chartPath, makeHelm } from './tools/helm.ts';
import type { Helm } from './tools/helm.ts';
import { releaseName } from './world/install-refwarden.ts';
import { releaseNamespace } from './world/trust.ts';
import { suiteStack } from './world/suite-stack.ts';

const { kubeconfigPath } = inject('world');
const root = join(import.meta.dirname, '..');
const namespace = 'chart-test';
const stack = suiteStack();
let helm: Helm;
let kubectl: Kubectl;

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('chart');
  stack.defer(() => directory.remove());
  helm = await makeHelm(directory.path, kubeconfigPath);
  kubectl = await makeKubectl(kubeconfigPath, directory.path);
  stack.defer(async () => {
    await must(kubectl, ['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
  });
  await must(kubectl, ['create', 'namespace', namespace]);
  const definitions = (await foreignDefinitions()).map((path) => `--filename=${path}`);
  stack.defer(async () => {
    await must(kubectl, ['delete', '--wait=false', '--ignore-not-found', ...definitions]);
  });
  await must(kubectl, ['apply', '--server-side', ...definitions]);
  await must(kubectl, ['wait', '--for=condition=Established', '--timeout=60s', ...definitions]);
});

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const objectsIn = (manifest: string): KubernetesObject[] =>
  parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });

/** Arguments of serve. */
function argsOf(objects: readonly KubernetesObject[]): string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const { spec } = deployment as unknown as {
    spec: { template: { spec: { containers: [{ args: string[] }] } } };
  };
  return spec.template.spec.containers[0].args;
}

/** The definitions are the suite's own release's here. */
async function template(values: object): Promise<string> {
  const args = ['template', 'trial', chartPath, ...asKubernetes, '--namespace', namespace, '--values', '-'];
  const { code, stdout, stderr } = await helm(args, JSON.stringify({ crds: { install: false }, ...values }));
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
}

const webhookValues = [
  'failurePolicy',
  'timeoutSeconds',
  'excludedNamespaces',
  'matchConditions',
  'labels',
  'annotations',
];

const matrix: readonly [string, object][] = [
  ['nothing', {}],
  ['one replica that fails open', { replicas: 1, webhook: { failurePolicy: 'Ignore', timeoutSeconds: 5 } }],
  ['no pinning and denial of what no policy selects', { pinning: false, unmatched: 'Deny' }],
  ['certificates of cert-manager', { certificates: { mode: 'CertManager' } }],
  [
    'certificates of an issuer of cert-manager',
    { certificates: { mode: 'CertManager', issuerRef: { name: 'acme', kind: 'ClusterIssuer' } } },
  ],
  ['certificates that are provided', { certificates: { mode: 'Provided', secretName: 'own' } }],
  ['pull secrets of names', { pullSecrets: { mode: 'Named', names: ['regcred'] } }],
  ['pull secrets of namespaces', { pullSecrets: { mode: 'Namespaces', namespaces: ['default', namespace] } }],
  ['all pull secrets', { pullSecrets: { mode: 'All' } }],
  [
    'credentials of the installation',
    {
      dockerConfigSecret: 'registries',
      registries: [{ host: 'registry.example', plainHttp: true }],
      limits: { maxReferrers: 10 },
      serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/r' } },
      credentialProviders: {
        config: {
          apiVersion: 'kubelet.config.k8s.io/v1',
          kind: 'CredentialProviderConfig',
          providers: [],
        },
        volume: { hostPath: { path: '/usr/libexec/kubernetes/kubelet-plugins' } },
      },
    },
  ],
  [
    'where it runs',
    {
      hostNetwork: true,
      nodeSelector: { pool: 'system' },
      priorityClassName: '',
      tolerations: [{ key: 'pool', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
      ],
      podLabels: { team: 'security' },
      podAnnotations: { note: 'x' },
      imagePullSecrets: [{ name: 'own' }],
    },
  ],
  [
    'everything around it',
    {
      image: { repository: 'registry.example/refwarden', tag: 'v1', digest: `sha256:${'a'.repeat(64)}` },
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
      networkPolicy: {
        webhookFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
        metricsFrom: [{ podSelector: {} }],
      },
      clientCA: { configMap: 'api-server-ca' },
      rbac: { aggregate: false },
      cache: { sizeLimit: '512Mi' },
      logLevel: 'debug',
      extraArgs: ['--trust-dir=/trust'],
      extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example:3128' }],
      extraVolumes: [{ name: 'trust', configMap: { name: 'trust' } }],
      extraVolumeMounts: [{ name: 'trust', mountPath: '/trust' }],
    },
  ],
  ['nothing around it', { podDisruptionBudget: { enabled: false }, networkPolicy: { enabled: false } }],
  ['amounts as numbers', { resources: { limits: { cpu: 1, memory: '1Ti' }, requests: { cpu: 0.5 } } }],
  [
    'defaults that are taken out',
    {
      networkPolicy: { webhookFrom: null },
      certificates: { issuerRef: null },
      webhook: Object.fromEntries(webhookValues.map((name) => [name, null])),
      podLabels: null,
      priorityClassName: null,
      extraArgs: null,
      registries: null,
      limits: null,
    },
  ],
  [
    'a certificate authority of the image',
    { registries: [{ host: 'a.io', caFile: '/etc/ssl/certs/ca-certificates.crt' }] },
  ],
  [
    'certificate authorities of every mount',
    {
      certificates: { mode: 'Provided', secretName: 'own' },
      clientCA: { configMap: 'ca' },
      dockerConfigSecret: 'registries',
      credentialProviders: { config: { kind: 'CredentialProviderConfig' }, volume: { emptyDir: {} } },
      extraVolumes: [{ name: 'file', configMap: { name: 'file' } }],
      extraVolumeMounts: [{ name: 'file', mountPath: '/file.crt', subPath: 'file.crt' }],
      registries: [
        '/tls/ca.crt',
        '/client-ca/ca.crt',
        '/docker/ca.crt',
        '/credential-providers/ca.crt',
        '/file.crt',
      ].map((caFile, index) => ({ host: `registry-${index}.example`, caFile })),
    },
  ],
  ['a cache of more than is used', { cache: { sizeLimit: '100Gi' } }],
  ['another name', { nameOverride: 'warden', fullnameOverride: 'warden' }],
];

describe('the chart', () => {
  it('passes helm lint --strict', async () => {
    const { code, stdout } = await helm(['lint', '--strict', ...asKubernetes, chartPath]);
    expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(code).toBe(0);
  });

  it('is of the version of the program', async () => {
    const [chart] = parseAllDocuments(await readFile(join(chartPath, 'Chart.yaml'), 'utf8'));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(chart?.toJS()).toMatchObject({ version, appVersion: version });
  });

  it.each(matrix)('with %s makes objects that the API server takes as they are', async (_what, values) => {
    const objects = objectsIn(await template(values));
    expect(objects.length).toBeGreaterThan(10);
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    // Strict: an unknown or repeated field is an error.
    await must(kubectl, ['create', '--dry-run=server', '--validate=strict', '-f', '-'], list);
  });

  it.each([
    ['a value that there is not', { replica: 3 }, "additional properties 'replica' not allowed"],
    ['no replica', { replicas: 0 }, 'replicas'],
    ['a mode in small letters', { pullSecrets: { mode: 'all' } }, 'pullSecrets/mode'],
    ['a timeout that the API server does not take', { webhook: { timeoutSeconds: 60 } }, 'timeoutSeconds'],
    ['text in place of a number', { replicas: '2' }, 'replicas'],
    ['a digest that is none', { image: { digest: 'sha256:abc' } }, 'image/digest'],
    ['a limit that there is not', { limits: { maxReferrer: 1 } }, "additional properties 'maxReferrer'"],
    ['a registry without a host', { registries: [{ plainHttp: true }] }, 'registries/0'],
    [
      'a setting of registries that there is not',
      { registries: [{ host: 'a', plainHTTP: true }] },
      'plainHTTP',
    ],
    ['a name in capitals', { fullnameOverride: 'Warden' }, 'fullnameOverride'],
    [
      'an issuer without its name',
      { certificates: { mode: 'CertManager', issuerRef: { kind: 'ClusterIssuer' } } },
      'issuerRef needs name',
    ],
    [
      'an issuer that is taken out',
      { certificates: { mode: 'CertManager', issuerRef: null } },
      'issuerRef needs name',
    ],
    ['a group that is taken out', { certificates: null }, "missing property 'certificates'"],
    ['a mode that is taken out', { pullSecrets: { mode: null } }, "missing property 'mode'"],
    [
      'an issuer that nobody asks',
      { certificates: { issuerRef: { name: 'acme' } } },
      'is for certificates.mode CertManager',
    ],
    [
      'a cache that outgrows its volume',
      { limits: { cacheDirMaxBytes: 2_000_000_000 } },
      'nine tenths of cache.sizeLimit',
    ],
    ['a cache without room for a layer', { cache: { sizeLimit: '10Mi' } }, 'has no room for a layer'],
    [
      'layers that a cache has no room for',
      { cache: { sizeLimit: '512Mi' }, limits: { maxLayerBytes: 200_000_000 } },
      'has no room for a layer',
    ],
    ['one port for two', { ports: { webhook: 9000, operations: 9000 } }, 'are the same'],
    ['a privileged port', { ports: { webhook: 443 } }, 'ports/webhook'],
    ['a name with a line break', { priorityClassName: 'a\nhostNetwork: true' }, 'priorityClassName'],
    ['a repository with a line break', { image: { repository: 'a\nb: c' } }, 'image/repository'],
    ['Provided without its Secret', { certificates: { mode: 'Provided' } }, 'needs certificates.secretName'],
    ['Named without names', { pullSecrets: { mode: 'Named' } }, 'needs pullSecrets.names'],
    ['Namespaces without any', { pullSecrets: { mode: 'Namespaces' } }, 'needs pullSecrets.namespaces'],
    ['names in another mode', { pullSecrets: { names: ['a'] } }, 'names is for pullSecrets.mode Named'],
    [
      'namespaces in another mode',
      { pullSecrets: { mode: 'All', namespaces: ['a'] } },
      'namespaces is for pullSecrets.mode Namespaces',
    ],
    ['a repository with a tag', { image: { repository: 'a.io/refwarden:0.1.0' } }, 'image/repository'],
    [
      'peers of no policy',
      { networkPolicy: { enabled: false, webhookFrom: [{ podSelector: {} }] } },
      'need networkPolicy.enabled',
    ],
    [
      'a peer with another field',
      { networkPolicy: { webhookFrom: [{ cidr: '10.0.0.0/8' }] } },
      "additional properties 'cidr' not allowed",
    ],
    [
      'a kind of issuer that there is not',
      { certificates: { mode: 'CertManager', issuerRef: { name: 'a', kind: 'Clusterissuer' } } },
      'kind is Issuer or ClusterIssuer',
    ],
    ['an argument that is a value', { extraArgs: ['--no-pinning'] }, '--no-pinning is not for extraArgs'],
    ['an argument that is no flag', { extraArgs: ['trust-dir=/trust'] }, 'extraArgs/0'],
    ['flag and argument apart', { extraArgs: ['--trust-dir', '/trust'] }, 'extraArgs/1'],
    ['a peer that says nothing', { networkPolicy: { webhookFrom: [{}] } }, 'networkPolicy/webhookFrom/0'],
    ['a Secret in capitals', { dockerConfigSecret: 'Registries' }, 'dockerConfigSecret'],
    ['a Secret with a colon', { pullSecrets: { mode: 'Named', names: ['a:b'] } }, 'pullSecrets/names/0'],
    ['a Secret without a name', { imagePullSecrets: [{ name: '' }] }, 'imagePullSecrets/0/name'],
    ['a ConfigMap in capitals', { clientCA: { configMap: 'CA' } }, 'clientCA/configMap'],
    ['a certificate in capitals', { certificates: { secretName: 'Own' } }, 'certificates/secretName'],
    ['a volume without a name', { extraVolumes: [{ emptyDir: {} }] }, "missing property 'name'"],
    ['a mount of no volume', { extraVolumeMounts: [{ mountPath: '/a' }] }, "missing property 'name'"],
    ['a mount to nowhere', { extraVolumeMounts: [{ name: 'a' }] }, "missing property 'mountPath'"],
    ['a mount to a number', { extraVolumeMounts: [{ name: 'a', mountPath: 1 }] }, 'mountPath'],
    ['a registry with a scheme', { registries: [{ host: 'https://a.io' }] }, 'registries/0/host'],
    [
      'a certificate authority in no volume',
      { registries: [{ host: 'a.io', caFile: '/ca/ca.crt' }] },
      'caFile /ca/ca.crt of a.io is in no volume',
    ],
    [
      'a certificate authority in another volume',
      {
        registries: [{ host: 'a.io', caFile: '/ca/ca.crt' }],
        extraVolumes: [{ name: 'a', emptyDir: {} }],
        extraVolumeMounts: [{ name: 'a', mountPath: '/c' }],
      },
      'is in no volume',
    ],
    [
      'a certificate authority of a certificate that is not mounted',
      { registries: [{ host: 'a.io', caFile: '/tls/ca.crt' }] },
      'is in no volume',
    ],
    [
      'a certificate authority of clients that is not mounted',
      { registries: [{ host: 'a.io', caFile: '/client-ca/ca.crt' }] },
      'is in no volume',
    ],
    [
      'a certificate authority beside the settings',
      { registries: [{ host: 'a.io', caFile: 'ca.crt' }] },
      'caFile ca.crt of a.io is in no volume',
    ],
    [
      'a key in no volume',
      {
        registries: [
          { host: 'a.io', clientCertificate: { certFile: '/etc/tls.crt', keyFile: '/registry/tls.key' } },
        ],
      },
      'keyFile /registry/tls.key of a.io is in no volume',
    ],
    ['no day', { exceptions: { maxDays: 0 } }, 'exceptions/maxDays'],
    [
      'programs that nothing runs',
      { credentialProviders: { volume: { hostPath: { path: '/p' } } } },
      'volume needs credentialProviders.config',
    ],
    [
      'providers without their programs',
      { credentialProviders: { config: { kind: 'CredentialProviderConfig' } } },
      'needs credentialProviders.volume',
    ],
  ])('refuses %s', async (_what, values, message) => {
    const { code, stderr } = await helm(
      ['template', chartPath, ...asKubernetes, '--values', '-'],
      JSON.stringify(values),
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('takes no argument from extraArgs that it gives itself', async () => {
    const deployment = await readFile(join(chartPath, 'templates', 'deployment.yaml'), 'utf8');
    const flags = [...deployment.matchAll(/^ *- (--[a-z-]+)/gm)].map(([, flag = '']) => flag);
    expect(flags).toContain('--release-namespace');
    for (const flag of flags) {
      const { code, stderr } = await helm(
        ['template', chartPath, ...asKubernetes, '--values', '-'],
        JSON.stringify({ extraArgs: [`${flag}=x`] }),
      );
      expect({ flag, code }).toEqual({ flag, code: 1 });
      expect(stderr).toContain(`${flag}=x is not for extraArgs`);
    }
  });

  it('says in its notes what may be done next, by the values', async () => {
    const notes = async (values: object, ...flags: string[]): Promise<string> => {
      const args = ['install', 'trial', chartPath, '--dry-run=client', ...flags, '--values', '-'];
      const { code, stdout, stderr } = await helm(
        args,
        JSON.stringify({ crds: { install: false }, ...values }),
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout.slice(stdout.indexOf('NOTES:'));
    };
    const plain = await notes({}, '--namespace=kube-system');
    expect(plain).toContain('helm test trial --namespace kube-system');
    expect(plain).toContain('Never judged: kube-system.\n');
    const strict = await notes({
      clientCA: { configMap: 'ca' },
      webhook: { excludedNamespaces: ['a', 'b'] },
    });
    expect(strict).not.toContain('helm test');
    expect(strict).toContain('Never judged: kube-system, default, a, b.\n');
    const without = await notes({
      pinning: null,
      webhook: { matchConditions: null, excludedNamespaces: null },
    });
    expect(without).toContain('Never judged: kube-system, default.\n');
    expect(without).not.toContain('pinning is off');
  });

  it('says less in its notes after an upgrade', async () => {
    const args = ['upgrade', releaseName, chartPath, '--dry-run=client', `--namespace=${releaseNamespace}`];
    const { code, stdout, stderr } = await helm([...args, '--set', 'replicas=1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    expect(notes).toContain('Refwarden is upgraded.');
    expect(notes).toContain(
      `kubectl rollout status deployment/${releaseName} --namespace ${releaseNamespace}`,
    );
    expect(notes).toContain(`Never judged: kube-system, ${releaseNamespace}.\nShould Refwarden ever`);
    expect(notes).toContain('WARNING: with one replica');
    expect(notes).not.toMatch(/is installed|Nothing is refused|Next:|A node that starts/);
  });

  it('turns nothing off for null', async () => {
    const plain = objectsIn(await template({}));
    const values = {
      pinning: null,
      unmatched: null,
      logLevel: null,
      exceptions: { maxDays: null },
      rbac: { aggregate: null },
      podDisruptionBudget: { enabled: null },
      networkPolicy: { enabled: null },
    };
    const objects = objectsIn(await template(values));
    const withoutArgs = (list: KubernetesObject[]): KubernetesObject[] =>
      list.filter(({ kind }) => kind !== 'Deployment');
    expect(withoutArgs(objects)).toEqual(withoutArgs(plain));
    const defaults = ['--unmatched=Admit', '--max-exception-days=90', '--log-level=info'];
    expect(argsOf(objects)).toEqual(argsOf(plain).filter((arg) => !defaults.includes(arg)));
    const definitions = await template({ crds: { install: null, keep: null } });
    expect(definitions.match(/helm\.sh\/resource-policy: keep/g)).toHaveLength(4);
  });

  it('asks for no right that it has no use for, by mode', async () => {
    const rulesOn = async (resource: string, values: object): Promise<number> =>
      objectsIn(await template(values))
        .flatMap((object) => ('rules' in object ? (object.rules as { resources: string[] }[]) : []))
        .filter(({ resources }) => resources.includes(resource)).length;
    expect(await rulesOn('secrets', {})).toBe(2);
    expect(await rulesOn('secrets', { certificates: { mode: 'CertManager' } })).toBe(0);
    expect(await rulesOn('serviceaccounts', {})).toBe(0);
    expect(await rulesOn('secrets', { pullSecrets: { mode: 'All' } })).toBe(3);
  });
});

describe('manifests/install.yaml', () => {
  it('is what the chart makes, and kustomize finds it', async () => {
    const manifest = await renderInstallManifest(helm);
    expect(await readFile(join(root, 'manifests', 'install.yaml'), 'utf8')).toBe(manifest);
    const kustomized = await must(kubectl, ['kustomize', join(root, 'manifests')]);
    const names = (text: string): string[] =>
      objectsIn(text)
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
        .sort();
    expect(names(kustomized)).toEqual(names(manifest));
  });

  it('applies cleanly', async () => {
    const objects = objectsIn(await renderInstallManifest(helm));
    // A dry run makes no namespace, and definitions belong to the release of this suite.
    const items = objects
      .filter(({ kind }) => kind !== 'Namespace' && kind !== 'CustomResourceDefinition')
      .map((object) =>
        object.metadata.namespace === 'refwarden-system'
          ? { ...object, metadata: { ...object.metadata, namespace } }
          : object,
      );
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await must(
      kubectl,
      ['apply', '--server-side', '--dry-run=server', '--force-conflicts', '--validate=strict', '-f', '-'],
      list,
    );
  });
});
