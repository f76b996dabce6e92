import { apiGroup, apiVersion } from '../policy/model/metadata.ts';
import { resourcePlurals } from '../policy/model/resource.ts';
import type { WebhookSettings } from './webhook-settings.ts';
import { workloadKinds } from './workload.ts';

export const webhookGroupVersion = 'admissionregistration.k8s.io/v1';

/** One of {@link webhookGroupVersion}, as far as it is written. */
export interface WebhookConfiguration {
  readonly apiVersion: typeof webhookGroupVersion;
  readonly kind: 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration';
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly webhooks: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    /** PEM in base64. */
    readonly caBundle: string;
    readonly url?: string;
    readonly service?: {
      readonly namespace: string;
      readonly name: string;
      readonly port: number;
      readonly path: string;
    };
  };
  readonly admissionReviewVersions: readonly ['v1'];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly timeoutSeconds: number;
  readonly sideEffects: 'None' | 'NoneOnDryRun';
  readonly matchPolicy: 'Equivalent';
  readonly reinvocationPolicy?: 'IfNeeded';
  readonly namespaceSelector: {
    readonly matchExpressions?: readonly [
      { readonly key: string; readonly operator: 'NotIn'; readonly values: readonly string[] },
    ];
  };
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly rules: readonly Rule[];
}

interface Rule {
  readonly apiGroups: readonly [string];
  readonly apiVersions: readonly [string];
  readonly resources: readonly string[];
  readonly operations: readonly ['CREATE', 'UPDATE'] | readonly ['DELETE'];
  readonly scope: 'Namespaced' | '*';
}

export interface WebhookTarget {
  /** PEM of the authority that signed the serving certificate. */
  readonly caPem: string;
  /** Namespace that Refwarden runs in: never judged, or its own Pods could not start once none is left. */
  readonly releaseNamespace: string;
  /** Whether Pods are pinned, which takes a mutating webhook. */
  readonly pinning: boolean;
}

/** The namespace that a cluster starts from. */
const systemNamespace = 'kube-system';

/**
 * Most updates of workloads change labels, finalizers or owners: those bring no image. `PodTemplate` alone has no spec, and is
 * always asked about.
 */
const mayChangeImages = {
  name: 'spec-changes',
  expression:
    "request.operation != 'UPDATE' || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec",
};

/** What has the API server ask Refwarden: a validating configuration, and a mutating one where Pods are pinned. */
export function webhookConfigurations(
  settings: WebhookSettings,
  target: WebhookTarget,
): readonly WebhookConfiguration[] {
  const workloads: Webhook = {
    ...webhook('validate', settings, target),
    sideEffects: 'NoneOnDryRun',
    rules: validatedRules(),
  };
  const validating = configuration('ValidatingWebhookConfiguration', settings, [
    workloads,
    resourcesWebhook(settings, target),
  ]);
  if (!target.pinning) return [validating];
  const mutating = configuration('MutatingWebhookConfiguration', settings, [
    {
      ...webhook('mutate', settings, target),
      sideEffects: 'None',
      // Another webhook may change an image after this one.
      reinvocationPolicy: 'IfNeeded',
      rules: [rule('', ['pods', ephemeralContainers])],
    },
  ]);
  return [validating, mutating];
}

const configuration = (
  kind: WebhookConfiguration['kind'],
  { name, labels, annotations }: WebhookSettings,
  webhooks: readonly Webhook[],
): WebhookConfiguration => ({
  apiVersion: webhookGroupVersion,
  kind,
  // Without `app.kubernetes.io/instance`: by it GitOps tools would take them for theirs, and prune them.
  metadata: {
    name,
    labels: { 'app.kubernetes.io/name': 'refwarden', ...labels },
    annotations: { ...annotations },
  },
  webhooks,
});

/** Issuers, policies and exceptions: what this cannot be asked about is held to its schema alone, so that policies can always be mended. */
const resourcesWebhook = (settings: WebhookSettings, target: WebhookTarget): Webhook => ({
  name: 'resources.refwarden.dev',
  clientConfig: clientConfig('/validate-resources', settings, target),
  admissionReviewVersions: ['v1'],
  failurePolicy: 'Ignore',
  timeoutSeconds: settings.timeoutSeconds,
  sideEffects: 'None',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  rules: [
    {
      apiGroups: [apiGroup],
      apiVersions: [apiVersion],
      resources: Object.values(resourcePlurals),
      operations: ['CREATE', 'UPDATE'],
      scope: '*',
    },
    // What asks for it is warned of.
    {
      apiGroups: [apiGroup],
      apiVersions: [apiVersion],
      resources: [resourcePlurals.TrustedIssuer],
      operations: ['DELETE'],
      scope: '*',
    },
  ],
});

function clientConfig(
  path: string,
  { service, url }: WebhookSettings,
  { caPem }: WebhookTarget,
): Webhook['clientConfig'] {
  const caBundle = Buffer.from(caPem).toString('base64');
  return { caBundle, ...(url === undefined ? { service: { ...service, path } } : { url: url + path }) };
}

function webhook(
  action: 'validate' | 'mutate',
  settings: WebhookSettings,
  target: WebhookTarget,
): Omit<Webhook, 'sideEffects' | 'rules'> {
  const { excludedNamespaces, matchConditions, failurePolicy, timeoutSeconds } = settings;
  const values = [...new Set([systemNamespace, target.releaseNamespace, ...excludedNamespaces])];
  return {
    name: `${action}.refwarden.dev`,
    clientConfig: clientConfig(`/${action}`, settings, target),
    admissionReviewVersions: ['v1'],
    failurePolicy,
    timeoutSeconds,
    matchPolicy: 'Equivalent',
    // By name: the API server sets this label, and tenants cannot edit it.
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values }],
    },
    matchConditions: [mayChangeImages, ...matchConditions],
  };
}

/** A subresource that rules for `pods` do not include. */
const ephemeralContainers = 'pods/ephemeralcontainers';

/** Named one by one: `apps/*` would send ControllerRevisions too, which have no images to judge and are refused. */
function validatedRules(): Rule[] {
  const byGroup = Map.groupBy(Object.values(workloadKinds), ({ group }) => group);
  return [...byGroup].map(([group, kinds]) => {
    const resources = kinds.map(({ resource }) => resource);
    return rule(group, group === '' ? [...resources, ephemeralContainers] : resources);
  });
}

const rule = (group: string, resources: readonly string[]): Rule => ({
  apiGroups: [group],
  apiVersions: ['v1'],
  resources,
  operations: ['CREATE', 'UPDATE'],
  scope: 'Namespaced',
});
