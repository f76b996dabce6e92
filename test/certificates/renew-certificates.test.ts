import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthority, issueServingCertificate } from '../../src/certificates/issue-certificates.ts';
import { noCertificates, renewCertificates } from '../../src/certificates/renew-certificates.ts';
import type { KeptCertificates } from '../../src/certificates/renew-certificates.ts';

const hourMs = 3_600_000;
const times = { authorityLifetimeMs: 300 * hourMs, certificateLifetimeMs: 90 * hourMs, settleMs: hourMs };
const startMs = Date.UTC(2026, 10, 27);
const at = (hours: number): number => startMs + hours * hourMs;
const hosts = ['refwarden.refwarden-system.svc'];
const renew = (kept: KeptCertificates, hours: number, wanted = hosts) =>
  renewCertificates(kept, wanted, at(hours), times);
const first = await made(noCertificates, 0);

async function made(kept: KeptCertificates, hours: number, wanted = hosts): Promise<KeptCertificates> {
  const renewal = await renew(kept, hours, wanted);
  if (renewal === undefined) throw new Error('nothing was renewed');
  return renewal.kept;
}

const authoritiesOf = ({ authorities }: KeptCertificates): X509Certificate[] =>
  (authorities.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
const leafOf = ({ certificate }: KeptCertificates): X509Certificate => new X509Certificate(certificate);
const signerOf = (kept: KeptCertificates): number =>
  authoritiesOf(kept).findIndex(({ publicKey }) => leafOf(kept).verify(publicKey));

describe('renewCertificates', () => {
  it('makes an authority and a certificate where there are none', async () => {
    expect((await renew(noCertificates, 0))?.reason).toBe('The first authority and certificate were made.');
    expect(signerOf(first)).toBe(0);
    expect(authoritiesOf(first)).toHaveLength(1);
    expect(leafOf(first).checkHost(hosts[0] ?? '')).toBe(hosts[0]);
    expect(leafOf(first).checkPrivateKey(createPrivateKey(first.key))).toBe(true);
  });

  it('leaves what is neither due nor broken', async () => {
    expect(await renew(first, 59)).toBeUndefined();
  });

  it('renews a certificate past two thirds of its life, by the same authority', async () => {
    const next = await made(first, 60.1);
    expect(next.authorities).toBe(first.authorities);
    expect(next.certificate).not.toBe(first.certificate);
    expect(signerOf(next)).toBe(0);
  });

  it('adds an authority past two thirds of the life of the last, which goes on signing nothing but what it signed', async () => {
    const serving = await made(first, 195);
    const rotated = await made(serving, 200.1);
    expect(authoritiesOf(rotated)).toHaveLength(2);
    expect(rotated.certificate).toBe(serving.certificate);
    expect(signerOf(rotated)).toBe(1);
    expect(rotated.authorities.endsWith(serving.authorities)).toBe(true);
    // The certificate is due, yet the new authority has not settled.
    const late = await made(first, 139.5);
    expect(await renew({ ...rotated, certificate: late.certificate, key: late.key }, 201)).toBeUndefined();
    const renewed = await made(rotated, 256);
    expect(signerOf(renewed)).toBe(0);
    expect(authoritiesOf(renewed)).toHaveLength(2);
  });

  it('removes authorities that have expired, and keeps no more than four', async () => {
    const rotated = await made(await made(first, 195), 200.1);
    expect(authoritiesOf(await made(await made(rotated, 256), 300.1))).toHaveLength(1);
    let many = first;
    for (let i = 0; i < 6; i++) many = await made({ ...many, authorityKey: '' }, 1);
    expect(authoritiesOf(many)).toHaveLength(4);
  });

  it.each<[string, Partial<KeptCertificates>]>([
    ['missing', { certificate: '' }],
    ['garbage', { certificate: 'garbage' }],
    ['without its key', { key: '' }],
    ['with the key of another', { key: first.authorityKey }],
  ])('issues anew a certificate that is %s, by the same authority', async (_what, change) => {
    const next = await made({ ...first, ...change }, 1);
    expect(next.authorities).toBe(first.authorities);
    expect(signerOf(next)).toBe(0);
    expect(leafOf(next).checkPrivateKey(createPrivateKey(next.key))).toBe(true);
  });

  it('issues anew a certificate that has expired, is for other hosts or of a stranger', async () => {
    expect((await renew(first, 91))?.reason).toBe('A new certificate was issued: it has expired.');
    const moved = await renew(first, 1, [...hosts, '10.0.0.1']);
    expect(moved?.reason).toBe('A new certificate was issued: it is not for 10.0.0.1.');
    expect(leafOf(moved?.kept ?? first).checkIP('10.0.0.1')).toBe('10.0.0.1');
    const term = { fromMs: at(0), lifetimeMs: hourMs * 90 };
    const strange = await issueServingCertificate(await createAuthority('Stranger', term), hosts, term);
    const replaced = await renew({ ...first, certificate: strange.certPem, key: strange.keyPem }, 1);
    expect(replaced?.reason).toBe('A new certificate was issued: nobody who is trusted signed it.');
  });

  it('T33 issues anew a certificate that names the authority which did not sign it', async () => {
    const forged = Buffer.from(leafOf(first).raw);
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    const certificate = `-----BEGIN CERTIFICATE-----\n${forged.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const replaced = await renew({ ...first, certificate }, 1);
    expect(replaced?.reason).toBe('A new certificate was issued: nobody who is trusted signed it.');
  });

  it('issues anew a certificate of a clock that was ahead, by the authority that counts now', async () => {
    // Past two thirds of the certificate, and of the authority.
    for (const ahead of [61, 201]) {
      const future = await made(first, ahead);
      const mended = await made(await made(future, ahead + 61), 2);
      expect(leafOf(mended).validFromDate.getTime()).toBeLessThanOrEqual(at(2));
      const signer = authoritiesOf(mended)[signerOf(mended)];
      expect(signer?.validFromDate.getTime()).toBeLessThanOrEqual(at(2));
      // Whoever serves by what was made in the future stays trusted when its time comes.
      for (const authority of authoritiesOf(future))
        expect(mended.authorities).toContain(authority.toString());
      expect(await renew(mended, 2)).toBeUndefined();
    }
  });

  it('issues anew a certificate by an authority that does not count yet', async () => {
    const future = await createAuthority('Ahead', { fromMs: at(100), lifetimeMs: 300 * hourMs });
    const leaf = await issueServingCertificate(future, hosts, { fromMs: at(0), lifetimeMs: 90 * hourMs });
    const kept = { ...first, authorities: first.authorities + future.certPem };
    const mended = await made({ ...kept, certificate: leaf.certPem, key: leaf.keyPem }, 1);
    expect(signerOf(mended)).toBe(0);
    expect(mended.authorities).toBe(kept.authorities);
  });

  it('goes on with a certificate that works when the key of its authority is lost', async () => {
    const next = await made({ ...first, authorityKey: '' }, 1);
    expect(next.certificate).toBe(first.certificate);
    expect(signerOf(next)).toBe(1);
    expect(await renew(next, 1.1)).toBeUndefined();
  });

  it('drops what is no certificate from the authorities', async () => {
    const next = await made({ ...first, authorities: 'x', certificate: '' }, 1);
    expect(authoritiesOf(next)).toHaveLength(1);
    expect(signerOf(next)).toBe(0);
    expect((await renew({ ...first, authorities: 'x' }, 1))?.reason).toBe(
      'A new authority signed a certificate: there was none whose key is known; nobody who is trusted signed it.',
    );
  });
});
