import type { ArtifactTree } from '../admission/artifact-tree.ts';
import { printable } from '../failures/printable.ts';
import { treeGraph } from './tree-graph.ts';
import type { GraphNode } from './tree-graph.ts';

const looks: Readonly<Record<GraphNode['look'], string>> = {
  image: 'style="filled", fillcolor="lightblue"',
  artifact: 'style="solid"',
  problem: 'style="dashed", color="red"',
};

/** For Graphviz (graphviz.org "The DOT Language"): every text is a quoted string. */
export function renderTreeDot(tree: ArtifactTree): string {
  const { nodes, edges } = treeGraph(tree);
  return [
    'digraph artifacts {',
    '  label="Nothing here is verified.";',
    '  rankdir="RL";',
    '  node [shape="box"];',
    ...nodes.map(({ id, lines, look }) => `  ${id} [label="${quoted(lines)}", ${looks[look]}];`),
    ...edges.map(({ from, to, label }) => `  ${from} -> ${to} [label="${quoted([label])}"];`),
    '}',
    '',
  ].join('\n');
}

/** A backslash would begin an escape of labels (`\\N`, `\\l`), a quote would end the string. */
function quoted(lines: readonly string[]): string {
  return lines.map((line) => printable(line).replace(/["\\]/g, String.raw`\$&`)).join(String.raw`\n`);
}
