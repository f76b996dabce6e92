import type { ArtifactTree } from '../admission/artifact-tree.ts';
import { printable } from '../failures/printable.ts';
import { treeGraph } from './tree-graph.ts';

/** For Markdown that draws diagrams: a Mermaid flowchart. */
export function renderTreeMermaid(tree: ArtifactTree): string {
  const { nodes, edges } = treeGraph(tree);
  return [
    'flowchart RL',
    '  notice["Nothing here is verified."]:::problem',
    ...nodes.map(({ id, lines, look }) => `  ${id}["${lines.map(escaped).join('<br/>')}"]:::${look}`),
    ...edges.map(({ from, to, label }) =>
      label === '' ? `  ${from} -.-> ${to}` : `  ${from} -- "${escaped(label)}" --> ${to}`,
    ),
    '  classDef image fill:#add8e6,stroke:#333',
    '  classDef artifact fill:#ffffff,stroke:#333',
    '  classDef problem fill:#ffffff,stroke:#c00,stroke-dasharray:4',
    '',
  ].join('\n');
}

/** Mermaid has no escapes but entities (`#35;`): every character that might mean something becomes one. */
function escaped(line: string): string {
  return printable(line).replace(
    /[^A-Za-z0-9 .,:/@_()+-]/gu,
    (character) => `#${character.codePointAt(0) ?? 0xfffd};`,
  );
}
