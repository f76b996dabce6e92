import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import type { TrustedRootMaterial } from '../../src/policy/resolved-issuer.ts';

const host = 'rekor.test';
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const ecKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export interface CertificateRequest {
  readonly subject: string;
  readonly issuer: string;
  /** Further Fulcio extensions by the last arc of their OID. */
  readonly extensions?: Readonly<Record<number, string>>;
  /** Whether the CA is to log it and embed an SCT. */
  readonly sct?: boolean;
}

/** One of the entries that a log hands out, in the JSON form of a bundle. */
export type LogEntryJson = Record<string, unknown> & { canonicalizedBody: string };

/** The part of Rekor's answer that is used; the mock's own type is in a package that it does not bring along. */
interface MockLogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly checkpoint: string;
    };
  };
}

/** A Fulcio, a CT log, a Rekor and a timestamp authority without HTTP, with the trusted root that names them. */
export interface SigstoreAuthority {
  readonly trustedRoot: TrustedRootMaterial;
  /** Key of the CA, to issue certificates that the mock cannot. */
  readonly caKey: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  issue(publicKey: KeyObject, request: CertificateRequest): Promise<Buffer>;
  log(body: object): Promise<LogEntryJson>;
  timestamp(signature: Uint8Array): Promise<Buffer>;
}

/**
 * The mock's roots start when they are made, so its clock stands a minute ahead; and on a full second, because the library
 * reads no timestamp whose fraction of a second is not of three digits.
 */
const clockLeadMs = 60_000;

export async function createSigstoreAuthority(leadMs = clockLeadMs): Promise<SigstoreAuthority> {
  const clock = new Date(Math.ceil((Date.now() + leadMs) / 1000) * 1000);
  const [caKey, ctKey, logKey, tsaKey] = [ecKey(), ecKey(), ecKey(), ecKey()];
  const ctLog = await initializeCTLog(ctKey, clock);
  const ca = await initializeCA(caKey, ctLog, clock);
  const silentCa = await initializeCA(caKey, undefined, clock);
  const rekor = await initializeTLog(`https://${host}`, logKey, clock);
  const tsa = await initializeTSA(tsaKey, clock);
  const raw = (certificate: ArrayBufferView) => ({ rawBytes: base64(certificate) });
  const validFor = { start: '2020-01-01T00:00:00Z' };
  const log = (baseUrl: string, key: Buffer) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: sha256(key).toString('base64') },
  });
  const json = JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log(`https://${host}`, rekor.publicKey)],
    ctlogs: [log('https://ct.test', ctLog.publicKey)],
    certificateAuthorities: [
      // Both certificates are self-signed by one key and differ in their validity by milliseconds at most.
      { certChain: { certificates: [raw(ca.rootCertificate)] }, validFor },
      { certChain: { certificates: [raw(silentCa.rootCertificate)] }, validFor },
    ],
    timestampAuthorities: [
      { certChain: { certificates: [raw(tsa.intCertificate), raw(tsa.rootCertificate)] }, validFor },
    ],
  });
  return {
    trustedRoot: { json, fingerprint: sha256(Buffer.from(json)).toString('hex') },
    caKey,
    async issue(publicKey, { subject, issuer, extensions = {}, sct = true }) {
      const certificate = await (sct ? ca : silentCa).issueCertificate({
        publicKey: publicKey.export({ format: 'der', type: 'spki' }),
        subjectAltName: subject,
        extensions: [
          { oid: '1.3.6.1.4.1.57264.1.8', value: issuer },
          ...Object.entries(extensions).map(([arc, value]) => ({ oid: `1.3.6.1.4.1.57264.1.${arc}`, value })),
        ],
      });
      return Buffer.from(base64(certificate), 'base64');
    },
    async log(body) {
      const [entry] = Object.values((await rekor.log(body)) as unknown as Record<string, MockLogEntry>);
      if (entry === undefined) throw new Error('the mock log gave no entry');
      const { inclusionProof: proof, signedEntryTimestamp } = entry.verification;
      const { kind, apiVersion } = body as { kind: string; apiVersion: string };
      return {
        logIndex: String(entry.logIndex),
        logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
        kindVersion: { kind, version: apiVersion },
        integratedTime: String(entry.integratedTime),
        inclusionPromise: { signedEntryTimestamp },
        inclusionProof: {
          logIndex: String(proof.logIndex),
          rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
          treeSize: String(proof.treeSize),
          hashes: [],
          checkpoint: { envelope: proof.checkpoint },
        },
        canonicalizedBody: entry.body,
      };
    },
    async timestamp(signature) {
      const response = await tsa.timestamp({
        artifactHash: sha256(signature),
        hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
        nonce: 1,
        policyOID: '1.2.3.4.1',
      });
      return Buffer.from(base64(response), 'base64');
    },
  };
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

const inToto = 'application/vnd.in-toto+json';

export interface SignedBundle {
  readonly bundle: BundleJson;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** What the log was asked to record. */
  readonly logBody: object;
}

export interface BundleJson {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: LogEntryJson[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

export interface BundleOptions {
  readonly statement: object;
  /** Absent: a bare key signs. */
  readonly certificate?: CertificateRequest | Buffer;
  readonly keyPair?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly log?: boolean;
  readonly timestamp?: boolean;
}

/** A bundle v0.3 of a DSSE statement, as cosign 3 makes it. */
export async function signBundle(
  authority: SigstoreAuthority,
  options: BundleOptions,
): Promise<SignedBundle> {
  const { publicKey, privateKey } = options.keyPair ?? ecKey();
  const payload = Buffer.from(JSON.stringify(options.statement));
  const signature = sign('sha256', dsse.preAuthEncoding(inToto, payload), privateKey);
  const { certificate: wanted } = options;
  const certificate =
    wanted === undefined || Buffer.isBuffer(wanted) ? wanted : await authority.issue(publicKey, wanted);
  const verifier =
    certificate === undefined
      ? publicKey.export({ format: 'pem', type: 'spki' }).toString()
      : pem(certificate);
  const logBody = dsseEntry(payload, signature, verifier);
  return {
    publicKey,
    privateKey,
    logBody,
    bundle: {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        ...(certificate === undefined
          ? {
              publicKey: {
                hint: sha256(publicKey.export({ format: 'der', type: 'spki' })).toString('base64'),
              },
            }
          : { certificate: { rawBytes: certificate.toString('base64') } }),
        tlogEntries: (options.log ?? true) ? [await authority.log(logBody)] : [],
        timestampVerificationData: {
          rfc3161Timestamps: options.timestamp
            ? [{ signedTimestamp: (await authority.timestamp(signature)).toString('base64') }]
            : [],
        },
      },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType: inToto,
        signatures: [{ sig: signature.toString('base64') }],
      },
    },
  };
}

/** The body of a `dsse` 0.0.1 entry. */
export function dsseEntry(payload: Uint8Array, signature: Uint8Array, verifierPem: string): object {
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      envelopeHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
      signatures: [
        {
          signature: Buffer.from(signature).toString('base64'),
          verifier: Buffer.from(verifierPem).toString('base64'),
        },
      ],
    },
  };
}

export function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
