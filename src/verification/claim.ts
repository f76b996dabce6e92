import type { Json } from '../oci/strict-json.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { Rejection } from './verification.ts';

/** What a signed payload says, read only once the signature is known to be good. */
export interface Claim extends Pick<VerifiedEvidence, 'kind' | 'predicateType' | 'sbom'> {
  /** Every digest that the payload names as its subject, as `algorithm:hex`. */
  readonly subjects: readonly string[];
  /** What an attestation says, as its type has it; the document itself where no statement wraps it. Never part of evidence. */
  readonly predicate?: Json;
  /** The bytes of the statement, or of the document where no statement wraps it; of attestations only. */
  readonly document?: Uint8Array;
  /** Something in the payload does not parse and so does not count, while the rest does. */
  readonly flaw?: Rejection;
}
