import 'reflect-metadata';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { parseNotationCertificate } from '../../../src/verification/notation/notation-certificate.ts';
import { parseSigningCertificate } from '../../../src/verification/signing-certificate.ts';
import { readDerCertificate } from '../../../src/verification/x509/der-certificate.ts';
import { makeFulcioCertificate } from '../../support/fulcio-certificate.ts';
import { issue, leafExtensions } from '../../support/notation-certificates.ts';

const own = '1.3.6.1.4.1.99999.1';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = 'https://accounts.example';
const names = (value: string) => [{ type: 'email', value }] as const;

describe('T15 T36 a certificate that holds another one as text', () => {
  it('is not taken for that one', async () => {
    const inner = await issue({ subject: 'CN=inner' });
    const pem = Buffer.from(`\n${inner.pem}\n`);
    const outer = await issue({
      subject: 'CN=outer',
      extensions: [...leafExtensions(), new x509.Extension(own, false, pem)],
    });
    // What this guards against: Node's parser looks for PEM first.
    expect(new X509Certificate(outer.der).subject).toBe('CN=inner');
    expect(() => readDerCertificate(outer.der)).toThrow('not one certificate in DER');
    expect(() => parseNotationCertificate(outer.der)).toThrow(
      expect.objectContaining({ code: 'CertificateInvalid' }) as Error,
    );
  });

  it('is not taken for that one where Fulcio gave it out', async () => {
    const inner = await makeFulcioCertificate(key, key.publicKey, {
      issuer,
      names: names('admin@acme.example'),
    });
    const pem = new x509.X509Certificate(inner).toString('pem');
    const outer = await makeFulcioCertificate(key, key.publicKey, {
      issuer,
      names: names('mallory@acme.example'),
      raw: [{ oid: own, value: Buffer.from(`\n${pem}\n`) }],
    });
    expect(new X509Certificate(outer).subjectAltName).toContain('admin@acme.example');
    expect(() => parseSigningCertificate(outer)).toThrow(
      expect.objectContaining({ code: 'CertificateInvalid' }) as Error,
    );
  });

  it('is refused with bytes behind it, and as text', async () => {
    const { der, pem } = await issue({});
    expect(readDerCertificate(der).raw).toEqual(Buffer.from(der));
    expect(() => readDerCertificate(Buffer.concat([der, Buffer.of(0)]))).toThrow();
    expect(() => readDerCertificate(Buffer.from(pem))).toThrow('not one certificate in DER');
  });
});
