import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { anonymous } from '../../src/admission/ports.ts';
import type { QueuedCaller } from '../../src/admission/ports.ts';
import { CredentialProviders } from '../../src/registry/credential-providers.ts';
import { firstOf } from '../../src/registry/first-of.ts';
import { TestClock, expectFailure } from './registry-access.ts';

const requestVersion = 'credentialprovider.kubelet.k8s.io/v1';
let directory: string;
let clock: TestClock;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'providers-'));
  clock = new TestClock();
  onTestFinished(() => rm(directory, { recursive: true }));
});

/** A program that notes what it was asked, then runs the script. */
async function install(name: string, script: string): Promise<() => Promise<string[]>> {
  const log = join(directory, `${name}.log`);
  await writeFile(log, '');
  const program = join(directory, name);
  await writeFile(program, `#!/bin/sh\nread request\necho "$* $request" >> '${log}'\n${script}\n`);
  await chmod(program, 0o755);
  return async () => (await readFile(log, 'utf8')).split('\n').slice(0, -1);
}
const response = (auth: object, change: object = {}): string =>
  `echo '${JSON.stringify({
    apiVersion: requestVersion,
    kind: 'CredentialProviderResponse',
    cacheKeyType: 'Registry',
    cacheDuration: '1h0m0s',
    auth,
    ...change,
  })}'`;
const me = (username: string) => ({ username, password: 'sesame' });

async function load(...providers: object[]): Promise<CredentialProviders> {
  const path = join(directory, 'config.yaml');
  const config = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig', providers };
  await writeFile(path, JSON.stringify(config));
  return await CredentialProviders.load(path, directory, clock);
}
const provider = (name: string, matchImages: string[], change: object = {}): object => ({
  name,
  matchImages,
  apiVersion: requestVersion,
  defaultCacheDuration: '12h',
  ...change,
});

