import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key: ECDSA P-256, the key as PKCS #8. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Term {
  /** Milliseconds since the epoch; the certificate itself is dated a little earlier, as clocks differ. */
  readonly fromMs: number;
  readonly lifetimeMs: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** By how much clocks of one cluster may differ, milliseconds. */
const backdatedMs = 5 * 60 * 1000;

/** An authority that signs itself, for serving certificates only. */
export async function createAuthority(commonName: string, term: Term): Promise<KeyPair> {
  const keys = await newKeys();
  const authority = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity(term),
      name: [{ CN: [commonName] }],
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return keyPair(authority, keys);
}

/**
 * A serving certificate.
 * @param hosts DNS names and IP addresses, at least one.
 * @throws when the authority does not parse.
 */
export async function issueServingCertificate(
  authority: KeyPair,
  hosts: readonly string[],
  term: Term,
): Promise<KeyPair> {
  const signer = new X509Certificate(authority.certPem);
  const [signingKey, keys] = await Promise.all([importKey(authority.keyPem), newKeys()]);
  const certificate = await X509CertificateGenerator.create(
    {
      ...validity(term),
      subject: [{ CN: ['Refwarden'] }],
      issuer: signer.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        await AuthorityKeyIdentifierExtension.create(signer, false, webcrypto),
        new SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
        ),
      ],
    },
    webcrypto,
  );
  return keyPair(certificate, keys);
}

const validity = ({ fromMs, lifetimeMs }: Term): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(fromMs - backdatedMs),
  notAfter: new Date(fromMs + lifetimeMs),
});

async function keyPair(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<KeyPair> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certPem: `${certificate.toString('pem')}\n`,
    keyPem: `${PemConverter.encode(key, PemConverter.PrivateKeyTag)}\n`,
  };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), algorithm, false, ['sign']);
}
