import type { Digest } from '../../image/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { KeyIssuer, KeylessIssuer } from '../../policy/resolved-issuer.ts';
import type { ArtifactForm, VerificationContext } from '../artifact-form.ts';
import type { Claim } from '../claim.ts';
import type { SignedEntity } from './signed-entity.ts';

/** Who can make Sigstore's signatures. */
export type SigstoreIssuer = KeyIssuer | KeylessIssuer;
export type SigstoreContext = VerificationContext<SigstoreIssuer>;

/** A form that Sigstore's signatures come in. It only parses; all forms are verified alike. */
export interface SigstoreForm extends Pick<
  ArtifactForm<SigstoreIssuer>,
  'layers' | 'needsSubjectDocument' | 'maxLayerBytes'
> {
  /** @throws RefwardenError when the layer as a whole cannot be read. */
  parseLayer(bytes: Uint8Array, layer: Descriptor, subject: WantedSubject): readonly SignedClaim[];
}

/** The preferred subject, with its bytes when the caller has them. */
export interface WantedSubject {
  readonly digest?: Digest | undefined;
  readonly document?: Uint8Array | undefined;
}

/** One signature, and what it says. */
export interface SignedClaim {
  readonly entity: SignedEntity;
  /**
   * Called only once the signature is known to be good.
   * @throws RefwardenError `PayloadInvalid` for a payload that is not of its type.
   */
  readonly readClaim: () => Claim;
}
