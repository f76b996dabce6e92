import { constants, createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { pem } from './sigstore-authority.ts';
import type { CertificateRequest, LogEntryJson, SigstoreAuthority } from './sigstore-authority.ts';

// Bundles in every shape that signing tools write: by version, content, signer, kind of log entry and timestamp.

const inToto = 'application/vnd.in-toto+json';
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

const versions = {
  'v0.1': 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'v0.2': 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'v0.3': 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const;
export type BundleVersion = keyof typeof versions;

/** By kind and version of the log's schema; those of version 0.0.2 but intoto's are of Rekor v2. */
export type EntryKind =
  'hashedrekord 0.0.1' | 'hashedrekord 0.0.2' | 'dsse 0.0.1' | 'dsse 0.0.2' | 'intoto 0.0.2' | 'intoto 0.0.1';

export interface Shape {
  readonly version?: BundleVersion;
  /** Bytes that are signed themselves; else the statement is, in an envelope. */
  readonly message?: Uint8Array;
  readonly statement?: object;
  readonly keyPair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** Of the signature; null for Ed25519. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512' | null;
  readonly pss?: boolean;
  /** Absent: the bare key signs. */
  readonly certificate?: CertificateRequest;
  readonly entries?: readonly EntryKind[];
  /** Logs beside the authority's own. */
  readonly logs?: readonly Pick<SigstoreAuthority, 'log'>[];
  /** What the entries prove themselves with; both unless given. Rekor v2 makes no promises. */
  readonly proof?: 'promise' | 'inclusion';
  readonly timestamps?: readonly Pick<SigstoreAuthority, 'timestamp'>[];
}

/** The JSON text of such a bundle. */
export async function signShape(authority: SigstoreAuthority, shape: Shape): Promise<string> {
  const { version = 'v0.3', message, statement = {}, keyPair, hash = 'sha256', entries = [] } = shape;
  const payload = message ?? Buffer.from(JSON.stringify(statement));
  const signedBytes = message ?? dsse.preAuthEncoding(inToto, Buffer.from(payload));
  const padding = shape.pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const signature = sign(hash, signedBytes, { key: keyPair.privateKey, ...padding });
  const certificate = shape.certificate && (await authority.issue(keyPair.publicKey, shape.certificate));
  const parts = { payload, signedBytes, signature, publicKey: keyPair.publicKey, certificate };
  const tlogEntries: LogEntryJson[] = [];
  for (const { log } of [authority, ...(shape.logs ?? [])]) {
    for (const kind of entries)
      tlogEntries.push(proven(await log(entryBody(kind, parts)), kind, shape.proof));
  }
  const stamps = await Promise.all((shape.timestamps ?? []).map(({ timestamp }) => timestamp(signature)));
  const algorithm = hash === null ? 'sha256' : hash;
  return JSON.stringify({
    mediaType: versions[version],
    verificationMaterial: {
      ...signerOf(version, certificate),
      tlogEntries,
      timestampVerificationData: {
        rfc3161Timestamps: stamps.map((der) => ({ signedTimestamp: der.toString('base64') })),
      },
    },
    ...(message === undefined
      ? {
          dsseEnvelope: {
            payload: Buffer.from(payload).toString('base64'),
            payloadType: inToto,
            signatures: [{ sig: signature.toString('base64') }],
          },
        }
      : {
          messageSignature: {
            messageDigest: {
              algorithm: `SHA2_${algorithm.slice(3)}`,
              digest: createHash(algorithm).update(message).digest('base64'),
            },
            signature: signature.toString('base64'),
          },
        }),
  });
}

function signerOf(version: BundleVersion, certificate: Buffer | undefined): object {
  if (certificate === undefined) return { publicKey: { hint: '' } };
  const rawBytes = certificate.toString('base64');
  return version === 'v0.3'
    ? { certificate: { rawBytes } }
    : { x509CertificateChain: { certificates: [{ rawBytes }] } };
}

function proven(entry: LogEntryJson, kind: EntryKind, proof: Shape['proof']): LogEntryJson {
  const rekor2 = kind === 'hashedrekord 0.0.2' || kind === 'dsse 0.0.2';
  const { inclusionPromise, inclusionProof, ...rest } = entry;
  const promised = rekor2 || proof === 'inclusion' ? {} : { inclusionPromise };
  return {
    ...rest,
    ...promised,
    ...(proof === 'promise' ? {} : { inclusionProof }),
    ...(rekor2 ? { integratedTime: '0' } : {}),
  };
}

interface Parts {
  readonly payload: Uint8Array;
  readonly signedBytes: Uint8Array;
  readonly signature: Buffer;
  readonly publicKey: KeyObject;
  readonly certificate: Buffer | undefined;
}

function entryBody(kind: EntryKind, parts: Parts): object {
  const { payload, signedBytes, signature, publicKey, certificate } = parts;
  const [name = '', apiVersion = ''] = kind.split(' ');
  const content = signature.toString('base64');
  const signer =
    certificate === undefined ? publicKey.export({ format: 'pem', type: 'spki' }) : pem(certificate);
  const signerPem = Buffer.from(signer).toString('base64');
  const verifier =
    certificate === undefined
      ? { publicKey: { rawBytes: publicKey.export({ format: 'der', type: 'spki' }).toString('base64') } }
      : { x509Certificate: { rawBytes: certificate.toString('base64') } };
  const hex = (bytes: Uint8Array) => ({ algorithm: 'sha256', value: sha256(bytes).toString('hex') });
  const digest = (bytes: Uint8Array) => ({ algorithm: 'SHA2_256', digest: sha256(bytes).toString('base64') });
  const spec = {
    'hashedrekord 0.0.1': {
      signature: { content, publicKey: { content: signerPem } },
      data: { hash: hex(signedBytes) },
    },
    'hashedrekord 0.0.2': {
      hashedRekordV002: { data: digest(signedBytes), signature: { content, verifier } },
    },
    'dsse 0.0.1': {
      payloadHash: hex(payload),
      envelopeHash: hex(payload),
      signatures: [{ signature: content, verifier: signerPem }],
    },
    'dsse 0.0.2': { dsseV002: { payloadHash: digest(payload), signatures: [{ content, verifier }] } },
    'intoto 0.0.2': {
      content: {
        envelope: {
          payloadType: inToto,
          signatures: [{ publicKey: signerPem, sig: Buffer.from(content).toString('base64') }],
        },
        hash: hex(payload),
        payloadHash: hex(payload),
      },
    },
    'intoto 0.0.1': { content: { hash: hex(payload) }, publicKey: signerPem },
  }[kind];
  return { kind: name, apiVersion, spec };
}
