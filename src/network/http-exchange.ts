import type { Dispatcher } from 'undici';
import { RefwardenError } from '../failures/failure.ts';
import { joinInTurns } from '../image/bytes-in-turns.ts';
import { connectionFailure } from './connection-failure.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** A larger body of a 2xx answer is refused, and not read to its end. */
  readonly maxBytes: number;
  /** Names what is asked for in messages; holds no query and no secret. */
  readonly what: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whole for a 2xx answer; of another one, as much as the limit for errors allows. */
  readonly body: Uint8Array;
}

export interface ExchangeBounds {
  readonly dispatcher: Dispatcher;
  readonly maxErrorBytes: number;
  /** The whole exchange, body included, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One request and its answer, without retry, redirect or authentication.
 * @throws RefwardenError `DeadlineExceeded` (the caller's time, not that of the exchange), `RegistryUnavailable`,
 *   `RegistryTimeout`, `RegistryProtocolError`, `RegistryRefused`,
 *   `ArtifactTooLarge`.
 */
export async function exchange(request: HttpRequest, bounds: ExchangeBounds): Promise<HttpAnswer> {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  const timer = setTimeout(abort, bounds.timeoutMs).unref();
  bounds.signal.addEventListener('abort', abort, { once: true });
  if (bounds.signal.aborted) abort();
  try {
    const answer = await bounds.dispatcher.request({
      origin: request.url.origin,
      path: request.url.pathname + request.url.search,
      method: request.method,
      headers: { ...request.headers, 'accept-encoding': 'identity', 'user-agent': 'refwarden' },
      signal: controller.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const isSuccess = answer.statusCode >= 200 && answer.statusCode < 300;
    const body = isSuccess
      ? await readWhole(request, answer)
      : await readStart(answer.body, bounds.maxErrorBytes);
    return { status: answer.statusCode, headers: answer.headers, body };
  } catch (thrown) {
    // The time of the shared work may have gone in a queue of ours: that is no fault of the registry.
    if (bounds.signal.aborted) {
      throw new RefwardenError('DeadlineExceeded', `${request.what}: the time for asking ended.`, thrown);
    }
    throw connectionFailure(thrown, request.what, controller.signal.aborted);
  } finally {
    clearTimeout(timer);
    bounds.signal.removeEventListener('abort', abort);
  }
}

async function readWhole(request: HttpRequest, answer: Dispatcher.ResponseData): Promise<Uint8Array> {
  const { headers, body } = answer;
  const refuse = (code: 'ArtifactTooLarge' | 'RegistryProtocolError', why: string): never => {
    discard(body);
    throw new RefwardenError(code, `${request.what}: ${why}.`);
  };
  if (request.method === 'HEAD') {
    await body.dump();
    return new Uint8Array();
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    // What is not asked for is not unpacked: a few bytes could become gigabytes.
    refuse('RegistryProtocolError', 'the answer is compressed although that was not asked for');
  }
  const tooLarge = `the answer is larger than ${request.maxBytes} bytes`;
  if (Number(headers['content-length'] ?? 0) > request.maxBytes) refuse('ArtifactTooLarge', tooLarge);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > request.maxBytes) refuse('ArtifactTooLarge', tooLarge);
    chunks.push(chunk);
  }
  return joinInTurns(chunks);
}

async function readStart(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.byteLength;
    if (size >= maxBytes) {
      discard(body);
      break;
    }
  }
  return Buffer.concat(chunks);
}

function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined); // destroying an unread body reports an abort
  body.destroy();
}
