import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import { isRedirect } from '../network/http-answer.ts';
import type { HttpAnswer } from '../network/http-exchange.ts';
import type { RegistryLimits } from './limits.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import type { TokenSource } from './token-source.ts';
import type { Wire, Work } from './wire.ts';
import { parseChallenges } from './www-authenticate.ts';

export interface RegistryCall {
  /** In the names of the host that is asked, as RegistryEndpoints locates it. */
  readonly target: Repository;
  /** On the origin of that host. */
  readonly url: URL;
  readonly method: 'GET' | 'HEAD';
  readonly accept?: string;
  readonly maxBytes: number;
  /** Names what is asked for in messages. */
  readonly what: string;
  /** Blobs may be served from elsewhere; API calls stay on the registry's origin. */
  readonly mayLeaveOrigin: boolean;
}

/** Calls a registry's API: authenticates, and follows redirects where it may. */
export class RegistryTransport {
  readonly #wire: Wire;
  readonly #tokens: TokenSource;
  readonly #endpoints: RegistryEndpoints;
  readonly #limits: RegistryLimits;

  constructor(wire: Wire, tokens: TokenSource, endpoints: RegistryEndpoints, limits: RegistryLimits) {
    this.#wire = wire;
    this.#tokens = tokens;
    this.#endpoints = endpoints;
    this.#limits = limits;
  }

  /**
   * The answer, whatever its status; a redirect that must not be followed is answered as it is.
   * @throws RefwardenError for what came to no answer.
   */
  async call(call: RegistryCall, work: Work): Promise<HttpAnswer> {
    const authorization = await this.#tokens.authorization(call.target, work);
    const { answer, isAtHome } = await this.#follow(call, authorization, work);
    // Only the registry itself may ask for its credentials: not the host that it redirected to.
    if (answer.status !== 401 || !isAtHome) return answer;
    const challenges = parseChallenges(answer.headers['www-authenticate']);
    const renewed = await this.#tokens.reauthorize(call.target, challenges, authorization, work);
    return renewed === undefined ? answer : (await this.#follow(call, renewed, work)).answer;
  }

  async #follow(
    call: RegistryCall,
    authorization: string | undefined,
    work: Work,
  ): Promise<{ readonly answer: HttpAnswer; readonly isAtHome: boolean }> {
    let url = call.url;
    let isAtHome = true;
    for (let redirects = 0; redirects <= this.#limits.maxRedirects; redirects++) {
      const headers = {
        ...(call.accept === undefined ? {} : { accept: call.accept }),
        // Once away, a redirect back does not get the credentials again.
        ...(authorization !== undefined && isAtHome ? { authorization } : {}),
      };
      const { method, maxBytes, what, target } = call;
      const answer = await this.#wire.send({ url, method, headers, maxBytes, what }, target.registry, work);
      if (!isRedirect(answer.status)) return { answer, isAtHome };
      url = this.#locate(call, url, answer);
      isAtHome &&= url.origin === call.url.origin;
      if (!isAtHome && !call.mayLeaveOrigin) return { answer, isAtHome };
    }
    throw new RefwardenError(
      'RegistryProtocolError',
      `${call.what}: redirected more than ${this.#limits.maxRedirects} times.`,
    );
  }

  #locate({ target, what }: RegistryCall, from: URL, answer: HttpAnswer): URL {
    const location = answer.headers['location'];
    if (typeof location !== 'string' || !URL.canParse(location, from.href)) {
      throw new RefwardenError('RegistryProtocolError', `${what}: redirected to nowhere.`);
    }
    const url = new URL(location, from);
    const isPlainAllowed = url.protocol === 'http:' && this.#endpoints.isPlainHttp(target.registry);
    if ((url.protocol !== 'https:' && !isPlainAllowed) || url.username !== '' || url.password !== '') {
      throw new RefwardenError(
        'RegistryRefused',
        `${what}: the redirect to ${JSON.stringify(url.host)} is not followed: it must be an https URL without a user.`,
      );
    }
    return url;
  }
}
