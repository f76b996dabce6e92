import { describe, expect, it } from 'vitest';
import { formatImageReference, parseImageReference } from '../../src/image/reference.ts';

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** As charts, manifests and vendors' documentation write images, and their full names. */
const accepted: readonly (readonly [text: string, fullName: string])[] = [
  // Docker Hub
  ['alpine:3.22', 'docker.io/library/alpine:3.22'],
  ['postgres:17.6-bookworm', 'docker.io/library/postgres:17.6-bookworm'],
  ['docker:28-dind', 'docker.io/library/docker:28-dind'],
  ['grafana/grafana:12.1.1', 'docker.io/grafana/grafana:12.1.1'],
  ['bitnamilegacy/postgresql', 'docker.io/bitnamilegacy/postgresql:latest'],
  ['docker.io/istio/proxyv2:1.27.1', 'docker.io/istio/proxyv2:1.27.1'],
  ['docker.io/calico/node:v3.30.3', 'docker.io/calico/node:v3.30.3'],
  ['index.docker.io/rancher/mirrored-pause:3.6', 'docker.io/rancher/mirrored-pause:3.6'],
  ['registry-1.docker.io/bitnamicharts/redis:22.0.7', 'docker.io/bitnamicharts/redis:22.0.7'],
  [
    'docker.elastic.co/elasticsearch/elasticsearch:9.1.3',
    'docker.elastic.co/elasticsearch/elasticsearch:9.1.3',
  ],
  [`curlimages/curl:8.16.0@${sha256}`, `docker.io/curlimages/curl:8.16.0@${sha256}`],
  // Kubernetes and its neighbours
  ['registry.k8s.io/kube-apiserver:v1.34.1', 'registry.k8s.io/kube-apiserver:v1.34.1'],
  ['registry.k8s.io/etcd:3.6.4-0', 'registry.k8s.io/etcd:3.6.4-0'],
  ['registry.k8s.io/coredns/coredns:v1.12.1', 'registry.k8s.io/coredns/coredns:v1.12.1'],
  [
    `registry.k8s.io/ingress-nginx/controller:v1.13.2@${sha256}`,
    `registry.k8s.io/ingress-nginx/controller:v1.13.2@${sha256}`,
  ],
  [
    'registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0',
    'registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0',
  ],
  ['k8s.gcr.io/pause:3.2', 'k8s.gcr.io/pause:3.2'],
  ['quay.io/prometheus/node-exporter:v1.9.1', 'quay.io/prometheus/node-exporter:v1.9.1'],
  ['quay.io/jetstack/cert-manager-controller:v1.18.2', 'quay.io/jetstack/cert-manager-controller:v1.18.2'],
  ['quay.io/argoproj/argocd:v3.1.6', 'quay.io/argoproj/argocd:v3.1.6'],
  [`quay.io/cilium/cilium:v1.18.2@${sha256}`, `quay.io/cilium/cilium:v1.18.2@${sha256}`],
  ['ghcr.io/fluxcd/source-controller:v1.7.0', 'ghcr.io/fluxcd/source-controller:v1.7.0'],
  ['ghcr.io/sigstore/cosign/cosign:v3.0.2', 'ghcr.io/sigstore/cosign/cosign:v3.0.2'],
  ['ghcr.io/oras-project/oras:v1.3.0', 'ghcr.io/oras-project/oras:v1.3.0'],
  ['cr.fluentbit.io/fluent/fluent-bit:4.1.0', 'cr.fluentbit.io/fluent/fluent-bit:4.1.0'],
  ['cr.l5d.io/linkerd/proxy:edge-25.9.2', 'cr.l5d.io/linkerd/proxy:edge-25.9.2'],
  ['xpkg.crossplane.io/crossplane/crossplane:v2.0.2', 'xpkg.crossplane.io/crossplane/crossplane:v2.0.2'],
  // Clouds
  ['gcr.io/distroless/static-debian12:nonroot', 'gcr.io/distroless/static-debian12:nonroot'],
  ['gcr.io/my-project/my_app', 'gcr.io/my-project/my_app:latest'],
  [
    'us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0',
    'us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0',
  ],
  [
    'europe-west1-docker.pkg.dev/example.com/my-project/repo/app:v1',
    'europe-west1-docker.pkg.dev/example.com/my-project/repo/app:v1',
  ],
  [
    'mcr.microsoft.com/dotnet/aspnet:9.0-noble-chiseled',
    'mcr.microsoft.com/dotnet/aspnet:9.0-noble-chiseled',
  ],
  [
    'mcr.microsoft.com/windows/servercore:ltsc2025-amd64',
    'mcr.microsoft.com/windows/servercore:ltsc2025-amd64',
  ],
  ['contoso.azurecr.io/samples/aci-helloworld:v1', 'contoso.azurecr.io/samples/aci-helloworld:v1'],
  ['public.ecr.aws/eks-distro/kubernetes/pause:3.10', 'public.ecr.aws/eks-distro/kubernetes/pause:3.10'],
  [
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:2026-11-25',
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:2026-11-25',
  ],
  [
    '602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.2-eksbuild.1',
    '602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni:v1.20.2-eksbuild.1',
  ],
  ['icr.io/codeengine/helloworld', 'icr.io/codeengine/helloworld:latest'],
  [
    'container-registry.oracle.com/os/oraclelinux:9-slim',
    'container-registry.oracle.com/os/oraclelinux:9-slim',
  ],
  ['registry.access.redhat.com/ubi9/ubi-minimal:9.6', 'registry.access.redhat.com/ubi9/ubi-minimal:9.6'],
  [`registry.redhat.io/openshift4/ose-cli@${sha256}`, `registry.redhat.io/openshift4/ose-cli@${sha256}`],
  [
    'registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.4.0',
    'registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.4.0',
  ],
  ['nvcr.io/nvidia/k8s-device-plugin:v0.17.4', 'nvcr.io/nvidia/k8s-device-plugin:v0.17.4'],
  ['cgr.dev/chainguard/wolfi-base', 'cgr.dev/chainguard/wolfi-base:latest'],
  ['registry.digitalocean.com/shop/web:latest', 'registry.digitalocean.com/shop/web:latest'],
  ['lscr.io/linuxserver/plex:1.42.2', 'lscr.io/linuxserver/plex:1.42.2'],
  // Registries of one's own
  ['harbor.example.com/proxy-cache/library/nginx:1.29', 'harbor.example.com/proxy-cache/library/nginx:1.29'],
  [
    'registry.example.com:5000/team/sub-team/app:1.0.0-rc.1',
    'registry.example.com:5000/team/sub-team/app:1.0.0-rc.1',
  ],
  [
    'registry.kube-system.svc.cluster.local:5000/app:dev',
    'registry.kube-system.svc.cluster.local:5000/app:dev',
  ],
  ['kind-registry:5000/app:dev', 'kind-registry:5000/app:dev'],
  ['k3d-registry.localhost:12345/app', 'k3d-registry.localhost:12345/app:latest'],
  ['localhost:32000/app:registry', 'localhost:32000/app:registry'],
  ['10.0.0.7:30500/app:1', '10.0.0.7:30500/app:1'],
  ['[fd00::7]:5000/app:1', '[fd00::7]:5000/app:1'],
  ['registry.example.com/app:1.2.3_build.5', 'registry.example.com/app:1.2.3_build.5'],
  [
    'registry.example.com/cosign:sha256-0123456789abcdef.sig',
    'registry.example.com/cosign:sha256-0123456789abcdef.sig',
  ],
];

