import type { CompiledRequirement, EvidenceRequirement, SingleRequirement } from './snapshot.ts';

/** Whether evidence can satisfy it. */
export const isEvidenceRequirement = (requirement: SingleRequirement): requirement is EvidenceRequirement =>
  requirement.kind !== 'pinned' && requirement.kind !== 'unready';

/** What evidence is looked for on behalf of a requirement: itself, or those among its alternatives. */
export function evidenceRequirements(requirement: CompiledRequirement): readonly EvidenceRequirement[] {
  switch (requirement.kind) {
    case 'anyOf':
      return requirement.alternatives.filter(isEvidenceRequirement);
    case 'crossCheck':
      return [];
    default:
      return isEvidenceRequirement(requirement) ? [requirement] : [];
  }
}
