import { z } from 'zod';
import { webhookSettings } from '../../src/admission/webhook-settings.ts';
import { maxExceptionDays } from '../../src/policy/exceptions.ts';
import { objectName } from '../../src/policy/model/metadata.ts';
import { maxRegistries, registryEntry, registryLimits } from '../../src/registry/registry-settings.ts';

/** Kinds and groups, too. */
const name = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9._:-]*$/, 'must be a name of Kubernetes');
const objectNameOrEmpty = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/, 'must be the name of an object');
const anyObject = z.record(z.string(), z.unknown());
const networkPolicyPeers = z
  .array(
    z
      .strictObject({ ipBlock: anyObject, namespaceSelector: anyObject, podSelector: anyObject })
      .partial()
      .meta({ minProperties: 1 }),
  )
  .default([]);
/** The API server checks the rest. */
const named = z.looseObject({ name: z.string().min(1) });
const labels = z.record(z.string(), z.string());
const port = z.int().min(1024).max(65_535);
const objectNameRule = 'must be at most 40 of a-z, 0-9 and -, beginning with a letter';

/** Quantities of Kubernetes: `100m`, `2Gi`, `1`. */
const quantity = z.union([
  z
    .string()
    .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti|[eE][0-9]{1,2})?$/, 'must be a quantity, as 2Gi'),
  z.number().min(0),
]);
const resourceAmounts = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  'ephemeral-storage': quantity.optional(),
});

