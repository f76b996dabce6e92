import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { RefwardenError } from '../failures/failure.ts';
import { maxPemLength } from '../policy/resolved-issuer.ts';

const minRsaBits = 2048;
/** Larger moduli only cost time. */
const maxRsaBits = 8192;
/** Larger exponents only cost time, up to seconds for each signature. */
const maxRsaExponent = 2n ** 31n - 1n;

export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'Ed25519';

export interface PublicKey {
  readonly key: KeyObject;
  readonly kind: KeyKind;
  /** `sha256:<hex>` of the canonical DER SubjectPublicKeyInfo. */
  readonly fingerprint: string;
}

const curves: Readonly<Record<string, KeyKind>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/**
 * A PEM SubjectPublicKeyInfo of a kind that signatures are verified with.
 * @throws RefwardenError `IssuerInvalid`; the message says what is wrong and never repeats the text.
 */
export function parsePublicKey(pem: string): PublicKey {
  const text = pem.trim();
  if (text.length > maxPemLength) refuse(`The key is longer than ${maxPemLength} characters.`);
  // createPublicKey would derive a public key from these: the first must never be in a policy, the second has an expiry that would be lost.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    refuse('The PEM holds a private key: give the public key, and take the private one for leaked.');
  }
  if (text.includes('-----BEGIN CERTIFICATE-----'))
    refuse('The PEM holds a certificate: give its public key.');
  if (/^-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----$/.test(text)) {
    if (!/^-----[A-Z ]+-----[A-Za-z0-9+/=\s]+-----/.test(text)) refuse('What the PEM holds is no base64.');
  } else {
    refuse('The PEM is not a single block "-----BEGIN PUBLIC KEY-----".');
  }
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch (cause) {
    throw new RefwardenError('IssuerInvalid', 'The PEM does not parse as a public key.', cause);
  }
  const kind = keyKind(key);
  if (typeof kind !== 'string') refuse(kind.unusable);
  const canonical = canonicalKey(key);
  return { key: canonical, kind, fingerprint: keyFingerprint(canonical) };
}

/** Through JWK, so that one key has one fingerprint however its point or parameters were encoded. */
export function canonicalKey(key: KeyObject): KeyObject {
  return createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
}

/** `sha256:<hex>` of the DER SubjectPublicKeyInfo of a {@link canonicalKey}. */
export const keyFingerprint = (canonical: KeyObject): string =>
  `sha256:${spkiHash(canonical).toString('hex')}`;

/** The kind of a key, or why it is not used. */
export function keyKind(key: KeyObject): KeyKind | { readonly unusable: string } {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = 'unknown' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'Ed25519';
    case 'ec':
      return (
        curves[namedCurve] ?? {
          unusable: `The curve ${namedCurve} is not supported: use P-256, P-384 or P-521.`,
        }
      );
    case 'rsa':
      if (modulusLength < minRsaBits)
        return { unusable: `The RSA key has ${modulusLength} bits: use ${minRsaBits} or more.` };
      if (modulusLength > maxRsaBits)
        return { unusable: `The RSA key has ${modulusLength} bits: use ${maxRsaBits} or fewer.` };
      if (publicExponent < 3n || publicExponent > maxRsaExponent || publicExponent % 2n === 0n)
        return { unusable: 'The RSA key has an exponent that no key should have: use 65537.' };
      return 'RSA';
    default:
      return {
        unusable: `Keys of type ${key.asymmetricKeyType ?? 'unknown'} are not supported: use ECDSA, RSA or Ed25519.`,
      };
  }
}

/** SHA-256 of the DER SubjectPublicKeyInfo. */
export function spkiHash(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest();
}

function refuse(message: string): never {
  throw new RefwardenError('IssuerInvalid', message);
}
