import { describe, expect, it } from 'vitest';
import { anonymousScope } from '../../src/admission/ports.ts';
import type { Credentials } from '../../src/admission/ports.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { accessOf, account, expectFailure, plainHttp } from './registry-access.ts';
import { app, blobOf, json, setUp, startClient } from './start-client.ts';

describe('what is remembered', () => {
  it('T27 is not served to other credentials', async () => {
    const server = await hostileServer((request, response) => {
      const isReader =
        request.headers.authorization === `Basic ${Buffer.from('reader:sesame').toString('base64')}`;
      response.writeHead(isReader ? 200 : 401, { ...json, 'www-authenticate': 'Basic realm="x"' });
      response.end(isReader ? (request.url?.includes('blobs') === true ? 'payload' : app.bytes) : '');
    });
    const client = startClient(plainHttp(server.host));
    const target = { registry: server.host, repository: 'a' };
    const operations = (access: ReturnType<typeof accessOf>): Promise<unknown>[] => [
      client.resolveTag({ ...target, tag: 'v' }, access),
      client.fetchTagged({ ...target, tag: 'v' }, access),
      client.fetchManifest({ ...target, digest: app.digest }, access),
      client.fetchBlob(target, blobOf(Buffer.from('payload')), access),
    ];
    const reader = account('reader');
    await Promise.all(operations(accessOf({ credentials: reader })));
    const asked = server.seen.length;
    await Promise.all(operations(accessOf({ credentials: reader })));
    expect(server.seen).toHaveLength(asked);
    for (const access of [accessOf(), accessOf({ credentials: account('other', 'other', 'x') })]) {
      await Promise.all(
        operations(access).map((refused) => expectFailure(refused, 'RegistryUnauthorized', /\(401\)/)),
      );
    }
  });

  it('T27 is shared by those for whom a repository is anonymous, whatever accounts they have elsewhere', async () => {
    const { registry, client, paths } = await setUp();
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    const accountsOf = (username: string, publicHost: string): Credentials => ({
      scope: (host) => (host === publicHost ? anonymousScope : username),
      account: (host) => Promise.resolve(host === publicHost ? undefined : { username, password: 'x' }),
    });
    for (const username of ['one', 'two']) {
      const access = accessOf({ credentials: accountsOf(username, registry.host) });
      await client.fetchManifest(subject, access);
      await client.list('references', subject, access);
    }
    expect(paths()).toHaveLength(2);
    for (const username of ['one', 'two']) {
      const access = accessOf({ credentials: accountsOf(username, 'elsewhere.example') });
      await client.fetchManifest(subject, access);
      await client.list('references', subject, access);
    }
    expect(paths()).toHaveLength(6);
  });

  it('T27 is no failure: the next try asks again', async () => {
    const { registry, client } = await setUp();
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    registry.intercept((_, response) => {
      response.writeHead(500).end();
      return true;
    });
    const failing = client.fetchManifest(subject, accessOf());
    await expectFailure(failing, 'RegistryUnavailable', /answered 500 for .*manifest sha256:/);
    registry.intercept(undefined);
    expect((await client.fetchManifest(subject, accessOf())).digest).toBe(app.digest);
  });

  it('T11 is bounded in bytes', async () => {
    const { registry, client, paths } = await setUp({ limits: { blobCacheBytes: 1_200 } });
    const target = { registry: registry.host, repository: 'shop/app' };
    const blobs = ['one', 'two', 'three'].map((text) => Buffer.from(text));
    for (const bytes of blobs) registry.store.putBlob('shop/app', bytes);
    for (const bytes of blobs) await client.fetchBlob(target, blobOf(bytes), accessOf());
    await client.fetchBlob(target, blobOf(blobs[2] ?? Buffer.alloc(0)), accessOf());
    expect(paths()).toHaveLength(3);
    await client.fetchBlob(target, blobOf(blobs[0] ?? Buffer.alloc(0)), accessOf());
    expect(paths()).toHaveLength(4);
  });

  it('shares requests under way; whoever joins counts nothing', async () => {
    const { registry, client, paths } = await setUp();
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    const accesses = Array.from({ length: 50 }, () => accessOf());
    await Promise.all(accesses.map((access) => client.fetchManifest(subject, access)));
    expect(paths()).toHaveLength(1);
    expect(accesses.map(({ trace }) => trace.total)).toEqual([1, ...Array<number>(49).fill(0)]);
  });

  it('is counted by cache: hits, misses, entries; too old for whoever asks is a miss', async () => {
    const { registry, client, clock } = await setUp();
    const tagged = { registry: registry.host, repository: 'shop/app', tag: '1.0' };
    const subject = { ...tagged, digest: app.digest };
    for (let i = 0; i < 3; i++) {
      await client.resolveTag(tagged, accessOf());
      await client.fetchManifest(subject, accessOf());
      await client.list('references', subject, accessOf());
    }
    clock.advance(10_000);
    await client.resolveTag(tagged, accessOf());
    const counts = new Map(client.caches().map(({ name, ...of }) => [name, of]));
    expect(counts.get('images')).toEqual({ hits: 2, misses: 2, evictions: 0, entries: 1, bytes: undefined });
    expect(counts.get('manifests')).toMatchObject({ hits: 2, misses: 1, evictions: 0, entries: 1 });
    expect(counts.get('manifests')?.bytes).toBeGreaterThan(app.bytes.byteLength);
    expect(counts.get('absent_apis')).toMatchObject({ hits: 2, entries: 1 });
    expect([...counts.keys()]).toEqual([
      'manifests',
      'blobs',
      'images',
      'tags',
      'listings',
      'tag_lists',
      'absent_apis',
      'present_apis',
      'challenges',
      'tokens',
      'refused_accounts',
    ]);
  });
});
