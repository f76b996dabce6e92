import { isDeepStrictEqual } from 'node:util';
import type { WebhookConfiguration } from '../admission/webhook-configurations.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';

export type WebhookKind = WebhookConfiguration['kind'];

/** How a webhook configuration differs from what is wanted. */
export type WebhookChange = 'Missing' | 'Changed' | 'Unwanted';

/**
 * What the API server fills in is compared too: an `objectSelector` that somebody added lets through what it selects.
 * @param wanted undefined when there is to be none, and `found` when there is none.
 * @returns undefined when they are the same.
 */
export function webhookChange(
  wanted: WebhookConfiguration | undefined,
  found: JsonObject | undefined,
): WebhookChange | undefined {
  if (wanted === undefined) return found === undefined ? undefined : 'Unwanted';
  if (found === undefined) return 'Missing';
  return isDeepStrictEqual(found['webhooks'], completed(wanted)) ? undefined : 'Changed';
}

/** The object to write: labels and annotations of others stay. */
export function withWebhooks(wanted: WebhookConfiguration, found: JsonObject | undefined): JsonObject {
  const { apiVersion, kind } = wanted;
  const metadata = isJsonObject(found?.['metadata']) ? found['metadata'] : {};
  const labels = isJsonObject(metadata['labels']) ? metadata['labels'] : {};
  return {
    ...{ apiVersion, kind },
    metadata: { ...metadata, name: wanted.metadata.name, labels: { ...labels, ...wanted.metadata.labels } },
    webhooks: completed(wanted),
  };
}

/** With the defaults of `admissionregistration.k8s.io/v1` written out, as the API server answers them. */
const completed = ({ webhooks }: WebhookConfiguration): JsonObject[] =>
  webhooks.map((webhook) => ({ ...toJson(webhook), objectSelector: {} }));

const toJson = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
