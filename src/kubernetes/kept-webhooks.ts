import { isDeepStrictEqual } from 'node:util';
import type { WebhookConfiguration } from '../admission/webhook-configurations.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import { labelsOf, textsOf } from './kube-object.ts';

export type WebhookKind = WebhookConfiguration['kind'];

/** How a webhook configuration differs from what is wanted. */
export type WebhookChange = 'Missing' | 'Changed' | 'Unwanted';

/** An object of the cluster: what it owns, the garbage collector deletes with it. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface WantedWebhooks {
  readonly configuration: WebhookConfiguration;
  readonly owner: Owner | undefined;
}

/** A configuration that was written, and what the API server made of it. */
export interface Answered {
  readonly wanted: WebhookConfiguration;
  readonly webhooks: Json | undefined;
}

/**
 * What the API server fills in is compared too: an `objectSelector` that somebody added lets through what it selects.
 * @param wanted undefined when there is to be none, and `found` when there is none.
 * @param answered what its own admission makes of the same: writing it once more would not change it.
 * @returns undefined when they are the same.
 */
export function webhookChange(
  wanted: WantedWebhooks | undefined,
  found: JsonObject | undefined,
  answered?: Answered,
): WebhookChange | undefined {
  if (wanted === undefined) return found === undefined ? undefined : 'Unwanted';
  if (found === undefined) return 'Missing';
  const { configuration, owner } = wanted;
  const { labels, annotations } = configuration.metadata;
  const webhooks =
    answered !== undefined && isDeepStrictEqual(answered.wanted, configuration)
      ? answered.webhooks
      : completed(configuration);
  const isSame =
    isDeepStrictEqual(found['webhooks'], webhooks) &&
    includes(labelsOf(found), labels) &&
    includes(textsOf(found['metadata'], 'annotations'), annotations) &&
    (owner === undefined || ownersOf(found).some((one) => isDeepStrictEqual(one, owner)));
  return isSame ? undefined : 'Changed';
}

/** The object to write: labels, annotations and owners of others stay. */
export function withWebhooks(
  { configuration, owner }: WantedWebhooks,
  found: JsonObject | undefined,
): JsonObject {
  const { apiVersion, kind, metadata } = configuration;
  const foundMetadata = isJsonObject(found?.['metadata']) ? found['metadata'] : {};
  const isOther = (one: Json): boolean =>
    !isJsonObject(one) || one['kind'] !== owner?.kind || one['name'] !== owner?.name;
  return {
    apiVersion,
    kind,
    metadata: {
      ...foundMetadata,
      name: metadata.name,
      labels: { ...textsOf(foundMetadata, 'labels'), ...metadata.labels },
      annotations: { ...textsOf(foundMetadata, 'annotations'), ...metadata.annotations },
      ...(owner === undefined ? {} : { ownerReferences: [...ownersOf(found).filter(isOther), { ...owner }] }),
    },
    webhooks: completed(configuration),
  };
}

/** Fields that the API server keeps otherwise than they were written, as `field of webhook`. */
export function alteredFields({ wanted, webhooks }: Answered): string[] {
  const kept = Array.isArray(webhooks) ? webhooks.filter(isJsonObject) : [];
  return completed(wanted).flatMap((webhook, index) => {
    const other = kept[index] ?? {};
    const fields = [...new Set([...Object.keys(webhook), ...Object.keys(other)])];
    return fields
      .filter((field) => !isDeepStrictEqual(webhook[field], other[field]))
      .map((field) => `${field} of ${wanted.webhooks[index]?.name ?? ''}`);
  });
}

/** PEM of the authorities of each webhook. */
export function caBundlesOf({ webhooks }: JsonObject): string[] {
  return (Array.isArray(webhooks) ? webhooks : []).map((webhook) =>
    Buffer.from(
      textsOf(isJsonObject(webhook) ? webhook : {}, 'clientConfig')['caBundle'] ?? '',
      'base64',
    ).toString(),
  );
}

/** Who wrote the object last, by its `managedFields`. */
export function lastWriterOf(object: JsonObject | undefined): string | undefined {
  const { metadata } = object ?? {};
  const entries = isJsonObject(metadata) ? metadata['managedFields'] : undefined;
  const written = (Array.isArray(entries) ? entries : [])
    .filter(isJsonObject)
    .map(({ manager, time }) => ({ manager, time: typeof time === 'string' ? time : '' }))
    .sort((left, right) => left.time.localeCompare(right.time));
  const manager = written.at(-1)?.manager;
  return typeof manager === 'string' ? manager : undefined;
}

/** With the defaults of `admissionregistration.k8s.io/v1` written out, as the API server answers them. */
const completed = ({ webhooks }: WebhookConfiguration): JsonObject[] =>
  webhooks.map((webhook) => ({ ...toJson(webhook), objectSelector: {} }));

const toJson = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

const includes = (texts: Readonly<Record<string, string>>, some: Readonly<Record<string, string>>): boolean =>
  Object.entries(some).every(([key, value]) => texts[key] === value);

function ownersOf(object: JsonObject | undefined): readonly Json[] {
  const { metadata } = object ?? {};
  const owners = isJsonObject(metadata) ? metadata['ownerReferences'] : undefined;
  return Array.isArray(owners) ? owners : [];
}
