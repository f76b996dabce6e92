import { dsse } from '@sigstore/core';
import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import { parseStatement } from '../attestation/in-toto-statement.ts';
import type { Claim } from '../claim.ts';
import { parseLegacyAnnotations } from './legacy-annotations.ts';
import type { SigstoreForm } from './sigstore-form.ts';

/** Most JSON values of an envelope: its payload is one, a signature three. */
const maxEnvelopeValues = 1000;

const mediaType = 'application/vnd.dsse.envelope.v1+json';
/** Most signatures of one envelope. */
const maxEnvelopeSignatures = 16;

/** cosign's `.att`: each layer is a DSSE envelope; its annotations about the content are hints and are not read. */
export const cosignAttestations: SigstoreForm = {
  layers: ({ layers }) => layers.filter((layer) => layer.mediaType === mediaType),
  needsSubjectDocument: () => false,
  maxLayerBytes: 32 * 1024 * 1024,
  parseLayer(bytes, layer) {
    const { payloadType, payload, signatures } = parseEnvelope(bytes);
    const material = parseLegacyAnnotations(layer);
    const signedBytes = dsse.preAuthEncoding(payloadType, payload);
    // cosign has attestations timestamped as a whole: the envelope, not its signature.
    const timestampedBytes = Buffer.from(bytes);
    // One reading for all signatures: the statement may be large.
    let claim: Claim | undefined;
    const readClaim = (): Claim => (claim ??= parseStatement(payloadType, payload));
    return signatures.map(({ signature, keyid }) => ({
      entity: { signature, signedBytes, payload, timestampedBytes, keyHint: keyid, ...material },
      readClaim,
    }));
  },
};

interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly { readonly signature: Buffer; readonly keyid: string }[];
}

/** @throws RefwardenError `PayloadInvalid` (secure-systems-lab/dsse envelope.md). */
function parseEnvelope(bytes: Uint8Array): Envelope {
  const json = parseStrictJson(bytes, 'The envelope', 'PayloadInvalid', maxEnvelopeValues);
  if (!isJsonObject(json)) return refuse('The envelope is not an object.');
  const { payloadType, payload, signatures } = json;
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !Array.isArray(signatures)) {
    return refuse('The envelope lacks payloadType, payload or signatures.');
  }
  if (signatures.length === 0 || signatures.length > maxEnvelopeSignatures) {
    refuse(`The envelope has no signature, or more than ${maxEnvelopeSignatures}.`);
  }
  return {
    payloadType,
    payload: Buffer.from(payload, 'base64'),
    signatures: signatures.map((entry) => {
      const { sig, keyid } = isJsonObject(entry) ? entry : {};
      if (typeof sig !== 'string') return refuse('A signature of the envelope is no text.');
      return { signature: Buffer.from(sig, 'base64'), keyid: typeof keyid === 'string' ? keyid : '' };
    }),
  };
}

function refuse(message: string): never {
  throw new RefwardenError('PayloadInvalid', message);
}
