import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';

/** How a registry asks who is there. `bearer` without an account gives tokens to everyone. */
export type AuthOptions =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      readonly account?: { readonly username: string; readonly password: string };
      readonly tokenLifetimeSeconds?: number;
    };

/** What the paths of one repository need; undefined repository for `/v2/`. */
export interface AccessNeed {
  readonly repository: string | undefined;
  readonly action: 'pull' | 'push' | 'delete';
}

interface IssuedToken {
  readonly scopes: ReadonlySet<string>;
  readonly expiresAtMs: number;
}

export const tokenPath = '/token';
const defaultTokenLifetimeSeconds = 300;
const maxIssuedTokens = 10_000;
const maxScopesPerToken = 64;

/** Basic or token authentication (distribution-spec leaves it open; this follows Docker's token specification). */
export class RegistryAuth {
  readonly #options: AuthOptions;
  readonly #issued = new Map<string, IssuedToken>();

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** Undefined when the request may pass, else the challenge. */
  refuse(request: IncomingMessage, need: AccessNeed): Answer | undefined {
    if (this.#options.kind === 'basic') {
      if (hasBasic(request, this.#options)) return undefined;
      return unauthorized('Basic realm="embedded registry"');
    }
    const scopes = this.#scopesOf(request);
    const scope = need.repository === undefined ? undefined : `repository:${need.repository}:${need.action}`;
    if (scopes !== undefined && (scope === undefined || scopes.has(scope))) return undefined;
    const host = request.headers.host ?? '';
    const asked =
      need.repository === undefined ? '' : `,scope="repository:${need.repository}:${scopeActions(need)}"`;
    return unauthorized(`Bearer realm="http://${host}${tokenPath}",service="${host}"${asked}`);
  }

  /** `GET /token?service=&scope=`: undefined where this registry gives no tokens. */
  issueToken(request: IncomingMessage, query: URLSearchParams): Answer | undefined {
    if (this.#options.kind !== 'bearer') return undefined;
    const { account, tokenLifetimeSeconds = defaultTokenLifetimeSeconds } = this.#options;
    if (account !== undefined && !hasBasic(request, account))
      return unauthorized('Basic realm="embedded registry"');
    const scopes = query
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .slice(0, maxScopesPerToken);
    const token = randomBytes(24).toString('base64url');
    const oldest = this.#issued.keys().next().value;
    if (this.#issued.size >= maxIssuedTokens && oldest !== undefined) this.#issued.delete(oldest);
    this.#issued.set(token, {
      scopes: new Set(scopes.flatMap(splitActions)),
      expiresAtMs: Date.now() + tokenLifetimeSeconds * 1000,
    });
    return jsonAnswer({
      token,
      access_token: token,
      expires_in: tokenLifetimeSeconds,
      issued_at: new Date().toISOString(),
    });
  }

  #scopesOf(request: IncomingMessage): ReadonlySet<string> | undefined {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const issued = token === undefined ? undefined : this.#issued.get(token);
    return issued !== undefined && issued.expiresAtMs > Date.now() ? issued.scopes : undefined;
  }
}

/** A pusher reads as well: clients look before they write. */
function scopeActions({ action }: AccessNeed): string {
  return action === 'pull' ? 'pull' : `pull,${action}`;
}

/** `repository:a/b:pull,push` -> one entry for each action. */
function splitActions(scope: string): string[] {
  const colon = scope.lastIndexOf(':');
  const resource = scope.slice(0, Math.max(colon, 0));
  return scope
    .slice(colon + 1)
    .split(',')
    .map((action) => `${resource}:${action}`);
}

function hasBasic(
  request: IncomingMessage,
  account: { readonly username: string; readonly password: string },
): boolean {
  const given = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const wanted = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

function unauthorized(challenge: string): Answer {
  return errorAnswer(401, 'UNAUTHORIZED', 'Authentication is required.', { 'www-authenticate': challenge });
}
