import type { RegistryAccess, Subject } from '../admission/ports.ts';
import type { ListingAnswer } from '../oci/listing.ts';
import type { Mechanism } from '../policy/evidence.ts';

/** One way to ask what refers to a subject. */
export interface DiscoveryMechanism {
  readonly mechanism: Mechanism;
  /** Tells mechanisms of one kind apart. */
  readonly name: string;
  /** A tag made from the subject's digest is itself the claim to refer to it; the manifest does not repeat it. */
  readonly isClaimedByTag: boolean;
  /** @throws RefwardenError for a fault: then it is not known what refers to the subject. */
  list(subject: Subject, access: RegistryAccess): Promise<ListingAnswer>;
}
