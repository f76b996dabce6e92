import type { RegistryAccess, Subject } from '../admission/ports.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { ListingAnswer } from '../registry/listing.ts';

/** One way to ask a registry what refers to a subject. */
export interface DiscoveryMechanism {
  readonly mechanism: Mechanism;
  /** A tag made from the subject's digest is itself the claim to refer to it; the manifest does not repeat it. */
  readonly isClaimedByTag: boolean;
  /** @throws RefwardenError for a fault: then it is not known what refers to the subject. */
  list(subject: Subject, access: RegistryAccess): Promise<ListingAnswer>;
}
