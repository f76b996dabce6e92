import { failureKind } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Repository } from '../image/reference.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { ClaimedSignature } from '../verification/claimed-signatures.ts';
import type { ArtifactKind } from './artifact-kind.ts';

/**
 * What a registry holds around an image: what contains it, what it holds, what refers to it, and what refers to that.
 * Nothing of it is verified. Every text that others wrote is printable and bounded.
 */
export interface ArtifactTree {
  readonly repository: Repository;
  /** Fully qualified, with the digest that it was resolved to. */
  readonly reference: string;
  readonly root: ArtifactNode;
  /** Everything was seen and is shown: no gap, nothing left out. */
  readonly complete: boolean;
  /** Registry requests that were sent, and how many had to wait for one another. */
  readonly requests: { readonly total: number; readonly sequential: number };
}

/** How a node stands to the one above it in the tree; the root is what was asked for. */
export type Relation = 'root' | 'parent' | 'child' | 'referrer';

/** A manifest or index in its place. One that stands in several places is expanded in the first, level by level. */
export interface ArtifactNode {
  readonly relation: Relation;
  readonly digest: Digest;
  readonly kind: ArtifactKind;
  /** How a referrer or parent was found; what an index lists is not searched for. */
  readonly mechanism?: Mechanism;
  /** Of the manifest or index itself, bytes; of a child as the index states it. */
  readonly sizeBytes?: number;
  readonly layers?: LayerTotal;
  /** `os/architecture[/variant]` of each entry that names a child, or the root within a parent. */
  readonly platforms: readonly string[];
  /** The date that its annotations name, as text. */
  readonly created?: string;
  /** The newest signatures of an artifact, by what they say. */
  readonly signatures: readonly ClaimedSignature[];
  /** Signatures beyond these that were not read. */
  readonly unreadSignatures: number;
  /** Why a child cannot be used: the registry does not have it, or it does not parse. */
  readonly flaw?: Failure;
  readonly parents: readonly ArtifactNode[];
  readonly children: readonly ArtifactNode[];
  readonly referrers: readonly ArtifactNode[];
  /** What is listed for it and cannot be used: missing, altered, or about something else. */
  readonly unusable: readonly UnusableEntry[];
  /** Why there may be more than is shown here. */
  readonly gaps: readonly Failure[];
  /** Found, and left out because the tree is full. */
  readonly notShown: number;
  /** Whether what refers to it was looked for; `elsewhere`: the same digest stands in another place too. */
  readonly explored: 'here' | 'elsewhere' | 'no';
}

/** As the manifest states them. */
export interface LayerTotal {
  readonly count: number;
  readonly sizeBytes: number;
}

export interface UnusableEntry {
  readonly mechanism: Mechanism;
  readonly digest?: Digest;
  readonly failure: Failure;
}

/** Every node with the one above it, those above first. */
export function* walkTree(
  node: ArtifactNode,
  above?: ArtifactNode,
): Generator<{ node: ArtifactNode; above: ArtifactNode | undefined }> {
  yield { node, above };
  for (const next of [...node.parents, ...node.children, ...node.referrers]) yield* walkTree(next, node);
}

/** Whether everything was seen and is shown, and nothing that was seen is left open. */
export function isCompleteTree(root: ArtifactNode): boolean {
  return [...walkTree(root)].every(({ node }) => isComplete(node));
}

const isComplete = ({ gaps, notShown, explored, flaw, signatures }: ArtifactNode): boolean =>
  gaps.length === 0 &&
  notShown === 0 &&
  explored !== 'no' &&
  ![flaw, ...signatures.map((signature) => signature.flaw)].some(leavesOpen);

function leavesOpen(flaw: Failure | undefined): boolean {
  return flaw !== undefined && ['inconclusive', 'internal'].includes(failureKind(flaw.code));
}
