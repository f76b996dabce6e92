import { constants, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyKind } from './keys.ts';
import type { KeyKind } from './keys.ts';

interface Scheme {
  /** null: the scheme hashes by itself. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  readonly pss?: true;
}

/**
 * The key fixes what may be tried; nothing that the artifact says does. Sigstore's defaults for a kind come first; cosign signs
 * with SHA-256 whatever the curve unless told otherwise. Ed25519 is the pure scheme (node:crypto has no Ed25519ph).
 */
const schemes: Readonly<Record<KeyKind, readonly Scheme[]>> = {
  'P-256': [{ hash: 'sha256' }],
  'P-384': [{ hash: 'sha384' }, { hash: 'sha256' }],
  'P-521': [{ hash: 'sha512' }, { hash: 'sha256' }],
  RSA: [{ hash: 'sha256' }, { hash: 'sha256', pss: true }],
  Ed25519: [{ hash: null }],
};

/** Whether the key made the signature over the bytes, under a scheme of its kind. False for a key of an unusable kind. */
export function verifyBytes(bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const kind = keyKind(key);
  if (typeof kind !== 'string') return false;
  return schemes[kind].some(({ hash, pss }) => {
    try {
      const padding = pss
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
        : {};
      return verify(hash, bytes, { key, ...padding }, signature);
    } catch {
      return false; // some malformed signatures throw instead of failing
    }
  });
}
