import { RefwardenError } from '../../failures/failure.ts';
import { GuardedAgents } from '../../network/guarded-agents.ts';
import { exchange } from '../../network/http-exchange.ts';
import type { HttpRequest } from '../../network/http-exchange.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { JsonObject } from '../../oci/strict-json.ts';

/** One exchange, milliseconds: identity services answer in tens of them. */
const timeoutMs = 5000;
const maxAnswerBytes = 64 * 1024;
const maxErrorBytes = 1024;

/**
 * Asks identity services of a cloud: addresses that the operator's environment or settings name, metadata services at
 * link-local addresses among them. Redirects are not followed, for secrets would go along.
 */
export class CloudHttp {
  readonly #agents = new GuardedAgents({
    connectTimeoutMs: 2000,
    requestTimeoutMs: timeoutMs,
    maxConcurrentPerHost: 4,
    maxHeaderBytes: 32 * 1024,
    maxRemembered: 100,
  });

  /**
   * @param what names what is asked for; holds no secret.
   * @throws RefwardenError `RegistryUnauthorized` when there is no 2xx answer, with nothing of its body.
   */
  async text(
    request: Pick<HttpRequest, 'url' | 'method' | 'headers' | 'body' | 'what'>,
  ): Promise<Uint8Array> {
    const bounds = { maxErrorBytes, timeoutMs, signal: new AbortController().signal };
    const { status, body } = await exchange(
      { ...request, maxBytes: maxAnswerBytes },
      { ...bounds, dispatcher: this.#agents.for('reserved') },
    ).catch((cause: unknown) => {
      throw new RefwardenError('RegistryUnauthorized', `${request.what}: there is no answer.`, cause);
    });
    if (status >= 200 && status < 300) return body;
    throw new RefwardenError('RegistryUnauthorized', `${request.what}: the answer is ${status}.`);
  }

  /** The same for an answer that is a JSON object. */
  async json(request: Parameters<CloudHttp['text']>[0]): Promise<JsonObject> {
    const body = await this.text(request);
    try {
      const json = parseStrictJson(body, request.what, 'RegistryUnauthorized');
      if (isJsonObject(json)) return json;
    } catch {
      // It may hold a secret: nothing is said of it.
    }
    throw new RefwardenError('RegistryUnauthorized', `${request.what}: the answer is no JSON object.`);
  }

  async close(): Promise<void> {
    await this.#agents.close();
  }
}

/** @throws RefwardenError `RegistryUnauthorized` */
export function textIn(answer: JsonObject, field: string, what: string): string {
  const value = answer[field];
  if (typeof value === 'string' && value !== '') return value;
  throw new RefwardenError('RegistryUnauthorized', `${what}: the answer has no ${field}.`);
}
