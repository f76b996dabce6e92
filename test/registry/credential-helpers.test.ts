import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Credentials } from '../../src/admission/ports.ts';
import { CredentialHelpers } from '../../src/registry/credential-helpers.ts';
import { loadDockerConfig } from '../../src/registry/docker-config.ts';
import { TestClock, expectFailure } from './registry-access.ts';

/** Puts `docker-credential-NAME` on the PATH; returns the servers that it was asked for. */
async function install(name: string, script: string): Promise<() => Promise<string[]>> {
  const directory = await mkdtemp(join(tmpdir(), 'helpers-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const log = join(directory, 'log');
  const program = join(directory, `docker-credential-${name}`);
  await writeFile(log, '');
  await writeFile(program, `#!/bin/sh\nread server\necho "$1 $server" >> '${log}'\n${script}\n`);
  await chmod(program, 0o755);
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return async () => (await readFile(log, 'utf8')).split('\n').slice(0, -1);
}

async function load(config: unknown, helpers?: CredentialHelpers): Promise<Credentials> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'config.json');
  await writeFile(path, JSON.stringify(config));
  return await loadDockerConfig(path, helpers);
}

const answer = (user: string, secret: string): string =>
  `echo '${JSON.stringify({ ServerURL: 'x', Username: user, Secret: secret })}'`;
const missing = 'echo "credentials not found in native keychain"; exit 1';

describe('credential helpers', () => {
  it('are asked for the host by the key that it was logged in by, and of the user <token> for an identity token', async () => {
    const asked = await install('test', answer('me', 'sesame'));
    await install('token', answer('<token>', 'refresh'));
    const credentials = await load(
      {
        credHelpers: { 'quay.io': 'test', '*.azurecr.io': 'token', 'https://index.docker.io/v1/': 'test' },
        auths: { 'ghcr.io': { username: 'a', password: 'b' } },
      },
      new CredentialHelpers(new TestClock()),
    );
    expect(await credentials.account('quay.io', 'a')).toEqual({ username: 'me', password: 'sesame' });
    expect(await credentials.account('docker.io', 'library/a')).toEqual({
      username: 'me',
      password: 'sesame',
    });
    expect(await credentials.account('acme.azurecr.io', 'a')).toEqual({ identityToken: 'refresh' });
    expect(await credentials.account('ghcr.io', 'a')).toEqual({ username: 'a', password: 'b' });
    expect(await credentials.account('other.example', 'a')).toBeUndefined();
    expect(await asked()).toEqual(['get quay.io', 'get https://index.docker.io/v1/']);
  });

  it('a store is asked for every host that has no account of its own, listed or not', async () => {
    const asked = await install(
      'test',
      `case $server in ghcr.io) ${answer('me', 's')};; *) ${missing};; esac`,
    );
    const config = { credsStore: 'test', auths: { 'ghcr.io': {}, 'a.io': { username: 'a', password: 'b' } } };
    const credentials = await load(config, new CredentialHelpers(new TestClock()));
    expect(await credentials.account('ghcr.io', 'a')).toEqual({ username: 'me', password: 's' });
    expect(await credentials.account('other.example', 'a')).toBeUndefined();
    expect(await credentials.account('a.io', 'a')).toEqual({ username: 'a', password: 'b' });
    expect(await asked()).toEqual(['get ghcr.io', 'get other.example']);
    const scopes = ['ghcr.io', 'other.example', 'third.example'].map((host) => credentials.scope(host, 'a'));
    expect(new Set(scopes).size).toBe(3);
    expect(scopes.join()).not.toContain('anonymous');
  });

  it('are not run unless that was asked for', async () => {
    const asked = await install('test', answer('me', 's'));
    const credentials = await load({ credsStore: 'test', auths: { 'ghcr.io': {} } });
    await expectFailure(
      credentials.account('ghcr.io', 'a'),
      'RegistryUnauthorized',
      /^The credentials of ghcr\.io are kept by a credential helper, which the webhook does not run; put them into auths of /,
    );
    expect(await credentials.account('other.example', 'a')).toBeUndefined();
    expect(credentials.scope('other.example', 'a')).toBe('anonymous');
    expect(await asked()).toEqual([]);
  });

  it('an answer is believed for five minutes, and one run serves all that wait for it', async () => {
    const asked = await install('test', answer('me', 's'));
    const clock = new TestClock();
    const helpers = new CredentialHelpers(clock);
    await Promise.all([helpers.get('test', 'a.io'), helpers.get('test', 'a.io')]);
    clock.advance(299_999);
    await helpers.get('test', 'a.io');
    expect(await asked()).toHaveLength(1);
    clock.advance(1);
    await helpers.get('test', 'a.io');
    expect(await asked()).toHaveLength(2);
  });

  it.each([
    [
      'echo sesame-out; echo sesame-err >&2; exit 3',
      /asked for a\.io, failed \(exit code 3\); run it by hand to see why\.$/,
    ],
    ['echo "sesame is no JSON"', /answered with something that is no account; run it by hand/],
    [`echo '{"Username": "sesame"}'`, /answered with something that is no account/],
    [`echo '{"Username": "a", "Secret": 7}'`, /answered with something that is no account/],
    ['head -c 70000 /dev/zero | tr "\\0" s', /printed more than 65536 bytes/],
    ['kill -9 $$', /could not be run \(SIGKILL\)|could not be run \(killed\)/],
  ])('T31 that do %j are named, and nothing that they print is shown', async (script, message) => {
    const asked = await install('test', script);
    const helpers = new CredentialHelpers(new TestClock());
    const failing = helpers.get('test', 'a.io');
    await expectFailure(failing, 'RegistryUnauthorized', message);
    const thrown: unknown = await failing.catch((error: unknown) => error);
    expect(thrown).toMatchObject({ message: expect.not.stringContaining('sesame') as string });
    expect((thrown as Error).cause).toBeUndefined();
    // A failure is not remembered.
    await helpers.get('test', 'a.io').catch(() => undefined);
    expect(await asked()).toHaveLength(2);
  });

  it('T28 one that does not end is ended', async () => {
    await install('test', 'exec sleep 60');
    await expectFailure(
      new CredentialHelpers(new TestClock(), 50).get('test', 'a.io'),
      'RegistryUnauthorized',
      /asked for a\.io, did not end within 50 ms; run it by hand to see why\.$/,
    );
  });

  it('one that is not installed is an error only where something says that it has the account', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    const config = { credsStore: 'desktop', auths: { 'ghcr.io': {} } };
    const credentials = await load(config, new CredentialHelpers(new TestClock()));
    await expectFailure(
      credentials.account('ghcr.io', 'a'),
      'RegistryUnauthorized',
      'The credential helper docker-credential-desktop, asked for ghcr.io, is not on the PATH; install it, or put the account into auths.',
    );
    expect(await credentials.account('quay.io', 'a')).toBeUndefined();
  });

  it('one without an account is anonymous', async () => {
    await install('test', missing);
    await install('empty', answer('', ''));
    const helpers = new CredentialHelpers(new TestClock());
    expect(await helpers.get('test', 'a.io')).toBeUndefined();
    expect(await helpers.get('empty', 'a.io')).toBeUndefined();
  });
});
