import { toFailure } from '../failures/failure.ts';
import { EvidenceSearch } from './evidence-search.ts';
import type { Inquiry } from './inquiry.ts';
import type { Findings } from './findings-ledger.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/**
 * Asks for what refers to the image until every requirement is satisfied, then stops; otherwise looks at
 * everything, and then at the indexes that contain the image where those can help.
 * Faults, and the end of the caller's time, become gaps: what was proven before stands. Never throws.
 */
export async function gatherEvidence(
  ports: VerifyPorts,
  inquiry: Inquiry,
  access: RegistryAccess,
): Promise<Findings> {
  const search = new EvidenceSearch(ports, inquiry, access);
  await untilAborted(search.run(), access.signal).catch((error: unknown) => {
    search.ledger.leaveGap(toFailure(error));
  });
  return search.ledger.findings();
}