/** The values of the chart: values.yaml, its schema and the table in the docs are made from it. */
export const chartValues = z.strictObject({
  replicas: z
    .int()
    .min(1)
    .max(20)
    .default(2)
    .describe('Replicas; with one, a node drain holds up the cluster.'),
  image: z
    .strictObject({
      repository: z
        .string()
        .max(255)
        .regex(
          /^([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?\/)?[a-z0-9][a-z0-9._/-]*$/,
          'must be a repository, host/path: the tag goes into image.tag',
        )
        .default('ghcr.io/refwarden/refwarden')
        .describe('Image without tag.'),
      tag: z
        .string()
        .regex(/^[A-Za-z0-9_.-]{0,128}$/, 'must be a tag')
        .default('')
        .describe("Tag; empty = the chart's appVersion."),
      digest: z
        .string()
        .regex(/^(sha256:[0-9a-f]{64})?$/, 'must be sha256:... or empty')
        .default('')
        .describe('Digest, beside or in place of the tag.'),
      pullPolicy: z
        .enum(['Always', 'IfNotPresent', 'Never'])
        .default('IfNotPresent')
        .describe('When it is pulled.'),
    })
    .prefault({}),
  imagePullSecrets: z
    .array(z.strictObject({ name: objectName }))
    .default([])
    .describe("Secrets to pull Refwarden's own image with."),
  nameOverride: z
    .string()
    .regex(/^([a-z]([a-z0-9-]{0,38}[a-z0-9])?)?$/, objectNameRule)
    .default('')
    .describe('In place of the name of the chart in names of objects.'),
  fullnameOverride: z
    .string()
    .regex(/^([a-z]([a-z0-9-]{0,38}[a-z0-9])?)?$/, objectNameRule)
    .default('')
    .describe('In place of release and chart in names of objects.'),
  crds: z
    .strictObject({
      install: z.boolean().default(true).describe('Install and upgrade the CustomResourceDefinitions.'),
      keep: z
        .boolean()
        .default(true)
        .describe('Leave them, and so all policies, where the release is uninstalled.'),
    })
    .prefault({}),
  rbac: z
    .strictObject({
      aggregate: z
        .boolean()
        .default(true)
        .describe('Add reading to the role view, and ArtifactPolicies to admin and edit.'),
    })
    .prefault({}),
  webhook: webhookSettings
    .pick({
      failurePolicy: true,
      timeoutSeconds: true,
      excludedNamespaces: true,
      matchConditions: true,
      labels: true,
      annotations: true,
    })
    .prefault({}),
  unmatched: z
    .enum(['Admit', 'Warn', 'Deny'])
    .default('Admit')
    .describe('What happens to an image that no policy selects.'),
  exceptions: z
    .strictObject({
      maxDays: z
        .number()
        .min(1 / 24)
        .max(maxExceptionDays)
        .default(90)
        .describe('Longest time that an ArtifactPolicyException counts, days.'),
    })
    .prefault({}),
  pinning: z
    .boolean()
    .default(true)
    .describe(
      'Pin the images of Pods. Without it whoever can move a tag has another image run than was judged.',
    ),
  certificates: z
    .strictObject({
      mode: z
        .enum(['Self', 'CertManager', 'Provided'])
        .default('Self')
        .describe('Who makes the serving certificate: Refwarden, cert-manager, or you in secretName.'),
      secretName: objectNameOrEmpty
        .default('')
        .describe('Secret of the certificate; empty = made from the name of the release.'),
      issuerRef: z
        .strictObject({ name: objectName, kind: name.optional(), group: name.optional() })
        .partial()
        .default({})
        .describe(
          'Issuer of cert-manager, as {name, kind, group}, kind Issuer or ClusterIssuer; it must give ca.crt, which ACME does not. Empty = one that signs for itself.',
        ),
    })
    .prefault({}),
  clientCA: z
    .strictObject({
      configMap: objectNameOrEmpty
        .default('')
        .describe(
          "ConfigMap whose ca.crt signs the API server's client certificate; others are not answered.",
        ),
    })
    .prefault({}),
  pullSecrets: z
    .strictObject({
      mode: z
        .enum(['None', 'Named', 'Namespaces', 'All'])
        .default('None')
        .describe('Which pull secrets of workloads may be read: those of names, of namespaces, or all.'),
      names: z.array(objectName).max(64).default([]).describe('Names of Secrets, with Named.'),
      namespaces: z
        .array(objectName)
        .max(256)
        .default([])
        .describe('Namespaces, which have to exist, with Namespaces.'),
    })
    .prefault({}),
  dockerConfigSecret: objectNameOrEmpty
    .default('')
    .describe('Secret (kubernetes.io/dockerconfigjson) of the release namespace, used for every workload.'),
  credentialProviders: z
    .strictObject({
      config: anyObject.default({}).describe("The kubelet's CredentialProviderConfig."),
      volume: anyObject.default({}).describe('Volume that holds its programs, as hostPath or image.'),
    })
    .prefault({}),
  registries: z
    .array(registryEntry)
    .max(maxRegistries)
    .default([])
    .describe('Settings of registries, as docs/registries.md has them.'),
  limits: registryLimits
    .default({})
    .describe('Limits of requests to registries, as docs/registries.md has them.'),
  cache: z
    .strictObject({
      sizeLimit: z
        .string()
        .regex(/^[1-9][0-9]{0,5}(Mi|Gi)$/, 'must be a quantity in Mi or Gi, as 2Gi')
        .default('2Gi')
        .describe('Room for fetched manifests and artifacts on the node; three quarters of it are used.'),
    })
    .prefault({}),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe level that is logged.'),
  resources: z
    .strictObject({ requests: resourceAmounts.optional(), limits: resourceAmounts.optional() })
    .default({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '2Gi' } })
    .describe('24 reviews at once, each over two SBOMs of 27 MB, stay under 1.6 GB.'),
  priorityClassName: objectNameOrEmpty
    .default('system-cluster-critical')
    .describe('A system class comes with the ResourceQuota that some clouds ask for.'),
  podDisruptionBudget: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Let drains take one replica at a time.'),
    })
    .prefault({}),
  networkPolicy: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Accept the ports of the webhook and of metrics only.'),
      webhookFrom: networkPolicyPeers.describe(
        'Peers that may call the webhook; empty = all, for the address of an API server is seldom known.',
      ),
      metricsFrom: networkPolicyPeers.describe('Peers that may read metrics; empty = all.'),
    })
    .prefault({}),
  serviceMonitor: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Make a ServiceMonitor for the Prometheus operator.'),
      labels: labels.default({}).describe('Its further labels.'),
    })
    .prefault({}),
  serviceAccount: z
    .strictObject({
      annotations: labels.default({}).describe('As clouds bind identities by.'),
    })
    .prefault({}),
  hostNetwork: z
    .boolean()
    .default(false)
    .describe('For clusters whose API server does not reach the network of Pods; one replica a node.'),
  ports: z
    .strictObject({
      webhook: port.default(8443).describe('Port of the container that the Service leads to.'),
      operations: port.default(8080).describe('Port of probes and metrics.'),
    })
    .prefault({}),
  podLabels: labels.default({}).describe("Further labels of the Pods; the chart's own stay."),
  podAnnotations: labels.default({}).describe('Further annotations of the Pods.'),
  nodeSelector: labels.default({}).describe('Nodes that it may run on.'),
  tolerations: z
    .array(anyObject)
    .default([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 30,
      },
    ])
    .describe('Taints that it tolerates: a node that is lost, for half a minute in place of five.'),
  affinity: anyObject.default({}).describe('Affinity of the Pods.'),
  topologySpreadConstraints: z
    .array(anyObject)
    .default([])
    .describe('In place of the spread over nodes, which is kept, and over zones, which is preferred.'),
  extraArgs: z
    .array(z.string().regex(/^--[a-z]/, 'must be a flag, --name=value'))
    .default([])
    .describe('Further arguments of serve, each as --name=value.'),
  extraEnv: z.array(named).default([]).describe('Further environment, as HTTPS_PROXY.'),
  extraVolumes: z.array(named).default([]).describe('Further volumes, as of files that issuers name.'),
  extraVolumeMounts: z
    .array(named.extend({ mountPath: z.string().min(1) }))
    .default([])
    .describe('Where they are mounted.'),
  global: anyObject.optional(),
});
