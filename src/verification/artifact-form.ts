import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { Claim } from './claim.ts';
import type { RevocationSource } from './revocation/revocation-source.ts';
import type { Rejection, VerificationOutcome } from './verification.ts';

/** What every signature of one artifact is verified against. */
export interface VerificationContext<Issuer extends ResolvedIssuer> {
  /** Digests that the signed content may name, the preferred one first. */
  readonly subjects: readonly Digest[];
  /** Bytes of the first subject, when the caller has them. */
  readonly subjectDocument?: Uint8Array;
  readonly issuers: readonly Issuer[];
  readonly nowMs: number;
  /** Absent, whether a certificate is revoked is unknown when it names a service that would tell. */
  readonly revocation?: RevocationSource;
}

/** What one signature proves, with what it says: its content can be asked further questions then. */
export interface ClaimOutcome extends VerificationOutcome {
  /** Of the evidence; absent where there is none. */
  readonly claim?: Claim;
}

/** A form in which signatures or attestations lie in an artifact's layers. */
export interface ArtifactForm<Issuer extends ResolvedIssuer> {
  /** The kinds of issuers that can make it; it is given no others. */
  readonly issuerKinds: readonly Issuer['kind'][];
  /** The layers of this form; empty when the manifest is of another form. */
  layers(manifest: Manifest): readonly Descriptor[];
  /** Why something of this form in the manifest can never count. */
  refusal?(manifest: Manifest): Rejection | undefined;
  /** Whether a layer may hold a signature over the subject's own bytes. */
  needsSubjectDocument(manifest: Manifest): boolean;
  /** Largest layer that is read, in bytes. */
  readonly maxLayerBytes: number;
  /**
   * One outcome for each signature of the layer, each verified only when it is asked for.
   * @throws RefwardenError when the layer as a whole cannot be read; it then counts as one rejection.
   */
  verifyLayer(
    bytes: Uint8Array,
    layer: Descriptor,
    context: VerificationContext<Issuer>,
  ): Iterable<ClaimOutcome> | AsyncIterable<ClaimOutcome>;
}
