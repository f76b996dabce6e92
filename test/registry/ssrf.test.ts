import { describe, expect, it } from 'vitest';
import type { RegistryClientOptions } from '../../src/registry/registry-client.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { expectFailure, plainHttp } from './registry-access.ts';
import { startClient } from './start-client.ts';
import { challenge, elsewhere, fetchApp, fetchLayer, serveLayer } from './two-hosts.ts';

// Behind a proxy: proxies.test.ts. From a public registry: guarded-agents.test.ts, as here all of them are on loopback.

describe('T10 addresses', () => {
  const metadata = [
    'http://169.254.169.254',
    'http://[::ffff:a9fe:a9fe]',
    'http://[64:ff9b::a9fe:a9fe]',
    'http://0xa9fea9fe',
    'http://2852039166',
    'http://0.0.0.0',
    'http://[::]',
    'http://[fd00:ec2::254]',
    'http://[fe80::1]',
    'http://metadata.example',
    'http://mixed.example',
  ];
  const addresses: Record<string, string[]> = {
    'registry.example': ['127.0.0.1'],
    'metadata.example': ['169.254.169.254'],
    'mixed.example': ['127.0.0.2', '169.254.169.254'],
  };
  /** The DNS of these tests; what it is asked for that it does not know fails the test. */
  const resolveHost: RegistryClientOptions['resolveHost'] = (name, done) => {
    const known = addresses[name];
    if (known === undefined) done(new Error(`unexpected look-up of ${name}`), []);
    else
      done(
        null,
        known.map((address) => ({ address, family: 4 })),
      );
  };

  it.each(metadata)('%s is asked neither for a blob nor for a token', async (url) => {
    const victim = await elsewhere(serveLayer);
    for (const lead of ['redirect', 'challenge'] as const) {
      const home = await hostileServer((_, response) => {
        const target = `${url}:${victim.port}/latest`;
        if (lead === 'redirect') response.writeHead(307, { location: target }).end();
        else challenge(response, `Bearer realm="${target}"`);
      });
      const host = `registry.example:${home.port}`;
      const client = startClient({ ...plainHttp(host), resolveHost });
      await expectFailure(
        fetchLayer(client, host),
        'RegistryRefused',
        / is not asked: its address is local to the cluster or the machine, and it is not allowed by name\.$/,
      );
      expect(home.seen).toEqual([expect.objectContaining({ authorization: undefined })]);
    }
    expect(victim.seen).toEqual([]);
  });

  it.each(['127.0.0.2:PORT', 'localhost:PORT', '[::1]:PORT', 'loop.example:PORT', 'meta.example:PORT'])(
    'an image at %s, which nobody named, is not asked for',
    async (host) => {
      const victim = await elsewhere(serveLayer);
      const registry = host.replace('PORT', String(victim.port));
      const client = startClient({
        resolveHost: (name, done) => {
          done(null, [{ address: name.startsWith('meta') ? '169.254.169.254' : '127.0.0.2', family: 4 }]);
        },
      });
      await expectFailure(
        fetchApp(client, registry),
        'RegistryRefused',
        / is not asked: its address is local/,
      );
      expect(victim.seen).toEqual([]);
    },
  );

  it.each(['0x7f.2', '127.2', '2130706434', '127.0.0.2%23', 'x@127.0.0.2', '127.0.0.2\\x', '127.0.0.2/x?'])(
    'T08 a host that is spelled %j is not asked, also where the address is named',
    async (spelled) => {
      const victim = await elsewhere(serveLayer);
      const client = startClient(plainHttp(victim.host));
      const registry = `${spelled}:${victim.port}`;
      await expectFailure(
        fetchApp(client, registry),
        'RegistryRefused',
        / is not asked: a URL would read its name/,
      );
      expect(victim.seen).toEqual([]);
    },
  );

  it.each(['../../other/app', 'shop/app/../../x', 'shop/%2e%2e/x', 'shop/app?x', 'shop/app#x', 'shop\\app'])(
    'T08 a repository that is spelled %j is not asked for',
    async (repository) => {
      const home = await hostileServer(serveLayer);
      await expectFailure(
        fetchApp(startClient(plainHttp(home.host)), home.host, repository),
        'RegistryRefused',
        / is not asked: a URL would read its name or path otherwise than written\.$/,
      );
      expect(home.seen).toEqual([]);
    },
  );
});
