import type { ArtifactNode, ArtifactTree } from '../admission/artifact-tree.ts';

/** The machine-readable form of `refwarden tree`; documented in docs/reference/tree.md. */
export function renderTreeJson({ reference, root, complete, requests }: ArtifactTree): string {
  const tree = { reference, digest: root.digest, verified: false, complete, tree: nodeJson(root), requests };
  return `${JSON.stringify(tree, null, 2)}\n`;
}

/** Fields in their documented order; those of a kind that a node has none of are empty lists, not absent. */
function nodeJson(node: ArtifactNode): object {
  const { relation, digest, kind, mechanism, platforms, sizeBytes, layers, created, flaw } = node;
  const { signatures, unreadSignatures, unusable, gaps, notShown, explored } = node;
  return {
    relation,
    digest,
    ...kind,
    mechanism,
    platforms,
    sizeBytes,
    layers,
    created,
    claimedSignatures: signatures,
    unreadSignatures,
    flaw,
    parents: node.parents.map(nodeJson),
    children: node.children.map(nodeJson),
    referrers: node.referrers.map(nodeJson),
    unusable,
    gaps,
    notShown,
    explored,
  };
}
