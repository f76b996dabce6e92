import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { ArtifactKind } from './artifact-kind.ts';
import type { ArtifactNode, LayerTotal, Relation, UnusableEntry } from './artifact-tree.ts';

/** A node that is still growing. */
export interface DraftNode extends ArtifactNode {
  kind: ArtifactKind;
  sizeBytes?: number;
  layers?: LayerTotal;
  created?: string;
  flaw?: Failure;
  readonly parents: DraftNode[];
  readonly children: DraftNode[];
  readonly referrers: DraftNode[];
  readonly unusable: UnusableEntry[];
  readonly gaps: Failure[];
  notShown: number;
  explored: ArtifactNode['explored'];
}

/** @param known what its place or its manifest says. */
export function draftNode(
  relation: Relation,
  digest: Digest,
  known: Partial<ArtifactNode> & Pick<ArtifactNode, 'kind'>,
): DraftNode {
  return {
    relation,
    digest,
    platforms: [],
    signatures: [],
    unreadSignatures: 0,
    ...known,
    parents: [],
    children: [],
    referrers: [],
    unusable: [],
    gaps: [],
    notShown: 0,
    explored: 'no',
  };
}
