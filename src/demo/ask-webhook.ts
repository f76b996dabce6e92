import { request } from 'node:https';
import type { Check, VerdictOutcome } from '../admission/verdict.ts';
import { RefwardenError } from '../failures/failure.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import type { PodReview } from './admission-review.ts';

const maxAnswerBytes = 1024 * 1024;

/** What the webhook answered, read as the API server would read it. */
export interface WebhookAnswer {
  readonly outcome: VerdictOutcome;
  /** Failure code of the first check that stands in the way; absent when admitted. */
  readonly code?: string;
  readonly message: string;
}

/**
 * Sends one review over TLS.
 * @param ca PEM of the authority of the webhook's certificate.
 * @returns the response of the answer.
 */
export async function sendReview(url: string, ca: string, review: PodReview): Promise<JsonObject> {
  const bytes = await post(url, ca, JSON.stringify(review));
  const answer = parseStrictJson(bytes, 'The answer of the webhook', 'InternalError');
  const response = isJsonObject(answer) ? answer['response'] : undefined;
  if (!isJsonObject(response) || response['uid'] !== review.request.uid) {
    throw new RefwardenError('InternalError', 'The webhook answered another review.');
  }
  return response;
}

export function readAnswer(response: JsonObject): WebhookAnswer {
  const status = response['status'];
  const message = isJsonObject(status) && typeof status['message'] === 'string' ? status['message'] : '';
  if (response['allowed'] === true) return { outcome: 'admitted', message };
  const checks = checksOf(response['auditAnnotations']).filter(({ outcome }) => outcome !== 'passed');
  const failed = checks.find(({ outcome }) => outcome === 'failed');
  const code = (failed ?? checks[0])?.code;
  return {
    outcome: failed === undefined ? 'inconclusive' : 'denied',
    ...(code === undefined ? {} : { code }),
    message,
  };
}

function checksOf(annotations: Json | undefined): readonly Pick<Check, 'outcome' | 'code'>[] {
  const policies = isJsonObject(annotations) ? annotations['policies'] : undefined;
  return typeof policies === 'string' ? (JSON.parse(policies) as Pick<Check, 'outcome' | 'code'>[]) : [];
}

function post(url: string, ca: string, body: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const call = request(`${url}?timeout=10s`, { method: 'POST', ca, headers }, (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxAnswerBytes) call.destroy(new Error('the answer is too large'));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode === 200) resolve(Buffer.concat(chunks));
      else
        reject(new RefwardenError('InternalError', `The webhook answered HTTP ${response.statusCode ?? 0}.`));
    });
  });
  call.on('error', reject);
  call.end(body);
  return promise;
}
