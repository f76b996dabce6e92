import { MeteredCache } from '../admission/metered-cache.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Account, Clock } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import type { HttpRequest } from '../network/http-exchange.ts';
import type { RegistryLimits } from './limits.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import { oddAnswer, refusalOf } from './registry-refusal.ts';
import { SingleFlight } from './single-flight.ts';
import type { Wire, Work } from './wire.ts';
import type { Challenge } from './www-authenticate.ts';

/** Lifetime of a token that names none (distribution token specification), and the longest believed, seconds. */
const defaultTokenSeconds = 60;
const maxTokenSeconds = 3_600;
/** A token is not used when it has less than this left, milliseconds. */
const tokenMarginMs = 10_000;
const maxTokenLength = 16 * 1024;
const maxServiceLength = 512;
/** What a token service is told that asks (OAuth 2); it means nothing to it. */
const clientId = 'refwarden';

interface Token {
  readonly authorization: string;
  readonly usableUntilMs: number;
}

/**
 * Authorization headers for a registry: what its challenges ask for, and bearer tokens until they expire. A token
 * asks for `repository:<name>:pull` and nothing else; it is shared by equal registry, realm, service, scope and
 * credentials only.
 */
export class TokenSource {
  readonly #challenges: MeteredCache<Challenge>;
  readonly #tokens: MeteredCache<Token>;
  readonly #flights: SingleFlight<Token>;
  readonly #wire: Wire;
  readonly #endpoints: RegistryEndpoints;
  readonly #limits: RegistryLimits;
  readonly #clock: Clock;

  constructor(wire: Wire, endpoints: RegistryEndpoints, limits: RegistryLimits, clock: Clock) {
    this.#challenges = new MeteredCache('challenges', { maxEntries: limits.maxRemembered });
    this.#tokens = new MeteredCache('tokens', { maxEntries: limits.maxRemembered });
    this.#flights = new SingleFlight(limits.maxSharedOperations, limits.operationTimeoutMs);
    this.#wire = wire;
    this.#endpoints = endpoints;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** What its caches did. */
  caches(): readonly CacheCounts[] {
    return [this.#challenges.counts(), this.#tokens.counts()];
  }

  /** By what the registry asked for last; undefined as long as it has asked for nothing. */
  async authorization(target: Repository, work: Work): Promise<string | undefined> {
    const challenge = this.#challenges.read(target.registry);
    return challenge === undefined ? undefined : await this.#meet(challenge, target, work);
  }

  /**
   * What to send after a 401, or undefined when there is nothing to try.
   * @param refused the header that the registry refused: a token that it was made from is forgotten.
   */
  async reauthorize(
    target: Repository,
    challenges: readonly Challenge[],
    refused: string | undefined,
    work: Work,
  ): Promise<string | undefined> {
    const challenge =
      challenges.find(({ scheme }) => scheme === 'bearer') ??
      challenges.find(({ scheme }) => scheme === 'basic');
    if (challenge === undefined) return undefined;
    this.#challenges.set(target.registry, challenge);
    if (challenge.scheme === 'bearer') {
      const key = tokenKey(challenge, target, work);
      if (refused !== undefined && this.#tokens.peek(key)?.authorization === refused)
        this.#tokens.delete(key);
    }
    const authorization = await this.#meet(challenge, target, work);
    return authorization === refused ? undefined : authorization;
  }

  async #meet(challenge: Challenge, target: Repository, work: Work): Promise<string | undefined> {
    if (challenge.scheme === 'basic') return await this.#basic(target, work);
    const key = tokenKey(challenge, target, work);
    const known = this.#tokens.read(key, ({ usableUntilMs }) => this.#clock.nowMs() < usableUntilMs);
    if (known !== undefined) return known.authorization;
    const token = await this.#flights.run(key, work, async (shared) => {
      const setQueued = (isQueued: boolean): void => {
        for (const { setQueued: tell } of [shared, work]) tell(isQueued);
      };
      const fetched = await this.#fetch(challenge, target, { ...work, ...shared, setQueued });
      this.#tokens.set(key, fetched);
      return fetched;
    });
    return token.authorization;
  }

