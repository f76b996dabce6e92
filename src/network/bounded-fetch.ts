import { RefwardenError } from '../failures/failure.ts';
import type { AddressClass } from './address-class.ts';
import { direct } from './connection.ts';
import type { Connection } from './connection.ts';
import { GuardedAgents } from './guarded-agents.ts';
import type { AgentLimits } from './guarded-agents.ts';
import type { ResolveHost } from './host-lookups.ts';
import { isRedirect } from './http-answer.ts';
import { exchange } from './http-exchange.ts';
import type { HttpAnswer } from './http-exchange.ts';

/** How much of an error answer is read, bytes; nothing of it is used. */
const maxErrorBytes = 1024;
const maxRedirects = 3;
const defaultLimits: AgentLimits = {
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 30_000,
  maxConcurrentPerHost: 4,
  maxHeaderBytes: 32 * 1024,
  maxRemembered: 1_000,
};

/** What the operator says of hosts. */
export interface HostRules {
  /** Whether the host (with its port) is allowed by name, whatever its address; others are asked at public ones only. */
  isNamed(host: string): boolean;
  /** How a URL is connected to. */
  connection(url: URL): Connection;
}

/** No host is named, and all are connected to directly. */
export const publicHosts: HostRules = { isNamed: () => false, connection: () => direct };

export interface BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A larger body of a 2xx answer is refused, and not read to its end. */
  readonly maxBytes: number;
  /** All of it, redirects and waiting for a connection included, milliseconds. */
  readonly timeoutMs: number;
  /** Names what is asked for in messages; holds no query and no secret. */
  readonly what: string;
  readonly signal?: AbortSignal;
}

/**
 * Fetches documents that need no credentials, over http and https: bounded in bytes, time and connections, and at
 * public addresses unless the operator named the host (threat 10). Redirects of a GET are followed under the same rules, and
 * not from https to http. Answers are not unpacked.
 */
export class BoundedFetch {
  readonly #agents: GuardedAgents;
  readonly #hosts: HostRules;

  constructor(hosts: HostRules, limits: Partial<AgentLimits> = {}, resolveHost?: ResolveHost) {
    this.#agents = new GuardedAgents({ ...defaultLimits, ...limits }, resolveHost);
    this.#hosts = hosts;
  }

  /**
   * The last answer, whatever its status.
   * @throws RefwardenError as {@link exchange} does, in the codes of registries: callers name them in their own terms.
   */
  async fetch(url: string, request: BoundedRequest): Promise<HttpAnswer> {
    const { timeoutMs, signal = new AbortController().signal, headers = {}, ...sent } = request;
    const endMs = performance.now() + timeoutMs;
    let target = parseUrl(url, request.what);
    for (let redirects = 0; ; redirects++) {
      const answer = await exchange(
        { ...sent, url: target, headers },
        {
          dispatcher: this.#agents.for(this.#reach(target), this.#hosts.connection(target)),
          maxErrorBytes,
          timeoutMs: Math.max(1, endMs - performance.now()),
          signal,
        },
      );
      const { location } = answer.headers;
      if (!isRedirect(answer.status) || request.method !== 'GET' || typeof location !== 'string')
        return answer;
      if (redirects === maxRedirects) {
        throw new RefwardenError('RegistryRefused', `${request.what}: more than ${maxRedirects} redirects.`);
      }
      target = redirected(location, target, request.what);
    }
  }

  async close(): Promise<void> {
    await this.#agents.close();
  }

  #reach({ host }: URL): AddressClass {
    return this.#hosts.isNamed(host) ? 'reserved' : 'public';
  }
}

function parseUrl(text: string, what: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isHttp || url.username !== '' || url.password !== '') {
    throw new RefwardenError(
      'RegistryRefused',
      `${what}: only http and https URLs without a user are asked.`,
    );
  }
  return url;
}

function redirected(location: string, from: URL, what: string): URL {
  const url = parseUrl(location, what, from);
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new RefwardenError('RegistryRefused', `${what}: a redirect from https to http is not followed.`);
  }
  return url;
}
