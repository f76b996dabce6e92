import type { KeyObject } from 'node:crypto';
import type { Candidate } from '../../src/admission/ports.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Json } from '../../src/oci/strict-json.ts';
import { envelopeOf, statementOf } from './signed-attestation.ts';

/** An artifact with one attestation in it, as cosign's `.att` holds them. */
export function attestedCandidate(
  subject: Digest,
  predicateType: string,
  predicate: Json,
  key: KeyObject,
): Candidate {
  const bytes = envelopeOf(statementOf(predicate, predicateType, subject), [key]);
  const empty = Buffer.from('{}');
  const descriptor = (mediaType: string, content: Uint8Array) => ({
    mediaType,
    digest: computeDigest(content),
    size: content.length,
    annotations: {},
  });
  return {
    kind: 'candidate',
    mechanism: 'CosignTag',
    repository: { registry: 'ghcr.io', repository: 'acme/app' },
    digest: computeDigest(Buffer.concat([bytes, Buffer.from('manifest')])),
    manifest: {
      kind: 'manifest',
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.empty.v1+json', empty),
      layers: [descriptor('application/vnd.dsse.envelope.v1+json', bytes)],
      annotations: {},
      references: [],
    },
    sizeBytes: 1,
    proved: () => undefined,
    fetchLayer: () => Promise.resolve(bytes),
  };
}
