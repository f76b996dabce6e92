import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../src/admission/ports.ts';
import type { AuthOptions } from '../../src/demo/registry/auth.ts';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { manifest } from '../demo/registry/documents.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { TestClock, accessOf, account, expectFailure, plainHttp } from './registry-access.ts';
import { startClient } from './start-client.ts';

const app = manifest('app');
const other = manifest('other');
const reader = { username: 'reader', password: 'sesame' };

async function guarded(auth: AuthOptions): Promise<{ registry: EmbeddedRegistry; paths: () => string[] }> {
  const registry = await startRegistry({ mechanisms: { references: false, referrers: true }, auth });
  onTestFinished(() => registry.close());
  for (const { bytes, mediaType } of [app, other]) registry.store.putManifest('shop/app', bytes, mediaType);
  registry.store.putManifest('shop/other', app.bytes, app.mediaType);
  return {
    registry,
    paths: () => registry.requests.map(({ path, status }) => `${status} ${decodeURIComponent(path)}`),
  };
}

/** Challenges every request, with whatever header the test gives. */
function challenging(header: (server: string) => string | string[]): Promise<HostileServer> {
  return hostileServer((request, response) => {
    const host = request.headers.host ?? '';
    if (request.url?.startsWith('/token') === true) response.end('{"token":"t"}');
    else response.writeHead(401, { 'www-authenticate': header(host) }).end('{"secret":"body"}');
  });
}

const fetchApp = (
  host: string,
  client = startClient(plainHttp(host)),
  access = accessOf(),
): Promise<unknown> =>
  client.fetchManifest({ registry: host, repository: 'shop/app', digest: app.digest }, access);

