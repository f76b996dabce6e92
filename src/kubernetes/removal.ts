import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { serviceCollection } from './collection.ts';
import { textsOf } from './kube-object.ts';
import { NamedObject } from './named-object.ts';

/** On the Service that leads to the webhook: the webhook configurations were removed, and nobody puts them back. */
export const webhooksAnnotation = 'refwarden.dev/webhooks';
export const webhooksRemoved = 'Removed';

/** The Service that leads to the webhook. */
export interface WebhookService {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Why webhook configurations that are missing stay away, as the end of a sentence; undefined when they do not.
 * @param isCalled whether the API server calls the Service.
 * @throws RefwardenError `ClusterUnavailable`
 */
export async function whyRemoved(
  api: ApiClient,
  { namespace, name }: WebhookService,
  isCalled: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await new NamedObject(api, serviceCollection(namespace, name)).read(signal);
  // Whoever took away what is called took Refwarden away: nobody could be asked.
  if (found === undefined && !isCalled) return undefined;
  if (found === undefined) return `there is no Service ${name} in namespace ${namespace}`;
  return textsOf(found['metadata'], 'annotations')[webhooksAnnotation] === webhooksRemoved
    ? `Service ${name} says ${webhooksAnnotation}: ${webhooksRemoved}, until "kubectl annotate service ${name} --namespace ${namespace} ${webhooksAnnotation}-"`
    : undefined;
}

/** Whether the object is being deleted. */
export const isTerminating = ({ metadata }: JsonObject): boolean =>
  isJsonObject(metadata) && metadata['deletionTimestamp'] !== undefined;
