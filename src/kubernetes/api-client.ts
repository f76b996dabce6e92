import type { KubeConfig } from '@kubernetes/client-node';
import { request } from 'undici';
import type { Dispatcher } from 'undici';
import { RefwardenError } from '../failures/failure.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { ApiConnection } from './api-connection.ts';
import { apiServerOf } from './kube-config.ts';
import { parseJsonObject, readWatchEvents } from './watch-events.ts';
import type { WatchEvent } from './watch-events.ts';

type Query = Readonly<Record<string, string | number>>;

export interface ApiAnswer<T> {
  readonly status: number;
  /** Present when the request was granted (2xx) only. */
  readonly content?: T;
}

export interface GetBounds {
  readonly maxBytes: number;
  /** The whole exchange, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface WatchBounds {
  /** A stream that says nothing for so long ends with an error, milliseconds. */
  readonly maxSilenceMs: number;
  readonly signal: AbortSignal;
}

/** What is written, and how the API server is to take it. */
export type ApiWrite =
  | { readonly method: 'POST' | 'PUT'; readonly object: object }
  /** A merge patch (RFC 7386). */
  | { readonly method: 'PATCH'; readonly object: object }
  | { readonly method: 'DELETE' };

/** Reads, watches and writes objects of the API server. A status that refuses is an answer, not an error. */
export class ApiClient {
  readonly #server: string;
  readonly #connection: ApiConnection;

  /** @throws RefwardenError `ConfigurationInvalid` */
  constructor(kubeConfig: KubeConfig) {
    this.#server = apiServerOf(kubeConfig);
    this.#connection = new ApiConnection(kubeConfig);
  }

  /** @throws RefwardenError `ClusterUnavailable`, `ArtifactTooLarge`. */
  get(path: string, query: Query, bounds: GetBounds): Promise<ApiAnswer<JsonObject>> {
    return this.#exchange(path, query, bounds);
  }

  /** @throws RefwardenError `ClusterUnavailable`, `ArtifactTooLarge`. */
  write(path: string, write: ApiWrite, bounds: GetBounds): Promise<ApiAnswer<JsonObject>> {
    return this.#exchange(path, {}, bounds, write);
  }

  async #exchange(
    path: string,
    query: Query,
    bounds: GetBounds,
    write?: ApiWrite,
  ): Promise<ApiAnswer<JsonObject>> {
    const signal = AbortSignal.any([bounds.signal, AbortSignal.timeout(bounds.timeoutMs)]);
    const { statusCode, body } = await this.#send(path, query, bounds.timeoutMs, signal, write);
    if (statusCode < 200 || statusCode > 299) {
      discard(body);
      return { status: statusCode };
    }
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > bounds.maxBytes) {
          throw new RefwardenError(
            'ArtifactTooLarge',
            `The API server's answer to ${path} is larger than ${bounds.maxBytes} bytes.`,
          );
        }
        chunks.push(chunk);
      }
    } catch (cause) {
      throw cause instanceof RefwardenError ? cause : this.#unreachable(cause);
    }
    const content = parseJsonObject(Buffer.concat(chunks).toString());
    if (content !== undefined) return { status: statusCode, content };
    throw new RefwardenError('ClusterUnavailable', `The API server's answer to ${path} is no JSON object.`);
  }

  /**
   * The events end when the server ends the stream.
   * @throws RefwardenError `ClusterUnavailable` when the connection fails; so do the events.
   */
  async watch(
    path: string,
    query: Query,
    bounds: WatchBounds,
  ): Promise<ApiAnswer<AsyncIterable<WatchEvent>>> {
    const { statusCode, body } = await this.#send(path, query, bounds.maxSilenceMs, bounds.signal);
    if (statusCode !== 200) {
      discard(body);
      return { status: statusCode };
    }
    return { status: statusCode, content: readWatchEvents(this.#chunks(body)) };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #send(
    path: string,
    query: Query,
    maxSilenceMs: number,
    signal: AbortSignal,
    write?: ApiWrite,
  ): Promise<Dispatcher.ResponseData> {
    const { dispatcher, headers } = await this.#connection.prepare();
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) search.set(name, String(value));
    try {
      return await request(`${this.#server}${path}?${search.toString()}`, {
        dispatcher,
        signal,
        ...requestOf(headers, write),
        headersTimeout: maxSilenceMs,
        bodyTimeout: maxSilenceMs,
      });
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  async *#chunks(body: Dispatcher.ResponseData['body']): AsyncIterable<Buffer> {
    try {
      yield* body as AsyncIterable<Buffer>;
    } catch (cause) {
      throw this.#unreachable(cause);
    }
  }

  #unreachable(cause: unknown): RefwardenError {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason = typeof code === 'string' ? ` (${code})` : '';
    return new RefwardenError(
      'ClusterUnavailable',
      `The API server at ${this.#server} cannot be reached, or stopped answering${reason}.`,
      cause,
    );
  }
}

function requestOf(
  headers: Record<string, string>,
  write: ApiWrite | undefined,
): { method?: Dispatcher.HttpMethod; headers: Record<string, string>; body?: string } {
  // The API server names who wrote an object (`managedFields`) by the user agent.
  const accepting = { ...headers, Accept: 'application/json', 'User-Agent': 'refwarden' };
  if (write === undefined) return { headers: accepting };
  if (write.method === 'DELETE') return { method: write.method, headers: accepting };
  const type = write.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return {
    method: write.method,
    headers: { ...accepting, 'Content-Type': type },
    body: JSON.stringify(write.object),
  };
}

/** Destroying a body that was not read to its end is an error to it: nobody else is to hear of that. */
function discard(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => undefined).destroy();
}
