import { RefwardenError } from '../failures/failure.ts';
import type { AddressClass } from './address-class.ts';
import { GuardedAgents } from './guarded-agents.ts';
import type { ResolveHost } from './guarded-agents.ts';
import { isRedirect } from './http-answer.ts';
import { exchange } from './http-exchange.ts';
import type { HttpAnswer } from './http-exchange.ts';
import type { LoadedSettings } from './load-registry-settings.ts';
import { defaultRegistryLimits } from './limits.ts';
import type { RegistryLimits } from './limits.ts';
import { RegistryEndpoints } from './registry-endpoints.ts';

interface FetchBounds {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * GETs of URLs that an operator wrote, on hosts that are no registries, by the rules for registries: what the settings say
 * of a host holds (authorities, proxy, being allowed by name), and without settings it may be on the private network, not on
 * this machine (threat 10).
 */
export class BoundedFetch {
  readonly #limits: RegistryLimits;
  readonly #endpoints: RegistryEndpoints;
  readonly #agents: GuardedAgents;

  constructor({ registries, limits }: LoadedSettings, resolveHost?: ResolveHost) {
    this.#limits = { ...defaultRegistryLimits, ...limits };
    this.#endpoints = new RegistryEndpoints(registries);
    this.#agents = new GuardedAgents(this.#limits, resolveHost);
  }

  /**
   * The answer, whatever its status, redirects followed: from https to https only, and never to an address that is more
   * local than that of the host that was asked.
   * @throws RefwardenError as {@link exchange} does, `RegistryRefused`, `RegistryProtocolError`; the message names host and
   *   path.
   */
  async get(from: URL, { maxBytes, signal }: FetchBounds): Promise<HttpAnswer> {
    const what = from.host + from.pathname;
    let url = from;
    for (let redirects = 0; redirects <= this.#limits.maxRedirects; redirects++) {
      const answer = await exchange(
        { url, method: 'GET', headers: {}, maxBytes, what },
        {
          dispatcher: this.#agents.for(this.#reach(url, from), this.#endpoints.connection(url, from.host)),
          maxErrorBytes: this.#limits.maxErrorBytes,
          timeoutMs: this.#limits.requestTimeoutMs,
          signal,
        },
      );
      if (!isRedirect(answer.status)) return answer;
      url = located(answer, url, what);
    }
    throw new RefwardenError(
      'RegistryProtocolError',
      `${what}: redirected more than ${this.#limits.maxRedirects} times.`,
    );
  }

  async close(): Promise<void> {
    await this.#agents.close();
  }

  #reach(url: URL, from: URL): AddressClass {
    if (this.#endpoints.isNamed(url.host)) return 'reserved';
    return url.host === from.host ? 'private' : this.#agents.seenAt(from);
  }
}

function located(answer: HttpAnswer, from: URL, what: string): URL {
  const location = answer.headers['location'];
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) {
    throw new RefwardenError('RegistryProtocolError', `${what}: redirected to nowhere.`);
  }
  const url = new URL(location, from);
  const isKept = url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:');
  if (!isKept || url.username !== '' || url.password !== '') {
    throw new RefwardenError(
      'RegistryRefused',
      `${what}: the redirect to ${JSON.stringify(url.host)} is not followed: it must be an https URL without a user.`,
    );
  }
  return url;
}
