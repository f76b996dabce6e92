import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { readTrust } from '../support/cosign-fixture.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';
import { TufRepository } from '../support/tuf-repository.ts';
import { serveMirror } from '../trust/served-mirror.ts';

const signed = fileURLToPath(new URL('../fixtures/cosign/keyless-bundle', import.meta.url));

/** `check` of an image that was signed keyless, by a trusted root of a TUF mirror. */
async function served() {
  const repository = new TufRepository();
  repository.publish(readTrust('trusted-root.json'));
  const mirror = await serveMirror(repository);
  const check = async (...more: string[]) => {
    await using registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
    await loadLayout(registry.store, 'acme/app', signed);
    const { image } = JSON.parse(await readFile(join(signed, 'case.json'), 'utf8')) as { image: string };
    const tuf = { mirror: `http://${mirror.host}`, root: repository.root };
    const text = JSON.stringify(
      JSON.parse(fixturePolicy(signedBy('people')), (key, value: unknown) =>
        key === 'trustedRoot' ? { tuf } : value,
      ),
    );
    await using policies = await writePolicyDirectory({ 'policy.json': text });
    return await runCommandLine(
      'check',
      `${registry.host}/acme/app@${image}`,
      '--policies',
      policies.path,
      '--plain-http',
      registry.host,
      ...more,
    );
  };
  return { repository, mirror, check };
}

describe('refwarden check with a trusted root of a TUF mirror', () => {
  it('reads the mirror first, and decides by what it says', async () => {
    const { mirror, check } = await served();
    const { code, out, err } = await check('--plain-http', mirror.host);
    expect([code, err], out).toEqual([0, '']);
    expect(mirror.asked).toContain('timestamp.json');
  });

  it('goes on with what the cache directory keeps', async () => {
    const { mirror, check } = await served();
    await using cache = await writePolicyDirectory({});
    expect((await check('--plain-http', mirror.host, '--cache-dir', cache.path)).code).toBe(0);
    await mirror.close();
    const { code, err, out } = await check('--plain-http', mirror.host, '--cache-dir', cache.path);
    expect([code, err], out).toEqual([0, '']);
  });

  it('T34 denies what the authorities of the mirror no longer vouch for', async () => {
    const { repository, mirror, check } = await served();
    const root = JSON.parse(readTrust('trusted-root.json')) as { certificateAuthorities: unknown[] };
    const other = JSON.parse(readTrust('trusted-root.json')) as {
      timestampAuthorities: { certChain: unknown }[];
    };
    root.certificateAuthorities = other.timestampAuthorities;
    repository.publish(JSON.stringify(root));
    const { code, out } = await check('--plain-http', mirror.host);
    expect([code, out]).toEqual([1, expect.stringContaining('CertificateInvalid')]);
  });

  it('T22 says why the mirror cannot be read, and admits nothing', async () => {
    const { mirror, check } = await served();
    await mirror.close();
    const { code, out, err } = await check('--plain-http', mirror.host);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(
      `PolicyNotReady: policy p (r): TrustedIssuer people: The TUF mirror ${mirror.host} has not been read yet: ` +
        `${mirror.host}/2.root.json: the connection failed (ECONNREFUSED). Nobody listens there: check host and port.`,
    );
  });

  it('T28 waits for a mirror that does not answer no longer than for everything else', async () => {
    const { mirror, check } = await served();
    mirror.intercept = () => true;
    const { code, err } = await check('--plain-http', mirror.host, '--timeout', '0.3');
    expect(code).toBe(2);
    expect(err).toContain(`The TUF mirror ${mirror.host} has not been read yet: it is being asked.`);
  });
});