describe('credential providers', () => {
  it('are asked as the kubelet asks them, for the images that they are for', async () => {
    const asked = await install('ecr', response({ '*.dkr.ecr.*.amazonaws.com': me('AWS') }));
    const providers = await load(
      provider('ecr', ['*.dkr.ecr.*.amazonaws.com'], {
        args: ['get-credentials'],
        env: [{ name: 'AWS_PROFILE', value: 'prod' }],
      }),
    );
    expect(await providers.account('1.dkr.ecr.eu-west-1.amazonaws.com', 'acme/app')).toEqual(me('AWS'));
    expect(await providers.account('ghcr.io', 'acme/app')).toBeUndefined();
    expect(providers.scope('ghcr.io', 'acme/app')).toBe('anonymous');
    expect(await asked()).toEqual([
      `get-credentials {"apiVersion":"${requestVersion}","kind":"CredentialProviderRequest","image":"1.dkr.ecr.eu-west-1.amazonaws.com/acme/app"}`,
    ]);
  });

  it('T39 run eight at a time at most, and those of one namespace keep nobody else waiting', async () => {
    const asked = await install(
      'slow',
      `sleep 0.1\necho "end" >> '${join(directory, 'slow.log')}'\n${response({ 'a.example': me('u') }, { cacheKeyType: 'Image' })}`,
    );
    const providers = await load(provider('slow', ['a.example']));
    const callerOf = (name: string): QueuedCaller => ({
      tenant: { name, share: 1 },
      signal: new AbortController().signal,
      setQueued: () => undefined,
    });
    const ask = (name: string, repository: string): Promise<unknown> =>
      providers.account('a.example', repository, callerOf(name));
    await Promise.all([
      ...Array.from({ length: 24 }, (_, i) => ask('many', `many/${i}`)),
      ask('one', 'one/app'),
    ]);
    let running = 0;
    const runningAt = (await asked()).map((line) => (running += line === 'end' ? -1 : 1));
    expect(Math.max(...runningAt)).toBe(8);
    const order = (await asked()).filter((line) => line !== 'end');
    expect(order).toHaveLength(25);
    expect(order.findIndex((line) => line.includes('one/app'))).toBeLessThan(16);
  });

  it('have the variables that their configuration gives them', async () => {
    await install('env', `test "$AWS_PROFILE" = prod && ${response({ 'a.example': me('with') })}`);
    const env = [{ name: 'AWS_PROFILE', value: 'prod' }];
    const providers = await load(provider('env', ['a.example'], { env }));
    expect(await providers.account('a.example', 'x')).toEqual(me('with'));
  });

  it.each([
    ['Image', 3],
    ['Registry', 2],
    ['Global', 1],
  ])('are asked once for each %s as long as the answer says', async (cacheKeyType, count) => {
    const auth = { 'a.example': me('a'), 'b.example': me('b') };
    const asked = await install('p', response(auth, { cacheKeyType }));
    const providers = await load(provider('p', ['*.example']));
    for (let round = 0; round < 2; round++) {
      for (const [host, repository] of [
        ['a.example', 'x'],
        ['a.example', 'y'],
        ['b.example', 'x'],
      ] as const) {
        expect(await providers.account(host, repository)).toEqual(me(host.charAt(0)));
      }
    }
    expect(await asked()).toHaveLength(count);
    clock.advance(59 * 60_000);
    await providers.account('a.example', 'x');
    expect(await asked()).toHaveLength(count + 1);
  });

  it('are asked once by those who wait together', async () => {
    const asked = await install('p', response({ 'a.example': me('a') }));
    const providers = await load(provider('p', ['a.example']));
    await Promise.all([1, 2, 3].map(() => providers.account('a.example', 'x')));
    expect(await asked()).toHaveLength(1);
  });

  it('T09 give the account of the most specific key, and none to another host or path', async () => {
    const auth = { 'a.example': me('host'), 'a.example/acme': me('path'), 'b.example': me('other') };
    await install('p', response(auth, { cacheKeyType: 'Global' }));
    const providers = await load(provider('p', ['a.example', 'c.example']));
    expect(await providers.account('a.example', 'acme/app')).toEqual(me('path'));
    expect(await providers.account('a.example', 'acmeevil/app')).toEqual(me('host'));
    expect(await providers.account('b.example', 'x')).toBeUndefined();
    expect(await providers.account('c.example', 'x')).toBeUndefined();
  });

  it.each([
    ['fails', 'echo secret; exit 3', 'failed (exit code 3)'],
    ['says nothing', 'true', 'answered with something that is no CredentialProviderResponse'],
    [
      'says something else',
      'echo \'{"kind":"secret"}\'',
      'answered with something that is no CredentialProviderResponse',
    ],
    ['floods', 'head -c 300000 /dev/zero | tr "\\0" x', 'printed more than 262144 bytes'],
  ])('T31 that %s are told of without what they printed, and asked again', async (_what, script, why) => {
    const asked = await install('p', script);
    const providers = await load(provider('p', ['a.example']));
    const message = `The credential provider p, asked for a.example/x, ${why}.`;
    await expectFailure(providers.account('a.example', 'x'), 'RegistryUnauthorized', message);
    await expectFailure(providers.account('a.example', 'x'), 'RegistryUnauthorized', message);
    expect(await asked()).toHaveLength(2);
  });

  it('that are not there are told of', async () => {
    const providers = await load(provider('gone', ['a.example']));
    await expectFailure(
      providers.account('a.example', 'x'),
      'RegistryUnauthorized',
      'The credential provider gone, asked for a.example/x, could not be run (ENOENT).',
    );
  });

  it.each([
    [{ providers: [] }, 'providers: Too small'],
    [{ kind: 'Pod' }, 'kind: Invalid input'],
    [{ apiVersion: 'v1' }, 'apiVersion: must be kubelet.config.k8s.io/v1'],
    [{ providers: [provider('../sh', ['a'])] }, 'providers[0].name: must be the name of a file'],
    [{ providers: [provider('p', [])] }, 'providers[0].matchImages: Too small'],
    [
      { providers: [provider('p', ['a'], { defaultCacheDuration: 'soon' })] },
      'providers[0].defaultCacheDuration: is no duration as 12h or 5m0s',
    ],
    [
      { providers: [provider('p', ['a'], { tokenAttributes: {} })] },
      'providers[0].tokenAttributes: is not supported: Refwarden asks for no token of the service account of a Pod',
    ],
  ])('refuse a configuration that is none: %o', async (change, why) => {
    const path = join(directory, 'config.yaml');
    const config = {
      apiVersion: 'kubelet.config.k8s.io/v1',
      kind: 'CredentialProviderConfig',
      providers: [provider('p', ['a'])],
      ...change,
    };
    await writeFile(path, JSON.stringify(config));
    await expect(CredentialProviders.load(path, directory, clock)).rejects.toThrow(why);
  });
});

describe('firstOf', () => {
  it('asks the second only for what the first has nothing for', async () => {
    const only = (host: string, username: string) => ({
      scope: (registry: string) => (registry === host ? username : 'anonymous'),
      account: (registry: string) => Promise.resolve(registry === host ? me(username) : undefined),
    });
    const both = firstOf(only('a.example', 'first'), only('b.example', 'second'));
    expect(await both.account('a.example', 'x')).toEqual(me('first'));
    expect(await both.account('b.example', 'x')).toEqual(me('second'));
    expect(both.scope('c.example', 'x')).toBe('anonymous');
    expect(await firstOf(anonymous, anonymous).account('a.example', 'x')).toBeUndefined();
  });
});
