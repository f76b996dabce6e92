import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { manifest } from '../demo/registry/documents.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { accessOf, account, expectFailure, plainHttp } from './registry-access.ts';
import { startClient } from './start-client.ts';

const app = manifest('app');
const bytes = Buffer.from('payload');
const blob = { mediaType: 'a/b', digest: computeDigest(bytes), size: bytes.byteLength, annotations: {} };
const access = accessOf({ credentials: account('reader') });

/** Wants the password, then redirects. */
function redirecting(location: string): Promise<HostileServer> {
  return hostileServer((request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    } else response.writeHead(307, { location }).end();
  });
}

const fetchBlob = (host: string): Promise<Uint8Array> =>
  startClient(plainHttp(host)).fetchBlob({ registry: host, repository: 'a' }, blob, access);

describe('redirects', () => {
  it('T09 a blob may be elsewhere, and the credentials do not go along', async () => {
    const storage = await hostileServer((_, response) => response.end(bytes));
    const server = await redirecting(`${storage.url}/signed?token=x`);
    expect(Buffer.from(await fetchBlob(server.host))).toEqual(bytes);
    expect(storage.seen).toEqual([{ request: 'GET /signed?token=x', authorization: undefined }]);
  });

  it('T09 a host that is redirected to cannot ask for the credentials of the registry, nor say where tokens come from', async () => {
    const thief = await hostileServer((request, response) => {
      if (request.url?.startsWith('/token')) response.end('{"token":"x"}');
      else
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${thief.url}/token",service="s"` })
          .end();
    });
    const server = await redirecting(`${thief.url}/blob`);
    const client = startClient(plainHttp(server.host));
    const fetch = (repository: string): Promise<Uint8Array> =>
      client.fetchBlob({ registry: server.host, repository }, blob, access);
    await expectFailure(fetch('a'), 'RegistryUnauthorized', /refus|asks/);
    await expectFailure(fetch('b'), 'RegistryUnauthorized', /refus|asks/);
    expect(thief.seen.map(({ request }) => request)).toEqual(['GET /blob', 'GET /blob']);
    expect(thief.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('T09 a redirect back does not get them again', async () => {
    const server = await hostileServer((request, response) => {
      if (request.url === '/back') response.end(bytes);
      else if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else response.writeHead(302, { location: away.url }).end();
    });
    const away: HostileServer = await hostileServer((_, response) => {
      response.writeHead(302, { location: `${server.url}/back` }).end();
    });
    await fetchBlob(server.host);
    expect(server.seen.at(-1)).toEqual({ request: 'GET /back', authorization: undefined });
  });

  it('T10 none leads to a metadata address, or to another scheme', async () => {
    const cases = [
      ['http://169.254.169.254/latest/meta-data', /^169\.254\.169\.254 is not asked: its address is local/],
      ['http://[fd00:ec2::254]/', /^fd00:ec2::254 is not asked/],
      ['ftp://files.example/x', /the redirect to "files.example" is not followed/],
      ['http://user@127.0.0.1/x', /the redirect to "127.0.0.1" is not followed/],
    ] as const;
    for (const [location, message] of cases) {
      const server = await redirecting(location);
      await expectFailure(fetchBlob(server.host), 'RegistryRefused', message);
    }
  });

  it('T09 a manifest stays on the origin of its registry', async () => {
    const elsewhere = await hostileServer((_, response) => response.end(app.bytes));
    const server = await redirecting(`${elsewhere.url}/v2/a/manifests/x`);
    const client = startClient(plainHttp(server.host));
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    const message = `${server.host}/a: manifest ${app.digest}: the redirect to another host is not followed.`;
    await expectFailure(client.fetchManifest(subject, access), 'RegistryRefused', message);
    await expectFailure(
      client.resolveTag({ ...subject, tag: 't' }, access),
      'RegistryRefused',
      /not followed\.$/,
    );
    expect(elsewhere.seen).toEqual([]);
  });

  it('T11 a loop ends', async () => {
    const server = await hostileServer((request, response) => {
      response.writeHead(301, { location: `${request.url ?? ''}x` }).end();
    });
    const client = startClient(plainHttp(server.host));
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    await expectFailure(
      client.fetchManifest(subject, accessOf()),
      'RegistryProtocolError',
      /: redirected more than 4 times\.$/,
    );
    expect(server.seen).toHaveLength(5);
  });
});
