import type { Findings } from './findings-ledger.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { isSatisfied } from './inquiry.ts';
import type { Inquiry } from './inquiry.ts';
import type { RegistryAccess } from './ports.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** A deny stands on a listing no older than this. */
export const maxListingAgeForDenyMs = 10_000;

/** Evidence for a verdict: asked for anew where the workload would be refused by what an old listing says. */
export async function gatherForVerdict(
  ports: VerifyPorts,
  inquiry: Inquiry,
  access: RegistryAccess,
): Promise<Findings> {
  const first = await gatherEvidence(ports, inquiry, access);
  const isCertain = first.gaps.length === 0;
  const isRecent = first.listingAgeMs <= maxListingAgeForDenyMs;
  if (!isCertain || isRecent || !wouldDeny(inquiry, first, ports.clock.nowMs())) return first;
  const again = { ...access, maxListingAgeMs: maxListingAgeForDenyMs };
  const second = await gatherEvidence(ports, inquiry, again);
  // A second pass that saw all replaces the first; one that was cut short takes nothing away that is proven.
  if (second.gaps.length === 0) return second;
  const holding = [...first.crossChecks].filter(([, { holds }]) => holds);
  return {
    ...second,
    evidence: [...second.evidence, ...first.evidence],
    crossChecks: new Map([...second.crossChecks, ...holding]),
  };
}

function wouldDeny(
  { image, demands, crossChecks }: Inquiry,
  { evidence, crossChecks: results }: Findings,
  nowMs: number,
): boolean {
  return (
    demands.some((demand) => demand.blocks && !isSatisfied(demand, evidence, image.digest, nowMs)) ||
    crossChecks.some(({ blocks, requirement }) => blocks && results.get(requirement)?.holds !== true)
  );
}