describe('authentication', () => {
  it('gets an anonymous token for exactly this repository, and uses it until shortly before it expires', async () => {
    const { registry, paths } = await guarded({ kind: 'bearer', tokenLifetimeSeconds: 60 });
    const clock = new TestClock();
    const client = startClient({ ...plainHttp(registry.host), clock });
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    const access = accessOf();
    await client.fetchManifest(subject, access);
    const token = `200 /token?service=${registry.host}&scope=repository:shop/app:pull`;
    expect(paths()).toEqual([
      `401 /v2/shop/app/manifests/${app.digest}`,
      token,
      `200 /v2/shop/app/manifests/${app.digest}`,
    ]);
    expect([access.trace.total, access.trace.sequential]).toEqual([3, 3]);

    registry.clearRequests();
    await client.fetchManifest({ ...subject, digest: other.digest }, accessOf());
    expect(paths()).toEqual([`200 /v2/shop/app/manifests/${other.digest}`]);

    // Another repository needs a token of its own; what the registry asks for is known by now.
    registry.clearRequests();
    await client.fetchManifest({ ...subject, repository: 'shop/other' }, accessOf());
    expect(paths()).toEqual([token.replace('app', 'other'), `200 /v2/shop/other/manifests/${app.digest}`]);

    registry.clearRequests();
    clock.advance(51_000);
    await client.fetchTagged({ ...subject, tag: 'none' }, accessOf());
    expect(paths()[0]).toBe(token);
  });

  it('shares one token among requests that need it at once', async () => {
    const { registry, paths } = await guarded({ kind: 'bearer' });
    const client = startClient(plainHttp(registry.host));
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    await Promise.all(
      [app, other].map(({ digest }) => client.fetchManifest({ ...subject, digest }, accessOf())),
    );
    expect(paths().filter((path) => path.includes('/token'))).toHaveLength(1);
  });

  it('T27 shares no token among credentials', async () => {
    const { registry, paths } = await guarded({ kind: 'bearer', account: reader });
    const client = startClient(plainHttp(registry.host));
    await fetchApp(registry.host, client, accessOf({ credentials: account('reader') }));
    await expectFailure(
      fetchApp(registry.host, client),
      'RegistryUnauthorized',
      `${registry.host} refused access to the token of ${registry.host}/shop/app from ${registry.host} (401), asked without credentials.`,
    );
    expect(paths().filter((path) => path.startsWith('401 /token'))).toHaveLength(1);
  });

  it('drops a token that the registry no longer takes, once', async () => {
    const { registry } = await guarded({ kind: 'bearer' });
    const client = startClient(plainHttp(registry.host));
    await fetchApp(registry.host, client);
    let refusals = 0;
    registry.clearRequests();
    registry.intercept((request, response) => {
      if (request.url?.startsWith('/token') === true || ++refusals > 1) return false;
      const challenge = `Bearer realm="${registry.url}/token",service="${registry.host}"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    });
    const subject = { registry: registry.host, repository: 'shop/app', digest: other.digest };
    await client.fetchManifest(subject, accessOf());
    expect(registry.requests.map(({ status }) => status)).toEqual([401, 200, 200]);
  });

  it('answers a basic challenge on the registry itself, and remembers it', async () => {
    const { registry, paths } = await guarded({ kind: 'basic', ...reader });
    const client = startClient(plainHttp(registry.host));
    const access = accessOf({ credentials: account('reader') });
    await fetchApp(registry.host, client, access);
    await client.fetchManifest(
      { registry: registry.host, repository: 'shop/app', digest: other.digest },
      access,
    );
    expect(paths().map((path) => path.slice(0, 3))).toEqual(['401', '200', '200']);
  });

  it('T31 says host, repository and whether credentials were sent, and nothing of body or password', async () => {
    const { registry } = await guarded({ kind: 'basic', ...reader });
    const wrong = accessOf({ credentials: account('wrong', 'reader', 'hunter2') });
    const what = `${registry.host} refused access to ${registry.host}/shop/app: manifest ${app.digest} (401)`;
    await expectFailure(
      fetchApp(registry.host, startClient(plainHttp(registry.host)), wrong),
      'RegistryUnauthorized',
      `${what}, asked with the credentials given.`,
    );
    await expectFailure(
      fetchApp(registry.host),
      'RegistryUnauthorized',
      `${what}, asked without credentials.`,
    );
  });

  it('T09 a challenge that is missing or odd stays a refusal', async () => {
    for (const header of [
      '',
      'Bearer',
      'Digest realm="x"',
      '"',
      ',,,',
      `Bearer realm="${'x'.repeat(9000)}"`,
    ]) {
      const server = await challenging(() => header);
      const code = header === 'Bearer' ? 'RegistryProtocolError' : 'RegistryUnauthorized';
      await expectFailure(fetchApp(server.host), code, header === 'Bearer' ? /is no URL/ : /\(401\)/);
    }
  });

  it('T10 asks no token service at a metadata address, with a user, or of another scheme', async () => {
    const access = accessOf({ credentials: account('reader') });
    const cases = [
      ['http://169.254.169.254/token', /^169\.254\.169\.254 is not asked: its address is local/],
      ['http://[::ffff:169.254.169.254]/token', /^::ffff:a9fe:a9fe is not asked/],
      ['http://user:pw@127.0.0.1/token', /names the token service "127.0.0.1", which is not asked/],
      ['file:///etc/passwd', /names the token service "", which is not asked: it must be an https URL/],
    ] as const;
    for (const [realm, message] of cases) {
      const server = await challenging(() => `Bearer realm="${realm}",service="x"`);
      await expectFailure(fetchApp(server.host, undefined, access), 'RegistryRefused', message);
      expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    }
  });

  it('T09 follows no redirect of a token service, and takes no token with a line break', async () => {
    const thief = await hostileServer((_, response) => response.end('{"token":"t"}'));
    const bodies = ['{"token":"a\\r\\nX: y"}', '{"token":7}', '{}', '[]', '{', ' '.repeat(70_000)];
    for (const body of [undefined, ...bodies]) {
      const server = await hostileServer((request, response) => {
        const host = request.headers.host ?? '';
        if (request.url?.startsWith('/token') !== true) {
          response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
        } else if (body === undefined) response.writeHead(307, { location: thief.url }).end();
        else response.end(body);
      });
      const code = body?.length === 70_000 ? 'ArtifactTooLarge' : 'RegistryProtocolError';
      const access = accessOf({ credentials: account('reader') });
      await expectFailure(fetchApp(server.host, undefined, access), code, /^the token of .*shop\/app from/);
    }
    expect(thief.seen).toEqual([]);
  });

  it('T09 an identity token is exchanged at the token service, and the registry never sees it', async () => {
    const refresh: Credentials = {
      scope: () => 'refresh',
      account: () => Promise.resolve({ identityToken: 'refresh&secret' }),
    };
    const service = await hostileServer((_, response) =>
      response.end('{"access_token":"t","expires_in":300}'),
    );
    const server = await hostileServer((request, response) => {
      if (request.headers.authorization === 'Bearer t') {
        response.writeHead(200, { 'content-type': app.mediaType }).end(app.bytes);
        return;
      }
      const challenge = `Bearer realm="${service.url}/oauth2/token",service="acr"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const client = startClient({
      registries: [
        { host: server.host, plainHttp: true },
        { host: service.host, plainHttp: true },
      ],
    });
    await fetchApp(server.host, client, accessOf({ credentials: refresh }));
    expect(service.seen).toEqual([{ request: 'POST /oauth2/token', authorization: undefined }]);
    expect(service.received()).toContain('application/x-www-form-urlencoded');
    const body = new URLSearchParams(service.received().split('\n').at(-1));
    expect(Object.fromEntries(body)).toEqual({
      grant_type: 'refresh_token',
      client_id: 'refwarden',
      refresh_token: 'refresh&secret',
      service: 'acr',
      scope: 'repository:shop/app:pull',
    });
    expect(server.seen.map(({ authorization }) => authorization)).toEqual([undefined, 'Bearer t']);
    expect(server.received()).not.toMatch(/refresh/);
  });

  it('an identity token is no answer to a registry that asks for a password', async () => {
    const refresh: Credentials = {
      scope: () => 'refresh',
      account: () => Promise.resolve({ identityToken: 'refresh' }),
    };
    const server = await challenging(() => 'Basic realm="x"');
    await expectFailure(
      fetchApp(server.host, undefined, accessOf({ credentials: refresh })),
      'RegistryUnauthorized',
      `${server.host} asks for user and password, and its credentials are an identity token; log in with a password.`,
    );
    expect(server.received()).not.toMatch(/refresh/);
  });

  it('T09 T31 a token service that redirects, fails or answers too much is given up on, and the token is not shown', async () => {
    const thief = await hostileServer((_, response) => response.end('{"token":"t"}'));
    const refresh: Credentials = {
      scope: () => 'refresh',
      account: () => Promise.resolve({ identityToken: 'refresh-secret' }),
    };
    const cases = [
      [(response) => response.writeHead(308, { location: thief.url }).end(), 'RegistryProtocolError'],
      [(response) => response.writeHead(400).end('{"error":"refresh-secret"}'), 'RegistryProtocolError'],
      [(response) => response.writeHead(401).end('refresh-secret'), 'RegistryUnauthorized'],
      [(response) => response.end(' '.repeat(70_000)), 'ArtifactTooLarge'],
    ] satisfies [(response: ServerResponse) => unknown, FailureCode][];
    for (const [answer, code] of cases) {
      const server = await hostileServer((request, response) => {
        if (request.url === '/token') answer(response);
        else {
          const challenge = `Bearer realm="http://${request.headers.host ?? ''}/token"`;
          response.writeHead(401, { 'www-authenticate': challenge }).end();
        }
      });
      const message = /^(?!.*secret).*the token of .*shop\/app from/;
      await expectFailure(
        fetchApp(server.host, undefined, accessOf({ credentials: refresh })),
        code,
        message,
      );
    }
    expect(thief.seen).toEqual([]);
  });
});
