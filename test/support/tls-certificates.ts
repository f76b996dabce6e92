import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of its own for one test file; nothing is read from or written to disk. */
export interface TestAuthority {
  readonly ca: string;
  /** For `localhost` and 127.0.0.1. */
  serving(validity?: { readonly expiresAtMs: number }): Promise<TestCertificate>;
  client(): Promise<TestCertificate>;
}

export async function createTestAuthority(name = 'Test CA'): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - hourMs),
      notAfter: new Date(Date.now() + hourMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const issue = async (subject: string, usage: string, expiresAtMs: number): Promise<TestCertificate> => {
    const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const issued = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${subject}`,
        issuer: certificate.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore: new Date(Math.min(Date.now(), expiresAtMs) - hourMs),
        notAfter: new Date(expiresAtMs),
        extensions: [
          new x509.ExtendedKeyUsageExtension([usage]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: 'localhost' },
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      },
      webcrypto,
    );
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return { cert: issued.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  };
  return {
    ca: certificate.toString('pem'),
    serving: (validity) =>
      issue('localhost', x509.ExtendedKeyUsage.serverAuth, validity?.expiresAtMs ?? Date.now() + hourMs),
    client: () => issue('kube-apiserver', x509.ExtendedKeyUsage.clientAuth, Date.now() + hourMs),
  };
}
