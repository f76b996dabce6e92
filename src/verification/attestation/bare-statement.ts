import { RefwardenError } from '../../failures/failure.ts';
import type { BareForm } from '../bare-form.ts';
import { inTotoMediaType, parseStatement } from './in-toto-statement.ts';

/**
 * In-toto statements without an envelope, as BuildKit keeps them in attestation manifests
 * (moby/buildkit docs/attestations/attestation-storage.md). Annotations about the predicate are hints and are not read.
 */
export const bareStatement: BareForm & { readonly format: 'BareStatement' } = {
  format: 'BareStatement',
  layers: ({ layers }) => layers.filter(({ mediaType }) => mediaType === inTotoMediaType),
  refusal: () => undefined,
  maxLayerBytes: 32 * 1024 * 1024,
  readClaim(bytes) {
    const { kind, ...said } = parseStatement(inTotoMediaType, bytes);
    if (kind !== 'attestation') {
      throw new RefwardenError(
        'PayloadInvalid',
        'The statement calls itself a signature; it counts only within a signed envelope.',
      );
    }
    return { kind, ...said };
  },
};
