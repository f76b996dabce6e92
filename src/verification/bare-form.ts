import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { Claim } from './claim.ts';
import type { Rejection } from './verification.ts';

export type BareFormat = Extract<VerifiedEvidence['format'], `Bare${string}`>;

/** A form that carries no signature of its own: what it says counts under vouchers, and never without. */
export interface BareForm {
  readonly format: BareFormat;
  /** The layers of this form that can count; empty when the manifest is of another form. */
  layers(manifest: Manifest): readonly Descriptor[];
  /** Why something of this form in the manifest can never count, whoever signs it. */
  refusal(manifest: Manifest): Rejection | undefined;
  /** Largest layer that is read, in bytes. */
  readonly maxLayerBytes: number;
  /**
   * Called only with a voucher at hand. It is an attestation always: what nobody signed is no signature.
   * @throws RefwardenError for content that is not of the form.
   */
  readClaim(
    bytes: Uint8Array,
    layer: Descriptor,
    manifest: Manifest,
  ): Claim & { readonly kind: 'attestation' };
}
