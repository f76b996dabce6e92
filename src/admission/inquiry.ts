import type { ExpressionContext } from '../policy/assertions.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Digest } from '../image/digest.ts';
import type { ImageReference, Repository } from '../image/reference.ts';
import type { CheckedRequirement, CrossCheckRequirement, EvidenceRequirement } from '../policy/snapshot.ts';

/** Something that evidence has to satisfy: any one of the alternatives does. */
export interface Demand {
  readonly alternatives: readonly EvidenceRequirement[];
  /** Whether the workload is refused without. */
  readonly blocks: boolean;
}

/** What is asked about one image. */
export interface Inquiry {
  readonly image: ImageReference & { readonly digest: Digest };
  readonly demands: readonly Demand[];
  /** The workload names the image by this digest. */
  readonly isByDigest: boolean;
  /** For a child: what the index that contains it has met for it. */
  readonly metAbove?: ReadonlySet<CheckedRequirement>;
  readonly crossChecks: readonly (Pick<Demand, 'blocks'> & { readonly requirement: CrossCheckRequirement })[];
  /** What expressions read beside the evidence. */
  readonly context: ExpressionContext;
  /** Further repositories that hold artifacts. */
  readonly elsewhere: readonly Repository[];
  /** Tags whose indexes may contain the image. */
  readonly indexTags: readonly string[];
}

export function isSatisfied(
  { alternatives }: Pick<Demand, 'alternatives'>,
  evidence: readonly Evidence[],
  image: Digest,
  nowMs: number,
): boolean {
  return alternatives.some(
    (requirement) => evaluateRequirement(requirement, evidence, image, nowMs).satisfied,
  );
}

/** Everything that may be looked for on behalf of the demands. */
export const requirementsOf = (demands: readonly Demand[]): readonly EvidenceRequirement[] =>
  demands.flatMap(({ alternatives }) => alternatives);
