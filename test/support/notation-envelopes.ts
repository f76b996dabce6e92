import { constants, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { encode, Tagged } from 'cborg';
import { signedAtMs } from './notation-certificates.ts';

type Fields = Record<string, unknown>;

const payloadContentType = 'application/vnd.cncf.notary.payload.v1+json';

/** What is signed, and how; every part can be changed before it is signed, or after. */
export interface EnvelopeOptions {
  readonly key: KeyObject;
  /** DER, from the leaf to the root. */
  readonly certificates: readonly Uint8Array[];
  readonly target?: { readonly mediaType: string; readonly digest: string; readonly size: number };
  /** In the place of the payload with the target. */
  readonly payload?: Uint8Array;
  readonly algorithm?: string;
  /** Changes the protected header before it is signed. */
  readonly protect?: (header: Fields) => Fields;
  /** Changes the unprotected header. */
  readonly unprotect?: (header: Fields) => Fields;
  /** Changes the signature. */
  readonly spoil?: (signature: Buffer) => Buffer;
}

const names: Readonly<Record<string, [algorithm: string, hash: string]>> = {
  prime256v1: ['ES256', 'sha256'],
  secp384r1: ['ES384', 'sha384'],
  secp521r1: ['ES512', 'sha512'],
  '2048': ['PS256', 'sha256'],
  '3072': ['PS384', 'sha384'],
  '4096': ['PS512', 'sha512'],
};
const coseLabels: Readonly<Record<string, number>> = {
  PS256: -37,
  PS384: -38,
  PS512: -39,
  ES256: -7,
  ES384: -35,
  ES512: -36,
};

const algorithmOf = (key: KeyObject): [algorithm: string, hash: string] => {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  return names[namedCurve ?? String(modulusLength)] ?? ['ES256', 'sha256'];
};

function signRaw(key: KeyObject, bytes: Uint8Array): Buffer {
  const [, hash] = algorithmOf(key);
  return key.asymmetricKeyType === 'rsa'
    ? sign(hash, bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    : sign(key.asymmetricKeyType === 'ed25519' ? null : hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
}

const payloadOf = ({ payload, target }: EnvelopeOptions): Buffer =>
  Buffer.from(payload ?? JSON.stringify({ targetArtifact: target }));
const same = <T>(value: T): T => value;
const timeText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The parts of a JWS as an object, for tests that change it as a whole. */
export function makeJws(options: EnvelopeOptions): Fields {
  const { key, certificates, protect = same, unprotect = same, spoil = same } = options;
  const header = protect({
    alg: options.algorithm ?? algorithmOf(key)[0],
    cty: payloadContentType,
    crit: ['io.cncf.notary.signingScheme'],
    'io.cncf.notary.signingScheme': 'notary.x509',
    'io.cncf.notary.signingTime': timeText(signedAtMs),
  });
  return jwsOf(JSON.stringify(header), {
    ...options,
    certificates,
    spoil,
    unprotect,
  });
}

/** A JWS over a protected header that is given as text. */
export function jwsOf(header: string, options: EnvelopeOptions): Fields {
  const { key, certificates, unprotect = same, spoil = same } = options;
  const encoded = Buffer.from(header).toString('base64url');
  const payload = payloadOf(options).toString('base64url');
  const signature = spoil(signRaw(key, Buffer.from(`${encoded}.${payload}`)));
  return {
    payload,
    protected: encoded,
    header: unprotect({
      x5c: certificates.map((der) => Buffer.from(der).toString('base64')),
      'io.cncf.notary.signingAgent': 'test/1.0',
    }),
    signature: signature.toString('base64url'),
  };
}

export const jwsBytes = (options: EnvelopeOptions): Uint8Array =>
  Buffer.from(JSON.stringify(makeJws(options)));

/** A CBOR time. */
export const coseTime = (ms: number): Tagged => new Tagged(1, ms / 1000);

export const encodeCbor = (value: unknown): Uint8Array => encode(value);

/** Labels that are numbers are written as such. */
const asMap = (fields: Fields): Map<string | number, unknown> =>
  new Map(
    Object.entries(fields).map(([label, value]) => [/^-?\d+$/.test(label) ? Number(label) : label, value]),
  );

/** The four parts of a COSE_Sign1. */
export function makeCose(options: EnvelopeOptions): [Uint8Array, unknown, Uint8Array, Uint8Array] {
  const { key, protect = same } = options;
  const header = protect({
    1: coseLabels[options.algorithm ?? algorithmOf(key)[0]] ?? Number(options.algorithm),
    2: ['io.cncf.notary.signingScheme'],
    3: payloadContentType,
    'io.cncf.notary.signingScheme': 'notary.x509',
    'io.cncf.notary.signingTime': coseTime(signedAtMs),
  });
  return coseOf(encodeCbor(asMap(header)), options);
}

/** A COSE_Sign1 over protected headers that are given as bytes. */
export function coseOf(
  header: Uint8Array,
  options: EnvelopeOptions,
): [Uint8Array, unknown, Uint8Array, Uint8Array] {
  const { key, certificates, unprotect = same, spoil = same } = options;
  const payload = payloadOf(options);
  const signed = encodeCbor(['Signature1', header, new Uint8Array(0), Uint8Array.from(payload)]);
  const unprotected = unprotect({
    33: certificates.map((der) => Uint8Array.from(der)),
    'io.cncf.notary.signingAgent': 'test/1.0',
  });
  return [header, asMap(unprotected), Uint8Array.from(payload), Uint8Array.from(spoil(signRaw(key, signed)))];
}

export const coseBytes = (options: EnvelopeOptions): Uint8Array =>
  encodeCbor(new Tagged(18, makeCose(options)));
