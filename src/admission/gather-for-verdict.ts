import { evaluateRequirement } from '../policy/evaluate.ts';
import type { EvidenceRequirement } from '../policy/snapshot.ts';
import type { Inquiry } from './evidence-search.ts';
import type { Findings } from './findings-ledger.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { RegistryAccess } from './ports.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** A deny stands on a listing no older than this. */
export const maxListingAgeForDenyMs = 10_000;

/** @param blocking whether a failure of the requirement would stand in the way of the workload. */
export async function gatherForVerdict(
  ports: VerifyPorts,
  inquiry: Inquiry,
  blocking: (requirement: EvidenceRequirement) => boolean,
  access: RegistryAccess,
): Promise<Findings> {
  const { image, requirements } = inquiry;
  const first = await gatherEvidence(ports, inquiry, access);
  const nowMs = ports.clock.nowMs();
  const wouldDeny = requirements.some(
    (requirement) =>
      blocking(requirement) &&
      !evaluateRequirement(requirement, first.evidence, image.digest, nowMs).satisfied,
  );
  const isCertain = first.gaps.length === 0;
  if (!wouldDeny || !isCertain || first.listingAgeMs <= maxListingAgeForDenyMs) return first;
  const again = { ...access, maxListingAgeMs: maxListingAgeForDenyMs };
  const second = await gatherEvidence(ports, inquiry, again);
  // A second pass that saw all replaces the first; one that was cut short takes nothing away that is proven.
  return second.gaps.length === 0 ? second : { ...second, evidence: [...second.evidence, ...first.evidence] };
}
