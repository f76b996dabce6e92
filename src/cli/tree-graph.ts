import { walkTree } from '../admission/artifact-tree.ts';
import type { ArtifactNode, ArtifactTree } from '../admission/artifact-tree.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { describeFacts, describeKind, describeSignatures } from './describe-artifact.ts';

/** A tree as the graph that it is: a digest is one node, wherever it stands. */
export interface TreeGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  /** A letter and digits. */
  readonly id: string;
  /** Lines of its label, as they are: each form of output escapes them. */
  readonly lines: readonly string[];
  /** `problem`: not an artifact, but what keeps one from being shown or used. */
  readonly look: 'image' | 'artifact' | 'problem';
}

/** From the index to what it contains, and from what refers to its subject. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

export function treeGraph({ root, reference }: ArtifactTree): TreeGraph {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const ids = new Map<Digest, string>();
  const add = (lines: readonly string[], look: GraphNode['look']): string => {
    const id = `n${nodes.length}`;
    nodes.push({ id, lines, look });
    return id;
  };
  for (const { node, above } of walkTree(root)) {
    const id = ids.get(node.digest) ?? add(labelOf(node, reference), lookOf(node));
    ids.set(node.digest, id);
    const aboveId = above === undefined ? undefined : ids.get(above.digest);
    if (aboveId !== undefined) edges.push(edgeOf(node, id, aboveId));
    for (const { digest, mechanism, failure } of node.unusable) {
      const what = digest === undefined ? 'unusable' : `unusable ${shortDigest(digest)}`;
      const from = add([what, `${failure.code}: ${failure.message}`], 'problem');
      edges.push({ from, to: id, label: `listed by ${mechanism}` });
    }
    for (const { code, message } of node.gaps)
      edges.push({ from: add(['there may be more', `${code}: ${message}`], 'problem'), to: id, label: '' });
    if (node.notShown > 0)
      edges.push({ from: add([`${node.notShown} more are not shown`], 'problem'), to: id, label: '' });
    if (node.explored === 'no')
      edges.push({ from: add(['what refers to it was not looked for'], 'problem'), to: id, label: '' });
  }
  return { nodes, edges };
}

function labelOf(node: ArtifactNode, reference: string): string[] {
  return [
    ...(node.relation === 'root' ? [reference] : []),
    describeKind(node.kind),
    describeFacts(node).join(', '),
    ...(node.flaw === undefined ? [] : [`${node.flaw.code}: ${node.flaw.message}`]),
    ...describeSignatures(node),
  ];
}

function lookOf({ kind, flaw }: ArtifactNode): GraphNode['look'] {
  if (flaw !== undefined) return 'problem';
  return kind.kind === 'index' || kind.kind === 'image' ? 'image' : 'artifact';
}

function edgeOf({ relation, mechanism }: ArtifactNode, id: string, above: string): GraphEdge {
  const by = mechanism === undefined ? '' : ` (${mechanism})`;
  if (relation === 'child') return { from: above, to: id, label: 'contains' };
  if (relation === 'parent') return { from: id, to: above, label: `contains${by}` };
  return { from: id, to: above, label: `refers to${by}` };
}
