import { constants, createECDH, publicDecrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import { keyKind } from './keys.ts';

// node:crypto always hashes what it verifies. Nothing here is secret, so nothing has to take constant time.

interface Curve {
  /** As node:crypto calls it. */
  readonly name: string;
  /** Prime of the field, and order of the group (NIST SP 800-186, section 3.2.1). */
  readonly prime: bigint;
  readonly order: bigint;
}
interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

const curves: Readonly<Record<string, Curve>> = {
  'P-256': {
    name: 'prime256v1',
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'secp384r1',
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'P-521': {
    name: 'secp521r1',
    prime: 2n ** 521n - 1n,
    order:
      0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};
/** DER of a DigestInfo before its SHA-256 (RFC 8017, section 9.2). */
const sha256Info = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/**
 * Whether the key made the signature over what has this SHA-256: ECDSA and RSA PKCS #1 v1.5. False for other schemes:
 * Ed25519 needs the bytes themselves.
 */
export function verifySha256(sha256: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const kind = keyKind(key);
  if (typeof kind !== 'string') return false;
  try {
    const curve = curves[kind];
    if (curve !== undefined) return verifyEcdsa(sha256, key, signature, curve);
    if (kind !== 'RSA') return false;
    const info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return info.equals(Buffer.concat([sha256Info, sha256]));
  } catch {
    return false; // malformed signatures throw
  }
}

/** FIPS 186-5, section 6.4.2; a SHA-256 is never longer than the order, so that nothing is cut off. */
function verifyEcdsa(sha256: Uint8Array, key: KeyObject, signature: Uint8Array, curve: Curve): boolean {
  const { name, order, prime } = curve;
  const { subs } = ASN1Obj.parseBuffer(Buffer.from(signature));
  if (subs.length !== 2) return false;
  const [r = 0n, s = 0n] = subs.map((integer) => integer.toInteger());
  if (r <= 0n || r >= order || s <= 0n || s >= order) return false;
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const inverseS = inverse(s, order);
  const point = add(
    multiply(modulo(fromBytes(sha256) * inverseS, order), generator(name), prime),
    multiply(
      modulo(r * inverseS, order),
      { x: fromBytes(Buffer.from(x, 'base64url')), y: fromBytes(Buffer.from(y, 'base64url')) },
      prime,
    ),
    prime,
  );
  return point !== undefined && modulo(point.x, order) === r;
}

/** The public key of the private key 1. */
function generator(name: string): Point {
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(Buffer.from([1]));
  const bytes = ecdh.getPublicKey().subarray(1);
  return {
    x: fromBytes(bytes.subarray(0, bytes.length / 2)),
    y: fromBytes(bytes.subarray(bytes.length / 2)),
  };
}

/** On y^2 = x^3 - 3x + b; undefined is the point at infinity. */
function add(a: Point | undefined, b: Point | undefined, prime: bigint): Point | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.x === b.x && modulo(a.y + b.y, prime) === 0n) return undefined;
  const slope =
    a.x === b.x ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, prime) : (b.y - a.y) * inverse(b.x - a.x, prime);
  const x = modulo(slope * slope - a.x - b.x, prime);
  return { x, y: modulo(slope * (a.x - x) - a.y, prime) };
}

function multiply(scalar: bigint, point: Point, prime: bigint): Point | undefined {
  let sum: Point | undefined;
  let doubled: Point | undefined = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubled, prime);
    doubled = add(doubled, doubled, prime);
  }
  return sum;
}

/** Of a number that is no multiple of the modulus, a prime: by Euclid. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [modulo(value, modulus), modulus, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return modulo(x, modulus);
}

const modulo = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus;

const fromBytes = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
