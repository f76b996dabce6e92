import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../src/admission/ports.ts';
import { loadDockerConfig } from '../../src/registry/docker-config.ts';
import { expectFailure } from './registry-access.ts';

async function load(config: unknown): Promise<Credentials> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'config.json');
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return await loadDockerConfig(path);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('loadDockerConfig', () => {
  it('T09 gives credentials to exactly the host that they are for, port included', async () => {
    const credentials = await load({
      auths: {
        'ghcr.io': { auth: base64('me:pass:word') },
        'registry.example:5000': { username: 'u', password: 'p' },
        'https://index.docker.io/v1/': { auth: base64('hub:secret') },
      },
    });
    expect(await credentials.account('ghcr.io', 'a/b')).toEqual({ username: 'me', password: 'pass:word' });
    expect(await credentials.account('registry.example:5000', 'a')).toEqual({
      username: 'u',
      password: 'p',
    });
    expect(await credentials.account('docker.io', 'library/a')).toEqual({
      username: 'hub',
      password: 'secret',
    });
    for (const host of [
      'registry.example',
      'ghcr.io.attacker.example',
      'hcr.io',
      'ghcr.io:5000',
      '__proto__',
    ]) {
      expect(await credentials.account(host, 'a')).toBeUndefined();
    }
  });

  it('T09 gives the account of the most specific key that stands for the repository', async () => {
    const user = (username: string) => ({ username, password: 'p' });
    const credentials = await load({
      auths: {
        'ghcr.io': user('host'),
        'ghcr.io/acme': user('path'),
        'https://ghcr.io/acme/app/': user('repository'),
        '*.io': user('wildcard'),
        '*.example.com': user('labels'),
        'https://Registry.Example.com:443/v2/': user('api'),
      },
    });
    const who = async (registry: string, repository: string): Promise<string | undefined> => {
      const account = await credentials.account(registry, repository);
      return account !== undefined && 'username' in account ? account.username : undefined;
    };
    expect(await who('ghcr.io', 'acme/app')).toBe('repository');
    expect(await who('ghcr.io', 'acme/apps')).toBe('path');
    expect(await who('ghcr.io', 'acmeevil/app')).toBe('host');
    expect(await who('quay.io', 'acme/app')).toBe('wildcard');
    expect(await who('a.example.com', 'x')).toBe('labels');
    expect(await who('registry.example.com', 'x')).toBe('api');
    for (const host of [
      'a.b.example.com',
      'example.com',
      'a.example.com:5000',
      'a.example.com.evil',
      'quay.io:5000',
    ])
      expect(await who(host, 'x')).toBeUndefined();
  });

  it('T09 an account of one path is not for its sibling, nor for the host', async () => {
    const credentials = await load({ auths: { 'ghcr.io/acme': { username: 'u', password: 'p' } } });
    expect(await credentials.account('ghcr.io', 'acme/app')).toBeDefined();
    for (const repository of ['acmeevil/app', 'acm', 'other/acme', 'acme-2'])
      expect(await credentials.account('ghcr.io', repository)).toBeUndefined();
    expect(credentials.scope('ghcr.io', 'acmeevil/app')).toBe('anonymous');
  });

  it('T27 the scope is that of the entry that applies', async () => {
    const credentials = await load({
      auths: {
        'ghcr.io': { username: 'a', password: 'a' },
        'ghcr.io/acme': { username: 'b', password: 'b' },
      },
    });
    expect(credentials.scope('ghcr.io', 'acme/one')).toBe(credentials.scope('ghcr.io', 'acme/two'));
    expect(credentials.scope('ghcr.io', 'acme/one')).not.toBe(credentials.scope('ghcr.io', 'other'));
  });

  it('reads an identity token, whatever name stands beside it', async () => {
    const auth = base64('00000000-0000-0000-0000-000000000000:');
    const credentials = await load({ auths: { 'acme.azurecr.io': { auth, identitytoken: 'refresh' } } });
    expect(await credentials.account('acme.azurecr.io', 'a')).toEqual({ identityToken: 'refresh' });
  });

  it('T31 names the scope by a hash: equal for equal files, and without a secret', async () => {
    const config = { auths: { 'ghcr.io': { username: 'somebody', password: 'hunter2' } } };
    const other = { auths: { 'ghcr.io': { username: 'somebody', password: 'hunter3' } } };
    const [one, same, another] = (await Promise.all([config, config, other].map(load))).map((credentials) =>
      credentials.scope('ghcr.io', 'a'),
    );
    expect(one).toMatch(/^docker-config:[0-9a-f]{64}$/);
    expect(one).toBe(same);
    expect(one).not.toBe(another);
  });

  it('is anonymous where no account applies, so that what is public is shared', async () => {
    const credentials = await load({
      auths: { 'ghcr.io': { username: 'u', password: 'p' }, 'empty.example': {} },
      credHelpers: { 'ecr.example': 'ecr-login' },
    });
    const scopes = ['quay.io', 'empty.example', 'ecr.example', 'ghcr.io'].map((host) =>
      credentials.scope(host, 'a'),
    );
    expect(scopes).toEqual([
      'anonymous',
      'anonymous',
      ...Array<unknown>(2).fill(expect.stringMatching(/^docker-config:/)),
    ]);
  });

  it('refuses clearly when a wanted host needs a credential helper or store', async () => {
    const credentials = await load({
      credsStore: 'desktop',
      credHelpers: { 'ecr.example': 'ecr-login' },
      auths: { 'ghcr.io': {}, 'quay.io': { auth: base64('a:b') } },
    });
    await expectFailure(
      credentials.account('ghcr.io', 'a'),
      'RegistryUnauthorized',
      /credentials of ghcr.io are kept by a credential helper/,
    );
    await expectFailure(
      credentials.account('ecr.example', 'a'),
      'RegistryUnauthorized',
      /credentials of ecr.example are kept/,
    );
    expect(await credentials.account('quay.io', 'a')).toEqual({ username: 'a', password: 'b' });
    expect(await credentials.account('other.example', 'a')).toBeUndefined();
  });

  it.each([
    ['{', /is not valid JSON/],
    ['{"auths": {"a": {}, "a": {}}}', /has the key "a" twice/],
    ['[]', /is not an object/],
    [{ auths: [] }, /auths is not an object/],
    [{ auths: { a: 'x' } }, /auths\["a"\] is not an object/],
    [{ auths: { a: { auth: base64('no colon') } } }, /auths\["a"\]\.auth is not base64 of user:password/],
    [{ credsStore: 7 }, /credsStore is no name of a credential helper/],
    [
      { credsStore: '../evil' },
      /credsStore is no name of a credential helper: write letters, digits, _ and - only/,
    ],
    [{ credHelpers: { 'a.io': 'x;rm' } }, /credHelpers\["a\.io"\] is no name of a credential helper/],
    [{ credHelpers: { 'a.io': 'x y' } }, /credHelpers\["a\.io"\] is no name of a credential helper/],
  ])('refuses %j', async (config, message) => {
    await expectFailure(load(config), 'ConfigurationInvalid', message);
  });

  it('says when there is no such file', async () => {
    await expectFailure(
      loadDockerConfig('/nonexistent/config.json'),
      'ConfigurationInvalid',
      /cannot be read/,
    );
  });
});
