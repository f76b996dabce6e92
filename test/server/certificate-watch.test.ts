import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CertificateWatch } from '../../src/server/certificate-watch.ts';
import type { CertificateWatchOptions } from '../../src/server/certificate-watch.ts';
import { loadServingCertificate } from '../../src/server/serving-certificate.ts';
import { mountedSecret } from '../support/mounted-secret.ts';
import { captureLog } from '../support/captured-log.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import type { TestCertificate } from '../support/tls-certificates.ts';

const dayMs = 24 * 3_600_000;

async function mounted(pair: TestCertificate) {
  const directory = await mkdtemp(join(tmpdir(), 'refwarden-secret-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const files = ({ cert, key }: TestCertificate) => ({ 'tls.crt': cert, 'tls.key': key });
  const secret = await mountedSecret(directory, files(pair));
  return {
    files: { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') },
    put: (next: TestCertificate) => secret.put(files(next)),
  };
}

async function start(options: Partial<CertificateWatchOptions> & { expiresAtMs?: number } = {}) {
  const authority = await createTestAuthority();
  const secret = await mounted(
    await authority.serving(
      options.expiresAtMs === undefined ? undefined : { expiresAtMs: options.expiresAtMs },
    ),
  );
  const { log, lines } = captureLog();
  const used: string[] = [];
  const watch = new CertificateWatch({
    files: secret.files,
    current: await loadServingCertificate(secret.files),
    use: ({ cert }) => used.push(cert),
    log,
    clock: { nowMs: () => Date.now() - 30 * dayMs },
    settleMs: 20,
    pollMs: 60_000,
    ...options,
  });
  onTestFinished(() => {
    watch.close();
  });
  return { authority, secret, lines, used, watch };
}

describe('CertificateWatch', () => {
  it('T33 takes a new pair into use when the mounted Secret is swapped', async () => {
    const { authority, secret, used, watch, lines } = await start();
    const next = await authority.serving();
    await secret.put(next);
    await expect.poll(() => used).toEqual([next.cert]);
    expect(watch.current.cert).toBe(next.cert);
    expect(lines()).toMatchObject([{ level: 'info', msg: 'A new serving certificate is in use' }]);
  });

  it('T33 finds a new pair without any event, by reading periodically', async () => {
    const { authority, secret, used } = await start({ settleMs: 60_000, pollMs: 20 });
    // An event plans a read in a minute, and must not put off the periodic one.
    const next = await authority.serving();
    await secret.put(next);
    await expect.poll(() => used).toEqual([next.cert]);
  });

  it('T33 keeps the last good pair when a new one cannot be used, and takes the next good one', async () => {
    const { authority, secret, used, watch, lines } = await start();
    const good = watch.current.cert;
    const next = await authority.serving();
    await secret.put({ cert: next.cert, key: (await authority.serving()).key });
    await expect
      .poll(() => lines()[0])
      .toMatchObject({
        level: 'error',
        code: 'ConfigurationInvalid',
        msg: 'The new serving certificate cannot be used; the last one stays',
      });
    expect([used, watch.current.cert]).toEqual([[], good]);
    await secret.put(next);
    await expect.poll(() => used).toEqual([next.cert]);
  });

  it('T33 counts a pair as in use only when the server took it', async () => {
    const { authority, secret, watch, lines } = await start({
      use: () => {
        throw new Error('refused by TLS');
      },
    });
    const good = watch.current.cert;
    await secret.put(await authority.serving());
    await expect.poll(() => lines()[0]).toMatchObject({ cause: { message: 'refused by TLS' } });
    expect(watch.current.cert).toBe(good);
  });

  it('T33 waits with a pair whose authority clients do not know yet, and says so once', async () => {
    let isPropagated = false;
    let asked = 0;
    const { authority, secret, used, lines } = await start({
      isPropagated: () => {
        asked++;
        return Promise.resolve(isPropagated);
      },
    });
    const next = await authority.serving();
    await secret.put(next);
    await expect.poll(() => asked).toBeGreaterThan(2);
    expect(used).toEqual([]);
    isPropagated = true;
    await expect.poll(() => used).toEqual([next.cert]);
    expect(lines().map(({ msg }) => msg)).toEqual([
      'A new serving certificate waits until the API server was told of its authority',
      'A new serving certificate is in use',
    ]);
  });

  it('T33 does not wait when the pair in use has expired', async () => {
    const clock = { nowMs: () => Date.now() };
    const isPropagated = (): Promise<boolean> => Promise.resolve(false);
    const { authority, secret, used } = await start({ clock, isPropagated, expiresAtMs: Date.now() - dayMs });
    const next = await authority.serving();
    await secret.put(next);
    await expect.poll(() => used).toEqual([next.cert]);
  });

  it('T33 warns once of a certificate that ends soon, and of one that has ended', async () => {
    const clock = { nowMs: () => Date.now() };
    const soon = await start({ clock, expiresAtMs: Date.now() + dayMs, pollMs: 5 });
    const past = await start({ clock, expiresAtMs: Date.now() - dayMs });
    await soon.secret.put(await soon.authority.serving({ expiresAtMs: Date.now() + 2 * dayMs }));
    await expect.poll(() => soon.lines().length).toBe(3);
    expect(soon.lines().map(({ msg }) => msg)).toEqual([
      'The serving certificate expires soon',
      'A new serving certificate is in use',
      'The serving certificate expires soon',
    ]);
    expect(past.lines()).toMatchObject([
      { level: 'warn', msg: 'The serving certificate has expired: the API server refuses it' },
    ]);
  });
});
