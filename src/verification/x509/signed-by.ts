import { constants, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyKind } from '../keys.ts';
import type { KeyKind } from '../keys.ts';
import { contextTag, derTag, openDer } from './der.ts';
import type { DerReader } from './der.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

const hashes: Readonly<Record<string, HashName>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** What an AlgorithmIdentifier of a signature says. SHA-1 and older have no entry, and so verify nothing. */
export interface SignatureAlgorithm {
  readonly keys: 'RSA' | 'EC' | 'Ed25519';
  /** null: the scheme hashes by itself; absent: it does not say. */
  readonly hash?: HashName | null;
  /** PSS, with the length of its salt in bytes. */
  readonly pssSaltLength?: number;
}

const rsaEncryption = '1.2.840.113549.1.1.1';
const rsaPss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';
const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  [rsaEncryption]: { keys: 'RSA' },
  '1.2.840.113549.1.1.11': { keys: 'RSA', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { keys: 'RSA', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { keys: 'RSA', hash: 'sha512' },
  '1.2.840.10045.2.1': { keys: 'EC' },
  '1.2.840.10045.4.3.2': { keys: 'EC', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { keys: 'EC', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { keys: 'EC', hash: 'sha512' },
  '1.3.101.112': { keys: 'Ed25519', hash: null },
};

/** A SHA-2 hash out of an AlgorithmIdentifier's content; undefined for any other. */
export function readHash(algorithm: DerReader): HashName | undefined {
  const oid = algorithm.oid();
  algorithm.optional(derTag.null);
  algorithm.finish();
  return hashes[oid];
}

/** Out of an AlgorithmIdentifier (RFC 5754, RFC 4055, RFC 8410); undefined for one that is not supported. */
export function readSignatureAlgorithm(identifier: Uint8Array): SignatureAlgorithm | undefined {
  const reader = openDer(identifier);
  const oid = reader.oid();
  if (oid === rsaPss) return readPss(reader);
  reader.optional(derTag.null);
  reader.finish();
  return algorithms[oid];
}

/** RSASSA-PSS-params; its defaults are SHA-1, so that hash and mask must be named, and be the same. */
function readPss(reader: DerReader): SignatureAlgorithm | undefined {
  if (reader.isAtEnd) return undefined;
  const params = reader.open();
  reader.finish();
  const hash = params.openOptional(contextTag(0, 'constructed'));
  const mask = params.openOptional(contextTag(1, 'constructed'));
  const salt = params.openOptional(contextTag(2, 'constructed'));
  const trailer = params.openOptional(contextTag(3, 'constructed'));
  params.finish();
  if (hash === undefined || mask === undefined || salt === undefined) return undefined;
  const name = readHash(hash.open());
  const maskGenerator = mask.open();
  if (maskGenerator.oid() !== mgf1 || readHash(maskGenerator.open()) !== name) return undefined;
  if (name === undefined || (trailer !== undefined && trailer.count() !== 1)) return undefined;
  return { keys: 'RSA', hash: name, pssSaltLength: salt.count() };
}

const keysOf: Readonly<Record<KeyKind, SignatureAlgorithm['keys']>> = {
  'P-256': 'EC',
  'P-384': 'EC',
  'P-521': 'EC',
  RSA: 'RSA',
  Ed25519: 'Ed25519',
};

/** Whether the key made the signature by that algorithm. False for a key of an unusable kind or size. */
export function isSignedBy(
  bytes: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
  algorithm: SignatureAlgorithm,
): boolean {
  const kind = keyKind(key);
  const { hash, keys, pssSaltLength } = algorithm;
  if (typeof kind !== 'string' || keysOf[kind] !== keys || hash === undefined) return false;
  const padding =
    pssSaltLength === undefined
      ? {}
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSaltLength };
  try {
    return verify(hash, bytes, { key, ...padding }, signature);
  } catch {
    return false; // some malformed signatures throw instead of failing
  }
}

/** Signed bytes, algorithm and signature: the frame of certificates, lists and OCSP answers (RFC 5280, 4.1). */
export interface SignedFrame {
  /** The signed element. */
  readonly body: Uint8Array;
  readonly algorithm: SignatureAlgorithm | undefined;
  readonly signature: Uint8Array;
}

/** @param reader of the frame's content. */
export function readSignedFrame(reader: DerReader): SignedFrame {
  const body = reader.read(derTag.sequence).whole;
  const algorithm = readSignatureAlgorithm(reader.read(derTag.sequence).whole);
  return { body, algorithm, signature: reader.bitString() };
}

export function verifyFrame({ body, algorithm, signature }: SignedFrame, key: KeyObject): boolean {
  return algorithm !== undefined && isSignedBy(body, key, signature, algorithm);
}
