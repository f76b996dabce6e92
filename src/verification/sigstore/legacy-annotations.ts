import type { TransparencyLogEntry } from '@sigstore/bundle';
import { RefwardenError } from '../../failures/failure.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isJsonObject, parseStrictJsonText } from '../../oci/strict-json.ts';
import type { JsonObject } from '../../oci/strict-json.ts';
import type { SignedEntity } from './signed-entity.ts';

const certificateAnnotation = 'dev.sigstore.cosign/certificate';
const bundleAnnotation = 'dev.sigstore.cosign/bundle';
const timestampAnnotation = 'dev.sigstore.cosign/rfc3161timestamp';

/**
 * The verification material of a legacy cosign signature, out of the annotations of its layer (cosign specs/SIGNATURE_SPEC.md).
 * The chain annotation is not read: the chain is the trusted root's.
 * @throws RefwardenError `PayloadInvalid`.
 */
export function parseLegacyAnnotations(
  layer: Descriptor,
): Pick<SignedEntity, 'certificate' | 'logEntries' | 'timestamps'> {
  const certificate = layer.annotations[certificateAnnotation];
  const bundle = layer.annotations[bundleAnnotation];
  const timestamp = layer.annotations[timestampAnnotation];
  return {
    ...(present(certificate) ? { certificate: parsePemCertificate(certificate) } : {}),
    logEntries: present(bundle) ? parseLogEntry(bundle) : [],
    timestamps: present(timestamp) ? parseTimestamp(timestamp) : [],
  };
}

// cosign writes empty and null annotations for what is absent.
const present = (text: string | undefined): text is string =>
  text !== undefined && text !== '' && text !== 'null';

function parsePemCertificate(pem: string): Buffer {
  const body = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(
    pem,
  )?.[1];
  if (body === undefined)
    throw new RefwardenError('PayloadInvalid', 'The certificate annotation is not one PEM certificate.');
  return Buffer.from(body, 'base64');
}

/** Rekor's offline bundle: the entry's body with the log's promise (SET) over it. */
function parseLogEntry(text: string): TransparencyLogEntry[] {
  const json = parseObject(text, 'The log entry annotation');
  const payload = json['Payload'];
  const set = json['SignedEntryTimestamp'];
  if (!isJsonObject(payload) || typeof set !== 'string') return malformed('The log entry annotation');
  const { body, integratedTime, logIndex, logID } = payload;
  if (
    typeof body !== 'string' ||
    typeof logID !== 'string' ||
    typeof integratedTime !== 'number' ||
    typeof logIndex !== 'number' ||
    !Number.isSafeInteger(integratedTime) ||
    !Number.isSafeInteger(logIndex)
  ) {
    return malformed('The log entry annotation');
  }
  const canonicalizedBody = Buffer.from(body, 'base64');
  const { kind, apiVersion } = parseObject(canonicalizedBody.toString('utf8'), 'The log entry');
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return malformed('The log entry');
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logID, 'hex') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(set, 'base64') },
      inclusionProof: undefined,
      canonicalizedBody,
    },
  ];
}

function parseTimestamp(text: string): Buffer<ArrayBuffer>[] {
  const der = parseObject(text, 'The timestamp annotation')['SignedRFC3161Timestamp'];
  return typeof der === 'string' ? [Buffer.from(der, 'base64')] : malformed('The timestamp annotation');
}

function parseObject(text: string, what: string): JsonObject {
  const json = parseStrictJsonText(text, what, 'PayloadInvalid');
  return isJsonObject(json) ? json : malformed(what);
}

function malformed(what: string): never {
  throw new RefwardenError('PayloadInvalid', `${what} is malformed.`);
}