  async #basic({ registry, repository }: Repository, work: Work): Promise<string | undefined> {
    const account = await work.credentials.account(registry, repository, work);
    if (account === undefined) return undefined;
    if ('identityToken' in account) {
      throw new RefwardenError(
        'RegistryUnauthorized',
        `${registry} asks for user and password, and its credentials are an identity token; log in with a password.`,
      );
    }
    return basicHeader(account.username, account.password);
  }

  async #fetch(challenge: Challenge, target: Repository, work: Work): Promise<Token> {
    const url = this.#realm(challenge, target);
    const what = `the token of ${target.registry}/${target.repository} from ${url.host}`;
    const account = await work.credentials.account(target.registry, target.repository, work);
    const askedAtMs = this.#clock.nowMs();
    const parameters = {
      service: challenge.parameters.get('service'),
      scope: `repository:${target.repository}:pull`,
    };
    const request = { ...tokenRequest(url, parameters, account), maxBytes: this.#limits.maxTokenBytes, what };
    // Redirects of a token service are not followed: the credentials would go along.
    const answer = await this.#wire.send(request, target.registry, work);
    if (answer.status !== 200) throw refusalOf(answer, target, what, work) ?? oddAnswer(answer, what);
    const json = parseStrictJson(answer.body, what, 'RegistryProtocolError');
    const token = isJsonObject(json) ? (json['token'] ?? json['access_token']) : undefined;
    if (typeof token !== 'string' || token.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(token)) {
      throw new RefwardenError('RegistryProtocolError', `${what}: the answer holds no token.`);
    }
    const stated = isJsonObject(json) ? json['expires_in'] : undefined;
    const seconds =
      typeof stated === 'number' && stated > 0 ? Math.min(stated, maxTokenSeconds) : defaultTokenSeconds;
    return { authorization: `Bearer ${token}`, usableUntilMs: askedAtMs + seconds * 1000 - tokenMarginMs };
  }

  /** @throws RefwardenError `RegistryRefused` for a realm that must not see credentials. */
  #realm({ parameters }: Challenge, { registry }: Repository): URL {
    const realm = parameters.get('realm') ?? '';
    const service = parameters.get('service');
    if (!URL.canParse(realm) || (service?.length ?? 0) > maxServiceLength) {
      throw new RefwardenError('RegistryProtocolError', `${registry} names a token service that is no URL.`);
    }
    const url = new URL(realm);
    const isSchemeAllowed =
      url.protocol === 'https:' || (url.protocol === 'http:' && this.#endpoints.isPlainHttp(registry));
    if (!isSchemeAllowed || url.username !== '' || url.password !== '') {
      throw new RefwardenError(
        'RegistryRefused',
        `${registry} names the token service ${JSON.stringify(url.host)}, which is not asked: it must be an https URL without a user.`,
      );
    }
    return url;
  }
}

/**
 * A token is asked for by GET with Basic access (distribution's token specification), or with an identity token by POST
 * as OAuth 2 refreshes one (distribution's `oauth2` specification).
 */
function tokenRequest(
  realm: URL,
  { service, scope }: { readonly service: string | undefined; readonly scope: string },
  account: Account | undefined,
): Pick<HttpRequest, 'url' | 'method' | 'headers' | 'body'> {
  const accept = 'application/json';
  const asked = { ...(service === undefined ? {} : { service }), scope };
  if (account !== undefined && 'identityToken' in account) {
    const grant = { grant_type: 'refresh_token', client_id: clientId, refresh_token: account.identityToken };
    const headers = { accept, 'content-type': 'application/x-www-form-urlencoded' };
    return {
      url: realm,
      method: 'POST',
      headers,
      body: new URLSearchParams({ ...grant, ...asked }).toString(),
    };
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const authorization =
    account === undefined ? {} : { authorization: basicHeader(account.username, account.password) };
  return { url, method: 'GET', headers: { accept, ...authorization } };
}

function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Realm and scope are part of it: a token for one repository or service is no use, or harm, at another. */
function tokenKey(
  { parameters }: Challenge,
  { registry, repository }: Repository,
  { credentials }: Work,
): string {
  return JSON.stringify([
    registry,
    repository,
    parameters.get('realm'),
    parameters.get('service'),
    credentials.scope(registry, repository),
  ]);
}
