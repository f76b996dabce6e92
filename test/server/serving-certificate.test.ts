import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadAuthority, loadServingCertificate } from '../../src/server/serving-certificate.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';

async function files(contents: { cert?: string; key?: string }) {
  const directory = await mkdtemp(join(tmpdir(), 'refwarden-certificate-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const paths = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
  if (contents.cert !== undefined) await writeFile(paths.certFile, contents.cert);
  if (contents.key !== undefined) await writeFile(paths.keyFile, contents.key);
  return paths;
}

describe('loadServingCertificate', () => {
  it('reads a pair and when it ends, be it past', async () => {
    const expiresAtMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    const pair = await (await createTestAuthority()).serving({ expiresAtMs });
    expect(await loadServingCertificate(await files(pair))).toEqual({ ...pair, expiresAtMs });
  });

  it('refuses what is missing, garbled, too large or of another certificate, and names the file', async () => {
    const authority = await createTestAuthority();
    const pair = await authority.serving();
    const stranger = await authority.serving();
    const cases = [
      [{ key: pair.key }, 'tls.crt cannot be read (ENOENT).'],
      [{ cert: pair.cert }, 'tls.key cannot be read (ENOENT).'],
      [{ cert: 'garbled', key: pair.key }, 'tls.crt holds no PEM certificate.'],
      [{ cert: pair.cert, key: 'garbled' }, 'tls.key holds no PEM private key.'],
      [{ cert: 'x'.repeat(1024 * 1024 + 1), key: pair.key }, 'tls.crt is larger than 1048576 bytes.'],
      [{ cert: pair.cert, key: stranger.key }, 'tls.crt.'],
    ] as const;
    for (const [contents, end] of cases) {
      const error: unknown = await loadServingCertificate(await files(contents)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'ConfigurationInvalid',
        message: expect.stringMatching(new RegExp(`${RegExp.escape(end)}$`)) as string,
      });
    }
  });

  it('says that key and certificate do not belong together', async () => {
    const authority = await createTestAuthority();
    const { cert } = await authority.serving();
    const { key } = await authority.serving();
    const paths = await files({ cert, key });
    await expect(loadServingCertificate(paths)).rejects.toMatchObject({
      message: `The key in ${paths.keyFile} does not belong to the certificate in ${paths.certFile}.`,
    });
  });
});

describe('loadAuthority', () => {
  it('T33 refuses what the API server would not take: it could call nobody', async () => {
    const { ca } = await createTestAuthority();
    const other = await createTestAuthority('other');
    const load = async (cert: string): Promise<string> => loadAuthority((await files({ cert })).certFile);
    const both = `# ours\n${ca}\n${other.ca}\n`;
    expect(await load(both)).toBe(both);
    for (const broken of [
      '',
      'garbled',
      ca.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE'),
      ca.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE'),
      `${ca}\n-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n`,
      `${ca}\n${other.ca.slice(0, -40)}`,
      `${ca}\n-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n`,
    ]) {
      await expect(load(broken), broken).rejects.toMatchObject({
        code: 'ConfigurationInvalid',
        message: expect.stringMatching(/tls\.crt must hold PEM certificates of authorities/) as string,
      });
    }
  });
});
