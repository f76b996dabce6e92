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
    [{ auths: { a: { identitytoken: 'x' } } }, /holds an identity token, which is not supported/],
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