/** Slips and tricks that were seen in manifests. */
const refused: readonly string[] = [
  'docker://nginx:1.29',
  'https://index.docker.io/v1/',
  'oci://ghcr.io/acme/chart:1.0',
  'ghcr.io/Acme/App:1.0',
  'gcr.io/My-Project/app',
  'nginx:1.29:alpine',
  'nginx:1.0.0+build.5',
  'nginx:',
  'nginx@latest',
  'nginx@sha256:abc123',
  `nginx@${sha256.toUpperCase()}`,
  `nginx@sha256-${'a'.repeat(64)}`,
  sha256,
  '{{ .Values.image.repository }}:{{ .Values.image.tag }}',
  '$(IMAGE)',
  '${REGISTRY}/app:1.0',
  '<registry>/app:1.0',
  ':5000/app',
  '/app:1.0',
  'registry.example.com//app',
  'registry.example.com/app/',
  'registry.example.com/-app',
  'registry.example.com/app-',
  'registry.example.com/_app',
  'registry.example.com/team app:1.0',
  'registry.example.com/app:1.0 ',
  'registry.example.com/app:1.0\n',
  'registry_example.com/app',
  'registry.example.com:port/app',
  'registry.example.com:99999999/app',
  'fd00::7/app',
  '"nginx:1.29"',
  'nginx,busybox',
  'ghcr.io/acme/app:latest;rm',
  'ghcr.io/acme/app?tag=1',
  'ghcr.io/acme/ａpp',
  'gһcr.io/acme/app',
  '..',
  '-',
];

describe('references as people write them', () => {
  it.each(accepted)('T07 reads %s', (text, fullName) => {
    const image = parseImageReference(text);
    expect(formatImageReference(image)).toBe(fullName);
    expect(`${image.registry}/${image.repository}`).toBe(
      fullName.replace(/@.*$/, '').replace(/:[^:/]*$/, ''),
    );
  });

  it.each(refused)('T08 refuses %j', (text) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^(?:ImageReferenceInvalid|DigestUnsupported)$/) as string,
        message: expect.stringMatching(/^(?:Image|Digest) ".*[.]$/) as string,
      }),
    );
  });
});
