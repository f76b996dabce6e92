import { RefwardenError } from '../../failures/failure.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { Claim } from '../claim.ts';
import { parseLegacyAnnotations } from './legacy-annotations.ts';
import type { SigstoreForm } from './sigstore-form.ts';

const mediaType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const signatureAnnotation = 'dev.cosignproject.cosign/signature';
const payloadType = 'cosign container image signature';

/** cosign's `.sig`: the layer is the payload, its annotations hold the signature (cosign specs/SIGNATURE_SPEC.md). */
export const simpleSigning: SigstoreForm = {
  layers: ({ layers }) => layers.filter((layer) => layer.mediaType === mediaType),
  needsSubjectDocument: () => false,
  maxLayerBytes: 64 * 1024,
  parseLayer(bytes, layer) {
    const signature = parseSignature(layer);
    const entity = {
      signature,
      signedBytes: bytes,
      payload: bytes,
      timestampedBytes: signature,
      ...parseLegacyAnnotations(layer),
    };
    return [{ entity, readClaim: () => parseSimpleSigning(bytes) }];
  },
};

function parseSignature(layer: Descriptor): Buffer {
  const text = layer.annotations[signatureAnnotation];
  if (text === undefined || text === '')
    throw new RefwardenError('PayloadInvalid', 'The layer has no signature annotation.');
  return Buffer.from(text, 'base64');
}

/** @throws RefwardenError `PayloadInvalid` (containers/image containers-signature.5, with cosign's type). */
function parseSimpleSigning(bytes: Uint8Array): Claim {
  const json = parseStrictJson(bytes, 'The signed payload', 'PayloadInvalid');
  const critical = isJsonObject(json) ? json['critical'] : undefined;
  if (!isJsonObject(critical))
    throw new RefwardenError('PayloadInvalid', 'The signed payload has no critical section.');
  if (critical['type'] !== payloadType) {
    throw new RefwardenError(
      'PayloadInvalid',
      `The signed payload is not of type ${JSON.stringify(payloadType)}.`,
    );
  }
  const image = critical['image'];
  const digest = isJsonObject(image) ? image['docker-manifest-digest'] : undefined;
  if (typeof digest !== 'string')
    throw new RefwardenError('PayloadInvalid', 'The signed payload names no image digest.');
  return { kind: 'signature', subjects: [digest] };
}
