import { z } from 'zod';
import { RefwardenError } from '../failures/failure.ts';
import { parseStrictYaml } from '../oci/strict-yaml.ts';
import { describeIssues } from '../policy/model/describe-issues.ts';
import { objectName } from '../policy/model/metadata.ts';

/** Most conditions that the API server takes for one webhook. */
const maxMatchConditions = 64;
/** Most labels or annotations of one kind. */
const maxTexts = 64;

/** Keys are checked by the API server; `refwarden.dev/` is ours. */
const texts = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,316}$/), z.string().max(4096))
  .refine((entries) => Object.keys(entries).length <= maxTexts, `at most ${maxTexts}`)
  .default({});

/** The file of `serve --webhooks`; the chart takes its values from the same. */
export const webhookSettings = z.strictObject({
  name: objectName.default('refwarden').describe('Name of both webhook configurations.'),
  service: z
    .strictObject({
      namespace: objectName.default('refwarden-system'),
      name: objectName.default('refwarden'),
      port: z.int().min(1).max(65_535).default(443),
    })
    .prefault({})
    .describe('Where the API server reaches Refwarden in the cluster.'),
  clusterRole: objectName
    .optional()
    .describe('ClusterRole that both webhook configurations belong to: they are deleted with it.'),
  labels: texts.describe('Further labels of both webhook configurations.'),
  annotations: texts.describe('Further annotations of both webhook configurations.'),
  url: z
    .string()
    .max(512)
    .regex(/^https:\/\/[^\s/?#@]+$/, 'must be https://HOST:PORT')
    .optional()
    .describe('Where it reaches Refwarden outside the cluster, in place of the service.'),
  excludedNamespaces: z
    .array(objectName)
    .max(64)
    .default([])
    .describe(
      'Namespaces that are never judged, beside kube-system and the one of the release: of network and storage, which a node needs before Refwarden runs.',
    ),
  matchConditions: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(317),
        expression: z.string().min(1).max(4096).describe('CEL; a request is judged only where all hold.'),
      }),
    )
    .max(maxMatchConditions - 1)
    .default([])
    .describe('CEL conditions; only requests for which all hold are judged.'),
  failurePolicy: z
    .enum(['Fail', 'Ignore'])
    .default('Fail')
    .describe('What happens to a request while Refwarden does not answer; Ignore admits it.'),
  timeoutSeconds: z.int().min(1).max(30).default(10).describe('How long the API server waits for an answer.'),
});

/** How the API server is told of Refwarden. */
export type WebhookSettings = z.output<typeof webhookSettings>;

/** The host that the API server calls, and that the serving certificate has to be for. */
export function webhookHost({ url, service }: WebhookSettings): string {
  if (url === undefined) return `${service.name}.${service.namespace}.svc`;
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

/**
 * @param text YAML; empty means defaults.
 * @throws RefwardenError `ConfigurationInvalid`; names the field.
 */
export function parseWebhookSettings(text: string): WebhookSettings {
  const parsed = webhookSettings.safeParse(parseStrictYaml(text, 'The webhook settings') ?? {});
  if (parsed.success) return parsed.data;
  throw new RefwardenError(
    'ConfigurationInvalid',
    `Webhook settings: ${describeIssues(parsed.error.issues)}.`,
  );
}
