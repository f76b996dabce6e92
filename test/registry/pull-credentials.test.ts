import { describe, expect, it } from 'vitest';
import { anonymous } from '../../src/admission/ports.ts';
import type { Credentials } from '../../src/admission/ports.ts';
import type { PullSecret } from '../../src/admission/pull-secret.ts';
import { pullCredentials, withoutPullSecrets } from '../../src/registry/pull-credentials.ts';

const secret = (name: string, content: unknown, form: PullSecret['form'] = 'config.json'): PullSecret => ({
  name: `secret ${name} in namespace shop`,
  form,
  bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
});
const user = (username: string): object => ({ username, password: 'p' });
const auths = (name: string, entries: Record<string, object>): PullSecret => secret(name, { auths: entries });
const of = (...secrets: PullSecret[]): Credentials => pullCredentials({ secrets, missing: [] }, anonymous);
const who = async (credentials: Credentials, registry: string, repository = 'acme/app') => {
  const account = await credentials.account(registry, repository);
  return account !== undefined && 'username' in account ? account.username : undefined;
};
const ofInstallation: Credentials = {
  scope: (registry) => (registry === 'quay.io' ? 'installation' : 'anonymous'),
  account: (registry) =>
    Promise.resolve(registry === 'quay.io' ? { username: 'installation', password: 'p' } : undefined),
};

