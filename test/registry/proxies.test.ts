import { describe, expect, it } from 'vitest';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { connectProxy } from './connect-proxy.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { accessOf, account, expectFailure } from './registry-access.ts';
import { app, blobOf, json, startClient } from './start-client.ts';
import type { RegistrySettings } from '../../src/registry/registry-settings.ts';
import type { ContentStore } from '../../src/admission/content-store.ts';

const serveApp = (): Promise<HostileServer> =>
  hostileServer((_, response) => response.writeHead(200, json).end(app.bytes));
const layer = Buffer.from('layer');
const redirectTo = (location: () => string): Promise<HostileServer> =>
  hostileServer((_, response) => response.writeHead(307, { location: location() }).end());
const start = (...registries: RegistrySettings[]): ContentStore =>
  startClient({ registries, sleep: () => Promise.resolve() });
const fetchApp = (client: ContentStore, registry: string): Promise<unknown> =>
  client.fetchManifest({ registry, repository: 'shop/app', digest: app.digest }, accessOf());

describe('a proxy', () => {
  it('connects to the host that it is configured for, by the name that it resolves itself, and no other', async () => {
    const [server, other, proxy] = [await serveApp(), await serveApp(), await connectProxy()];
    const host = `registry.example:${server.port}`;
    const client = start({ host, plainHttp: true, proxy: proxy.url }, { host: other.host, plainHttp: true });
    await fetchApp(client, host);
    await fetchApp(client, other.host);
    expect(proxy.asked).toEqual([host]);
    expect([server.seen.length, other.seen.length]).toEqual([1, 1]);
    expect(server.received()).toContain(`host\n${host}`);
  });

  it('T09 sees nothing of a request over TLS but host and port', async () => {
    const authority = await createTestAuthority();
    const server = await hostileServer(
      (request, response) => {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        } else response.writeHead(200, json).end(app.bytes);
      },
      { tls: await authority.serving() },
    );
    const proxy = await connectProxy();
    const client = start({ host: server.host, proxy: proxy.url, ca: authority.ca });
    const subject = { registry: server.host, repository: 'shop/app', digest: app.digest };
    await client.fetchManifest(subject, accessOf({ credentials: account('reader') }));
    expect(server.seen.map(({ authorization }) => authorization?.slice(0, 5))).toEqual([undefined, 'Basic']);
    expect(proxy.asked.every((authority) => authority === server.host)).toBe(true);
    expect(proxy.received()).not.toMatch(/authorization|shop/i);
  });

  it('is used for hosts without settings that the registry leads to, and not for those with settings', async () => {
    const storage = await hostileServer((_, response) => response.end(layer));
    const [server, proxy] = [await redirectTo(() => location), await connectProxy()];
    const host = `registry.example:${server.port}`;
    let location = `http://storage.example:${storage.port}/layer`;
    const settings = { host, plainHttp: true, proxy: proxy.url };
    await start(settings).fetchBlob({ registry: host, repository: 'a' }, blobOf(layer), accessOf());
    expect(proxy.asked).toEqual([host, `storage.example:${storage.port}`]);
    location = `${storage.url}/layer`;
    const client = start(settings, { host: storage.host });
    await client.fetchBlob({ registry: host, repository: 'a' }, blobOf(layer), accessOf());
    expect(proxy.asked.slice(2)).toEqual([host]);
    expect(storage.seen).toHaveLength(2);
  });

  it.each([
    ['403 Forbidden', /asked for a tunnel to registry\.example:5000, gave none \(403\)\.$/],
    ['407 Proxy Authentication Required', /wants a user \(407\), which is not supported/],
    ['nonsense', /asked for registry\.example:5000, failed \(HPE_[A-Z_]+\)\.$/],
  ])('that answers %s is named', async (status, message) => {
    const proxy = await connectProxy(status);
    const host = 'registry.example:5000';
    await expectFailure(fetchApp(start({ host, proxy: proxy.url }), host), 'RegistryUnavailable', message);
  });

  it('that is not there is named', async () => {
    const host = 'registry.example:5000';
    const client = start({ host, proxy: 'http://127.0.0.1:1' });
    await expectFailure(
      fetchApp(client, host),
      'RegistryUnavailable',
      'The proxy 127.0.0.1:1, asked for registry.example:5000, failed (ECONNREFUSED).',
    );
  });

  it('T28 that says nothing costs no more than the time to connect', async () => {
    const proxy = await connectProxy('');
    const host = 'registry.example:5000';
    const client = startClient({
      registries: [{ host, proxy: proxy.url }],
      limits: { connectTimeoutMs: 50 },
    });
    const message = `The proxy ${new URL(proxy.url).host}, asked for ${host}, gave no tunnel within 50 ms.`;
    await expectFailure(fetchApp(client, host), 'RegistryUnavailable', message);
    expect(proxy.asked).toEqual([host]);
  });

  it.each([
    ['http://169.254.169.254/latest/meta-data', '169.254.169.254'],
    ['http://10.0.0.1/', '10.0.0.1'],
    ['http://127.0.0.2/', '127.0.0.2'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://[::1]/', '::1'],
    ['http://[::ffff:7f00:1]/', '::ffff:7f00:1'],
    ['http://[fd00:ec2::254]/', 'fd00:ec2::254'],
    ['http://localhost/', 'localhost'],
    ['http://a.localhost./', 'a.localhost.'],
  ])('T10 is not asked for %s, neither by a redirect nor as a token service', async (url, shown) => {
    const proxy = await connectProxy();
    const redirecting = await redirectTo(() => url);
    const challenging = await hostileServer((_, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}",service="x"` }).end();
    });
    for (const server of [redirecting, challenging]) {
      const host = `registry.example:${server.port}`;
      const client = start({ host, plainHttp: true, proxy: proxy.url });
      const access = accessOf({ credentials: account('reader') });
      await expectFailure(
        client.fetchBlob({ registry: host, repository: 'a' }, blobOf(layer), access),
        'RegistryRefused',
        `${shown} is not asked: its address is local to the cluster or the machine, and it is not allowed by name.`,
      );
    }
    expect(proxy.asked).toEqual([redirecting, challenging].map(({ port }) => `registry.example:${port}`));
  });
});
