import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Claims = Readonly<Record<string, string | boolean>>;

export interface OidcIssuer {
  /** The issuer's address, which is also the `iss` of its tokens. */
  readonly url: string;
  /** A token that is good for ten minutes. */
  readonly token: (claims: Claims) => string;
  readonly stop: () => Promise<void>;
}

const KEY_ID = 'only';
const TOKEN_LIFETIME_SECONDS = 600;

/** An OpenID Connect issuer on loopback that signs whatever claims it is asked for, audience `sigstore`. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = createServer((request, response) => {
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const documents: Readonly<Record<string, object>> = {
    '/.well-known/openid-configuration': {
      issuer: url,
      jwks_uri: `${url}/keys`,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
    '/keys': { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }] },
  };
  return {
    url,
    token: (claims) => {
      const now = Math.floor(Date.now() / 1000);
      const lifetime = { iat: now, nbf: now, exp: now + TOKEN_LIFETIME_SECONDS };
      const signed = [
        { alg: 'RS256', typ: 'JWT', kid: KEY_ID },
        { iss: url, aud: 'sigstore', ...lifetime, ...claims },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
