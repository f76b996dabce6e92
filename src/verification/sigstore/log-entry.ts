import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { Json } from '../../oci/strict-json.ts';
import { spkiHash } from '../keys.ts';
import { readDerCertificate } from '../x509/der-certificate.ts';

/** Where a body keeps the certificate or key that the signature was logged with, by kind and version (Rekor's schemas). */
const verifierPaths: Readonly<Record<string, readonly (string | number)[]>> = {
  'hashedrekord 0.0.1': ['spec', 'signature', 'publicKey', 'content'],
  'hashedrekord 0.0.2': ['spec', 'hashedRekordV002', 'signature', 'verifier'],
  'dsse 0.0.1': ['spec', 'signatures', 0, 'verifier'],
  'dsse 0.0.2': ['spec', 'dsseV002', 'signatures', 0, 'verifier'],
  'intoto 0.0.2': ['spec', 'content', 'envelope', 'signatures', 0, 'publicKey'],
};

/**
 * That a log entry was made for this very signer. The library compares signature and digest but not the key, and for a
 * given ECDSA signature and message anybody can make a key that verifies it (CVE-2026-22703).
 * @param certificate DER; undefined when a bare key signed.
 * @throws RefwardenError `TransparencyLogMissing` for an entry of another signer or a kind that is not known.
 */
export function checkLoggedSigner(
  entry: TransparencyLogEntry,
  key: KeyObject,
  certificate: Uint8Array | undefined,
): void {
  // Strict before the library reads it with JSON.parse: two readers of a repeated key would see two entries.
  const body = parseStrictJson(entry.canonicalizedBody, 'The log entry', 'TransparencyLogMissing');
  const kind = `${entry.kindVersion.kind} ${entry.kindVersion.version}`;
  const path = Object.hasOwn(verifierPaths, kind) ? verifierPaths[kind] : undefined;
  if (path === undefined) {
    throw new RefwardenError(
      'TransparencyLogMissing',
      `Log entries of kind ${JSON.stringify(kind.slice(0, 60))} are not supported.`,
    );
  }
  const logged = parseLoggedSigner(path.reduce(child, body));
  const same =
    certificate !== undefined && logged?.certificate !== undefined
      ? logged.certificate.equals(certificate)
      : logged !== undefined &&
        logged.certificate === undefined &&
        certificate === undefined &&
        spkiHash(logged.key).equals(spkiHash(key));
  if (!same) {
    throw new RefwardenError(
      'TransparencyLogMissing',
      'The log entry is of another signer: it names another key or certificate.',
    );
  }
}

function child(value: Json | undefined, step: string | number): Json | undefined {
  if (typeof step === 'number') return Array.isArray(value) ? value[step] : undefined;
  return isJsonObject(value) ? value[step] : undefined;
}

/** Base64 of PEM in the first version of the log, DER in a protobuf oneof in the second. */
function parseLoggedSigner(value: Json | undefined): { key: KeyObject; certificate?: Buffer } | undefined {
  try {
    if (typeof value === 'string') {
      const pem = Buffer.from(value, 'base64').toString('utf8');
      return pem.includes('-----BEGIN CERTIFICATE-----')
        ? ofCertificate(new X509Certificate(pem))
        : { key: createPublicKey(pem) };
    }
    const certificate = child(child(value, 'x509Certificate'), 'rawBytes');
    if (typeof certificate === 'string')
      return ofCertificate(readDerCertificate(Buffer.from(certificate, 'base64')));
    const key = child(child(value, 'publicKey'), 'rawBytes');
    if (typeof key !== 'string') return undefined;
    return { key: createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }) };
  } catch {
    return undefined;
  }
}

const ofCertificate = ({ publicKey, raw }: X509Certificate): { key: KeyObject; certificate: Buffer } => ({
  key: publicKey,
  certificate: raw,
});