describe('pullCredentials', () => {
  it('T09 gives the account of the most specific key of all secrets, the first where two are equal', async () => {
    const credentials = of(
      auths('host', { 'ghcr.io': user('host') }),
      auths('path', { 'ghcr.io/acme': user('path') }),
      auths('again', { 'ghcr.io/acme': user('again'), 'quay.io': user('quay') }),
    );
    expect(await who(credentials, 'ghcr.io')).toBe('path');
    expect(await who(credentials, 'ghcr.io', 'other/app')).toBe('host');
    expect(await who(credentials, 'quay.io')).toBe('quay');
    expect(await who(credentials, 'ghcr.io.attacker.example')).toBeUndefined();
  });

  it('has every account tried that may be the right one, the most specific key first, that of the installation last', async () => {
    const host = auths('host', { 'quay.io': user('host'), '*.io': user('any') });
    const secrets = [host, auths('path', { 'quay.io/acme': user('path') }), { ...host }];
    const credentials = pullCredentials({ secrets, missing: [] }, ofInstallation);
    const named = async (repository: string): Promise<unknown[]> =>
      Promise.all(
        (credentials.alternatives?.('quay.io', repository) ?? []).map((one) =>
          who(one, 'quay.io', repository),
        ),
      );
    expect(await named('acme/app')).toEqual(['path', 'host', 'any', 'installation']);
    expect(await named('other/app')).toEqual(['host', 'any', 'installation']);
    const many = Array.from({ length: 6 }, (_, i) => auths(`s${i}`, { 'ghcr.io': user(`u${i}`) }));
    expect(of(...many).alternatives?.('ghcr.io', 'a')).toHaveLength(4);
    expect(of(...many).alternatives?.('quay.io', 'a')).toEqual([anonymous]);
  });

  it('T39 passes over secrets that are too much for one workload together, and says so', async () => {
    const small = auths('small', { 'ghcr.io': user('small') });
    const filler = 'x'.repeat(300 * 1024);
    const large = (name: string): PullSecret =>
      secret(name, { auths: { 'ghcr.io/acme': user(name) }, filler });
    const both = of(large('first'), large('second'), small);
    expect(await who(both, 'ghcr.io')).toBe('first');
    expect(both.alternatives?.('ghcr.io', 'acme/app')).toHaveLength(2);
    expect(both.explain?.('quay.io', 'a')).toContain(
      'Secret first in namespace shop has no entry for quay.io; secret small in namespace shop has no entry for quay.io; secret second in namespace shop is passed over: with it, the pull secrets have more than 524288 bytes.',
    );
    const keys = (name: string, count: number, host: (i: number) => string): PullSecret =>
      auths(name, Object.fromEntries(Array.from({ length: count }, (_, i) => [host(i), user(name)])));
    const many = of(
      keys('many', 999, (i) => `ghcr.io/a${i}`),
      keys('more', 2, (i) => `quay.io/b${i}`),
      small,
    );
    expect([await who(many, 'ghcr.io', 'a998/x'), await who(many, 'quay.io', 'b1/x')]).toEqual([
      'many',
      undefined,
    ]);
    expect(await who(many, 'ghcr.io', 'c')).toBe('small');
    const half = (name: string): PullSecret => keys(name, 60, (i) => `*.${name}${i}.example`);
    expect(await who(of(half('a'), half('b')), 'x.a1.example')).toBe('a');
    expect(await who(of(half('a'), half('b')), 'x.b1.example')).toBeUndefined();
    const wild = of(
      keys('wild', 101, (i) => `*.r${i}.example`),
      small,
    );
    expect(await who(wild, 'a.r1.example')).toBeUndefined();
    expect(wild.explain?.('a.r1.example', 'a')).toContain('have more than 1000 keys, or 100 with *');
  });

  it('T27 shares what it found with those who have the same accounts only', () => {
    const [one, two] = ['one', 'two'].map((name) => auths(name, { 'ghcr.io': user(name) }));
    const scope = (...secrets: (PullSecret | undefined)[]): string =>
      of(...secrets.filter((secret) => secret !== undefined)).scope('ghcr.io', 'a');
    expect(scope(one, two)).toBe(scope(one, two));
    expect(new Set([scope(one), scope(two), scope(one, two)]).size).toBe(3);
  });

  it('reads the older form of Secrets', async () => {
    const credentials = of(secret('old', { 'https://index.docker.io/v1/': user('hub') }, 'dockercfg'));
    expect(await who(credentials, 'docker.io', 'library/a')).toBe('hub');
  });

  it('asks those of the installation for what no secret says anything of', async () => {
    const found = { secrets: [auths('a', { 'ghcr.io': user('me') })], missing: [] };
    const credentials = pullCredentials(found, ofInstallation);
    expect(await who(credentials, 'quay.io')).toBe('installation');
    expect(credentials.scope('quay.io', 'a')).toBe('installation');
    expect(credentials.scope('ghcr.io', 'a')).not.toBe('anonymous');
    expect(credentials.scope('gcr.io', 'a')).toBe('anonymous');
    expect(credentials.explain?.('quay.io', 'a')).toBeUndefined();
  });

  it('T09 shares what was fetched with the same key of equal secrets only', () => {
    const scope = (one: PullSecret): string => of(one).scope('ghcr.io', 'a');
    expect(scope(auths('a', { 'ghcr.io': user('me') }))).toBe(scope(auths('b', { 'ghcr.io': user('me') })));
    expect(scope(auths('a', { 'ghcr.io': user('me') }))).not.toBe(
      scope(auths('a', { 'ghcr.io': user('you') })),
    );
  });

  it('passes over a secret that does not parse, and says so', async () => {
    const credentials = of(secret('broken', '{'), auths('good', { 'ghcr.io': user('me') }));
    expect(await who(credentials, 'ghcr.io')).toBe('me');
    expect(credentials.explain?.('quay.io', 'a')).toMatch(
      /^Secret good in namespace shop has no entry for quay\.io; secret broken in namespace shop.*\.$/,
    );
  });

  it('never runs a credential helper that a secret names', async () => {
    const credentials = of(secret('helper', { credHelpers: { 'ghcr.io': 'evil' }, credsStore: 'evil' }));
    await expect(credentials.account('ghcr.io', 'a')).rejects.toMatchObject({ code: 'RegistryUnauthorized' });
    expect(await credentials.account('quay.io', 'a')).toBeUndefined();
  });

  it('says where an account comes from, or what lacks', () => {
    const found = {
      secrets: [auths('a', { 'ghcr.io': user('me') })],
      missing: ['secret b in namespace shop does not exist'],
    };
    const credentials = pullCredentials(found, anonymous);
    expect(credentials.explain?.('ghcr.io', 'a')).toBe('The account is that of secret a in namespace shop.');
    expect(credentials.explain?.('quay.io', 'a')).toBe(
      'Secret a in namespace shop has no entry for quay.io; secret b in namespace shop does not exist.',
    );
    expect(of().explain?.('quay.io', 'a')).toBe('The workload names no pull secret.');
    const many = Array.from({ length: 6 }, (_, i) => `secret ${i} does not exist`);
    expect(pullCredentials({ secrets: [], missing: many }, anonymous).explain?.('quay.io', 'a')).toMatch(
      /secret 3 does not exist; and 2 more\.$/,
    );
  });

  it('refuses a secret with more keys than anybody has', () => {
    const keys = (count: number): PullSecret =>
      auths(
        'many',
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}.example`, user('me')])),
      );
    expect(of(keys(1000)).scope('r1.example', 'a')).not.toBe('anonymous');
    expect(of(keys(1001)).scope('r1.example', 'a')).toBe('anonymous');
  });

  it('that are not read at all are said to be so, where nothing else gives an account', () => {
    expect(withoutPullSecrets(anonymous).explain?.('quay.io', 'a')).toBe(
      'Pull secrets of workloads are not read here (--no-pull-secrets, pullSecrets.mode of the chart).',
    );
    const others = of(auths('a', { 'ghcr.io': user('me') }));
    expect(withoutPullSecrets(others).explain?.('ghcr.io', 'a')).toBe(
      'The account is that of secret a in namespace shop.',
    );
    expect(withoutPullSecrets(others).scope('ghcr.io', 'a')).toBe(others.scope('ghcr.io', 'a'));
  });
});
