import { treeBounds } from '../admission/tree-growth.ts';
import { walkTree } from '../admission/artifact-tree.ts';
import type { ArtifactNode, ArtifactTree } from '../admission/artifact-tree.ts';
import { printable } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import { describeFacts, describeKind, describeSignatures } from './describe-artifact.ts';
import { painter } from './paint.ts';
import type { Paint } from './paint.ts';

interface Branch {
  readonly text: string;
  /** What belongs to it and is no branch of its own. */
  readonly details: readonly string[];
  readonly node?: ArtifactNode;
}

/** For people: the tree, with what hangs below each node. */
export function renderTreeText(tree: ArtifactTree, color: boolean): string {
  const paint = painter(color);
  const { root, complete, requests } = tree;
  const nodes = [...walkTree(root)].map(({ node }) => node);
  const count = nodes.length - 1;
  const unexplored = nodes.filter(({ explored }) => explored === 'no').length;
  const { maxSearches, maxDepth, maxNodes } = treeBounds;
  const { total, sequential } = requests;
  return [
    paint('bold', printable(tree.reference)),
    printable([describeKind(root.kind), ...describeFacts(root)].join(', ')),
    ...branchLines(root, '', paint),
    '',
    ...(unexplored === 0
      ? []
      : [
          `What refers to ${unexplored} of these was not looked for: at most ${maxSearches} are asked about, ${maxDepth} steps from the image and ${maxNodes} shown, within the timeout.`,
        ]),
    'Nothing here is verified: it is what the registry holds. `refwarden check` verifies.',
    `${complete ? paint('green', 'complete') : paint('yellow', 'inconclusive: there may be more than is shown')}, ${plural(count, 'node')} around it, ${plural(total, 'registry request')}, ${sequential} sequential`,
    '',
  ].join('\n');
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** The depth of a tree is bounded, and with it this recursion. */
function branchLines(node: ArtifactNode, indent: string, paint: Paint): string[] {
  const branches = branchesOf(node, paint);
  return branches.flatMap((branch, i) => {
    const isLast = i === branches.length - 1;
    const below = `${indent}${isLast ? '   ' : '│  '}`;
    const hasMore = branch.node !== undefined && branchesOf(branch.node, paint).length > 0;
    return [
      `${indent}${isLast ? '└─ ' : '├─ '}${branch.text}`,
      ...branch.details.map((line) => `${below}${hasMore ? '│  ' : '   '}${paint('dim', printable(line))}`),
      ...(branch.node === undefined ? [] : branchLines(branch.node, below, paint)),
    ];
  });
}

function branchesOf(node: ArtifactNode, paint: Paint): Branch[] {
  const nodes = [...node.parents, ...node.children, ...node.referrers];
  const bad = (code: string, text: string): Branch => ({
    text: `${paint('yellow', code)}: ${printable(text)}`,
    details: [],
  });
  return [
    ...nodes.map((next) => ({ text: nodeText(next, paint), details: detailsOf(next), node: next })),
    ...node.unusable.map(({ digest, mechanism, failure: { code, message } }) => ({
      text: `unusable${digest === undefined ? '' : ` ${shortDigest(digest)}`}, found by ${mechanism}`,
      details: [`${code}: ${message}`],
    })),
    ...(node.notShown === 0 ? [] : [bad('not shown', `${node.notShown} more`)]),
    ...node.gaps.map(({ code, message }) => bad('there may be more', `${code}: ${message}`)),
  ];
}

function nodeText(node: ArtifactNode, paint: Paint): string {
  const { relation, kind, mechanism, explored } = node;
  const what = `${relation === 'parent' ? 'contained in ' : relation === 'child' ? 'contains ' : ''}${describeKind(kind)}`;
  const facts = [
    ...describeFacts(node),
    ...(mechanism === undefined ? [] : [`found by ${mechanism}`]),
    ...(explored === 'elsewhere' ? ['shown in another place too'] : []),
  ];
  return `${paint('cyan', printable(what))} ${printable(facts.join(', '))}`;
}

const detailsOf = (node: ArtifactNode): string[] => [
  ...(node.flaw === undefined ? [] : [`${node.flaw.code}: ${node.flaw.message}`]),
  ...describeSignatures(node),
];
