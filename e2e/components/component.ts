export const KUBERNETES_VERSION = 'v1.36.3';

/** Built by `go install package@version`: the version pins every dependency of the module. */
export interface InstalledComponent {
  readonly build: 'install';
  readonly version: string;
  readonly package: string;
  /** The name that `go install` gives the binary. */
  readonly binary: string;
}

/** Built in a Go module of ours, for what `go install` refuses (modules with `replace`) or what is our own main. */
export interface ModuleComponent {
  readonly build: 'module';
  readonly version: string;
  readonly package: string;
  readonly binary: string;
  /** The module's directory, relative to `e2e/`. */
  readonly module: string;
  /** `-X` settings for the linker. */
  readonly variables?: Readonly<Record<string, string>>;
}

export type Component = InstalledComponent | ModuleComponent;

function kubernetes(binary: string): ModuleComponent {
  return {
    build: 'module',
    version: KUBERNETES_VERSION,
    package: `k8s.io/kubernetes/cmd/${binary}`,
    binary,
    module: 'cluster',
    // Without these, clients refuse a server that calls itself v0.0.0-master.
    variables: {
      'k8s.io/component-base/version.gitVersion': KUBERNETES_VERSION,
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '36',
    },
  };
}

/** Version of containerd. */
const CONTAINERD_VERSION = 'v2.2.3';

function containerd(binary: string): ModuleComponent {
  return {
    build: 'module',
    version: CONTAINERD_VERSION,
    package: `github.com/containerd/containerd/v2/cmd/${binary}`,
    binary,
    module: 'node/containerd',
    variables: { 'github.com/containerd/containerd/v2/version.Version': CONTAINERD_VERSION },
  };
}

/** Every program that the end-to-end suite and the fixture script run, quickest to build first. */
export const components = {
  ociregistry: {
    build: 'module',
    version: 'v0.0.0-20251212221603-3adeb8663819',
    package: '.',
    binary: 'ociregistry',
    module: 'registries/ociregistry',
  },
  'ggcr-registry': {
    build: 'module',
    version: 'v0.22.1',
    package: '.',
    binary: 'ggcr-registry',
    module: 'registries/ggcr-registry',
  },
  notation: {
    build: 'module',
    version: 'v1.3.2',
    package: '.',
    binary: 'notation',
    module: 'tools/notation',
  },
  conformance: {
    build: 'install',
    version: 'v0.0.0-20260831232431-97274622c111',
    package: 'github.com/opencontainers/distribution-spec/conformance',
    binary: 'conformance',
  },
  regctl: {
    build: 'install',
    version: 'v0.11.5',
    package: 'github.com/regclient/regclient/cmd/regctl',
    binary: 'regctl',
  },
  helm: {
    build: 'install',
    version: 'v3.19.0',
    package: 'helm.sh/helm/v3/cmd/helm',
    binary: 'helm',
  },
  oras: {
    build: 'install',
    version: 'v1.3.6',
    package: 'oras.land/oras/cmd/oras',
    binary: 'oras',
  },
  crane: {
    build: 'install',
    version: 'v0.20.6',
    package: 'github.com/google/go-containerregistry/cmd/crane',
    binary: 'crane',
  },
  etcd: {
    build: 'module',
    version: 'v3.6.8',
    package: 'go.etcd.io/etcd/server/v3',
    binary: 'etcd',
    module: 'cluster',
  },
  distribution: {
    build: 'install',
    version: 'v3.0.0',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
    binary: 'registry',
  },
  cosign: {
    build: 'install',
    version: 'v3.1.2',
    package: 'github.com/sigstore/cosign/v3/cmd/cosign',
    binary: 'cosign',
  },
  fulcio: {
    build: 'install',
    version: 'v1.8.8',
    package: 'github.com/sigstore/fulcio',
    binary: 'fulcio',
  },
  'timestamp-server': {
    build: 'install',
    version: 'v2.1.2',
    package: 'github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server',
    binary: 'timestamp-server',
  },
  kubectl: kubernetes('kubectl'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubelet: kubernetes('kubelet'),
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
  pause: { build: 'module', version: 'v1', package: '.', binary: 'pause', module: 'node/pause' },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof components;

/** What only a whole node needs. */
const nodeOnly: readonly ComponentName[] = [
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'pause',
];

export const componentNames = Object.keys(components) as ComponentName[];
/** What the suite needs without a node. */
export const suiteComponentNames = componentNames.filter((name) => !nodeOnly.includes(name));
