import { describe, expect, it, onTestFinished } from 'vitest';
import type { ContentStore } from '../../src/admission/content-store.ts';
import { anonymous } from '../../src/admission/ports.ts';
import type { Credentials } from '../../src/admission/ports.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { pullCredentials } from '../../src/registry/pull-credentials.ts';
import { TestClock, accessOf, expectFailure, plainHttp } from './registry-access.ts';
import { app, startClient } from './start-client.ts';

/** A registry that lets one account in, and how workloads with these accounts in secrets of their own read it. */
async function setUp(): Promise<{
  client: ContentStore;
  clock: TestClock;
  host: string;
  statuses: () => number[];
  read: (...usernames: string[]) => Promise<unknown>;
}> {
  const auth = { kind: 'basic', username: 'reader', password: 'sesame' } as const;
  const registry = await startRegistry({ mechanisms: { references: false, referrers: true }, auth });
  onTestFinished(() => registry.close());
  registry.store.putManifest('shop/app', app.bytes, app.mediaType, '1.0');
  const { host } = registry;
  const clock = new TestClock();
  const client = startClient({ ...plainHttp(host), clock });
  const credentialsOf = (usernames: readonly string[]): Credentials => {
    const secrets = usernames.map((username) => ({
      name: `secret ${username} in namespace shop`,
      form: 'config.json' as const,
      bytes: Buffer.from(JSON.stringify({ auths: { [host]: { username, password: 'sesame' } } })),
    }));
    return pullCredentials({ secrets, missing: [] }, anonymous);
  };
  return {
    client,
    clock,
    host,
    statuses: () => {
      const seen = registry.requests.map(({ status }) => status);
      registry.clearRequests();
      return seen;
    },
    read: (...usernames) =>
      client.resolveTag(
        { registry: host, repository: 'shop/app', tag: '1.0' },
        accessOf({ credentials: credentialsOf(usernames) }),
      ),
  };
}

describe('several accounts for one repository', () => {
  it('are tried until one is not refused, and that one first from then on', async () => {
    const { clock, statuses, read } = await setUp();
    expect(await read('stale', 'reader')).toMatchObject({ digest: app.digest });
    // Without an account, which is how it says what it asks for; with the first; with the second.
    expect(statuses()).toEqual([401, 401, 200]);
    await read('stale', 'reader');
    expect(statuses()).toEqual([]);
    clock.advance(10_000);
    await read('stale', 'reader');
    expect(statuses()).toEqual([200]);
    clock.advance(60_000);
    await read('stale', 'reader');
    expect(statuses()).toEqual([401, 200]);
  });

  it('T27 give nobody what only one of them may read', async () => {
    const { read } = await setUp();
    await read('stale', 'reader');
    await expectFailure(
      read('stale'),
      'RegistryUnauthorized',
      /The account is that of secret stale in namespace shop\.$/,
    );
    expect(await read('reader')).toMatchObject({ digest: app.digest });
  });

  it('are all named when none is let in, and all tried again', async () => {
    const { host, statuses, read } = await setUp();
    for (const expected of [
      [401, 401, 401],
      [401, 401],
    ]) {
      await expectFailure(
        read('one', 'two'),
        'RegistryUnauthorized',
        `${host} refused access to ${host}/shop/app: manifest 1.0 (401), asked with the credentials given. None of the accounts of secret one in namespace shop, secret two in namespace shop may read it.`,
      );
      expect(statuses()).toEqual(expected);
    }
  });

  it('are not tried for what is no refusal', async () => {
    const { client, host, statuses } = await setUp();
    const secrets = ['reader', 'other'].map((username) => ({
      name: username,
      form: 'config.json' as const,
      bytes: Buffer.from(JSON.stringify({ auths: { [host]: { username, password: 'sesame' } } })),
    }));
    const credentials = pullCredentials({ secrets, missing: [] }, anonymous);
    const tagged = { registry: host, repository: 'shop/app', tag: 'none' };
    await expectFailure(client.resolveTag(tagged, accessOf({ credentials })), 'ImageNotFound', /none/);
    expect(statuses().filter((status) => status === 401)).toHaveLength(1);
  });
});
