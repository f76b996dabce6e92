import { podReview } from '../support/webhook-call.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const image = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 7 };
// The digest of the two bytes `{}` (image-spec manifest.md, "Guidance for an empty descriptor").
const empty = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  size: 2,
  data: 'e30=',
};
const attestation = {
  ...image,
  annotations: {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': digest,
  },
  platform: { os: 'unknown', architecture: 'unknown' },
};

/** Shapes of manifests, indexes and listings that no tool of the fixtures writes. */
export const madeDocuments: readonly unknown[] = [
  { schemaVersion: 2, config: empty, layers: [{ ...empty, reference: image }], reference: image },
  {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    subject: image,
    manifests: [{ ...image, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }, attestation],
  },
  { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: [empty], subject: image },
  {
    mediaType: 'application/vnd.cncf.oras.artifact.manifest.v1+json',
    artifactType: 'application/spdx+json',
    blobs: [image],
    subject: image,
  },
  { referrers: [{ ...image, artifactType: 'application/spdx+json' }, { ...empty }, { size: 1 }] },
];

const apiVersion = 'refwarden.dev/v1alpha1';
const issuers = ['release'];

/** Policies with every field that is built. */
export const madePolicies: readonly unknown[] = [
  {
    apiVersion,
    kind: 'ClusterArtifactPolicy',
    metadata: { name: 'all-fields' },
    spec: {
      mode: 'Warn',
      workloads: 'Pods',
      images: ['registry.example.com/**', '*.example.org:5000/a*/**/b:v1.*'],
      excludeImages: ['registry.example.com/shop/**:debug'],
      onInconclusive: 'Admit',
      namespaces: {
        matchLabels: { team: 'shop' },
        matchExpressions: [
          { key: 'env', operator: 'In', values: ['prod'] },
          { key: 'x', operator: 'Exists' },
        ],
      },
      require: [
        { name: 'signed', signature: { issuers, minimumIssuers: 1, platforms: ['linux/arm/v7'] } },
        { name: 'sbom', sbom: { issuers, formats: ['SPDX'], maxAge: '30d', platforms: ['All'] } },
        { name: 'built', attestation: { issuers, predicateType: 'https://slsa.dev/provenance/v1' } },
        { name: 'pinned', pinned: true },
      ],
      evidenceRepositories: ['registry.example.com/signatures'],
      indexTags: ['latest'],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion,
        kind: 'ArtifactPolicy',
        metadata: { name: 'team', namespace: 'shop' },
        spec: { images: ['**'], require: [{ name: 'signed', signature: { issuers } }] },
      },
      {
        apiVersion,
        kind: 'TrustedIssuer',
        metadata: { name: 'release' },
        spec: {
          keyless: {
            identities: [{ issuer: 'https://issuer.example.com', subjectPattern: '.*@example[.]com' }],
            trustedRoot: { configMap: { name: 'root', key: 'trusted_root.json' } },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop', labels: { team: 'shop' } },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'root' },
        data: { 'trusted_root.json': '{}' },
      },
    ],
  },
];

const podSpec = {
  initContainers: [{ name: 'init', image: 'busybox:1.37' }],
  containers: [
    { name: 'web', image: `registry.example.com:5000/shop/web:1.4@${digest}` },
    { name: 'side', image: 'nginx' },
  ],
  ephemeralContainers: [{ name: 'debug', image: 'docker.io/library/busybox' }],
  volumes: [{ name: 'model', image: { reference: 'ghcr.io/acme/model:v1' } }],
};
const object = { metadata: { name: 'web', generateName: 'web-' }, spec: podSpec };
const template = { metadata: {}, spec: { schedule: '* * * * *', template: { spec: podSpec } } };

export const madeReviews: readonly unknown[] = [
  podReview({ object }),
  podReview({ operation: 'UPDATE', object, oldObject: { ...object, spec: { containers: [] } } }),
  podReview({ kind: { group: 'apps', version: 'v1', kind: 'Deployment' }, object: template }),
  podReview({
    kind: { group: 'batch', version: 'v1', kind: 'CronJob' },
    object: { metadata: {}, spec: { jobTemplate: { spec: { template: { spec: podSpec } } } } },
  }),
];
