import { constants, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyKind } from '../keys.ts';

interface Algorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** `alg` of a COSE header (IANA "COSE Algorithms"). */
  readonly coseLabel: number;
  /** RSA modulus in bits, or curve as node:crypto names it: one key, one algorithm. */
  readonly key:
    { readonly modulusBits: number } | { readonly curve: string; readonly signatureBytes: number };
}

/** The only algorithms there are (signature-specification.md "Signature Algorithm Requirements"), by their JWS name. */
const algorithms = {
  PS256: { hash: 'sha256', coseLabel: -37, key: { modulusBits: 2048 } },
  PS384: { hash: 'sha384', coseLabel: -38, key: { modulusBits: 3072 } },
  PS512: { hash: 'sha512', coseLabel: -39, key: { modulusBits: 4096 } },
  ES256: { hash: 'sha256', coseLabel: -7, key: { curve: 'prime256v1', signatureBytes: 64 } },
  ES384: { hash: 'sha384', coseLabel: -35, key: { curve: 'secp384r1', signatureBytes: 96 } },
  ES512: { hash: 'sha512', coseLabel: -36, key: { curve: 'secp521r1', signatureBytes: 132 } },
} as const satisfies Record<string, Algorithm>;
export type AlgorithmName = keyof typeof algorithms;

const named = Object.entries(algorithms) as readonly [AlgorithmName, Algorithm][];

/** The one algorithm that a key signs with; undefined for a key that may not sign. */
export function algorithmOfKey(key: KeyObject): AlgorithmName | undefined {
  if (typeof keyKind(key) !== 'string') return undefined;
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return named.find(([, { key: wanted }]) =>
    'curve' in wanted
      ? key.asymmetricKeyType === 'ec' && wanted.curve === namedCurve
      : key.asymmetricKeyType === 'rsa' && wanted.modulusBits === modulusLength,
  )?.[0];
}

/** The JWS name of a COSE algorithm, or a text that is the name of none. */
export function nameOfCoseLabel(label: number): string {
  return named.find(([, { coseLabel }]) => coseLabel === label)?.[0] ?? `COSE ${label}`;
}

/** The keys that may sign, for messages. */
export const signingKeys = 'RSA of 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521';

/**
 * Whether the key made the signature.
 * @param signature for ECDSA r and s side by side, as JWS and COSE have it; not DER.
 */
export function verifyRawSignature(
  name: AlgorithmName,
  key: KeyObject,
  signedBytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { hash, key: kind } = algorithms[name] as Algorithm;
  try {
    if ('curve' in kind) {
      return (
        signature.length === kind.signatureBytes &&
        verify(hash, signedBytes, { key, dsaEncoding: 'ieee-p1363' }, signature)
      );
    }
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return verify(hash, signedBytes, { key, padding, saltLength }, signature);
  } catch {
    return false; // some malformed signatures throw instead of failing
  }
}
