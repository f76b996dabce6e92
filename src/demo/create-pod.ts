import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import { buildReview } from './admission-review.ts';
import { readAnswer, sendReview } from './ask-webhook.ts';
import type { WebhookAnswer } from './ask-webhook.ts';

/** URLs of the two webhooks. */
export interface WebhookUrls {
  readonly mutate: string;
  readonly validate: string;
}

/**
 * What `kubectl run app --image=<image>` has the API server ask: first what to change, then whether to admit the changed Pod.
 * @param ca PEM of the authority of the webhook's certificate.
 */
export async function createPod(urls: WebhookUrls, ca: string, image: string): Promise<WebhookAnswer> {
  const pinned = imageAfter(await sendReview(urls.mutate, ca, buildReview(image))) ?? image;
  return readAnswer(await sendReview(urls.validate, ca, buildReview(pinned)));
}

function imageAfter({ patch }: JsonObject): string | undefined {
  if (typeof patch !== 'string') return undefined;
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Json[];
  const image = operations
    .filter(isJsonObject)
    .find(({ op, path }) => op === 'replace' && path === '/spec/containers/0/image')?.['value'];
  return typeof image === 'string' ? image : undefined;
}
