import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Document } from '../oci/manifest.ts';
import type { ArtifactKind } from './artifact-kind.ts';
import type { UnusableEntry } from './artifact-tree.ts';
import type { DraftNode } from './draft-node.ts';
import type { IndexChild } from './index-children.ts';

/** Whoever may push decides how much there is to see: what is past these bounds is counted, and makes the tree incomplete. */
export const treeBounds = {
  /** Steps from the image: index, child, SBOM, its signature. */
  maxDepth: 4,
  /** Nodes, and entries that cannot be used, in all. */
  maxNodes: 1_000,
  /** Digests of which it is asked what refers to them. */
  maxSearches: 100,
} as const;

/** A node, and what is needed to look further from it. */
export interface Step {
  readonly node: DraftNode;
  /** Of the root alone. */
  readonly document?: Document;
  readonly entry?: IndexChild;
}

/** What one step found; it joins the tree in order, so that the tree does not depend on who answered first. */
export interface Found {
  readonly parents: Step[];
  readonly children: Step[];
  readonly referrers: Step[];
  readonly unusable: UnusableEntry[];
  /** Found when there was no room left. */
  surplus: number;
}

export const nothing = (): Found => ({
  parents: [],
  children: [],
  referrers: [],
  unusable: [],
  surplus: 0,
});

/** Lets a tree grow in order and within its bounds. */
export class TreeGrowth {
  readonly #visited: Set<Digest>;
  #nodes = 1;

  constructor(root: Digest) {
    this.#visited = new Set([root]);
  }

  get isFull(): boolean {
    return this.#nodes >= treeBounds.maxNodes;
  }

  /** Whether one more may join what a step found; if not, it is counted. */
  hasRoomFor(found: Found): boolean {
    const { parents, children, referrers, unusable } = found;
    const here = parents.length + children.length + referrers.length + unusable.length;
    if (this.#nodes + here < treeBounds.maxNodes) return true;
    found.surplus++;
    return false;
  }

  /** Adds what a step found to its node, as far as there is room. Returns the steps that come next. */
  attach(node: DraftNode, found: Found): Step[] {
    const next: Step[] = [];
    const takesRoom = (): boolean => {
      if (this.isFull) return false;
      this.#nodes++;
      return true;
    };
    const add = (to: DraftNode[], steps: readonly Step[]): void => {
      for (const step of steps) {
        if (!takesRoom()) {
          node.notShown++;
          continue;
        }
        to.push(step.node);
        if (this.#visited.has(step.node.digest)) step.node.explored = 'elsewhere';
        else next.push(step);
        this.#visited.add(step.node.digest);
      }
    };
    add(node.parents, found.parents.toSorted(byRank));
    add(node.children, found.children);
    add(node.referrers, found.referrers.toSorted(byRank));
    for (const entry of found.unusable.toSorted(byText)) {
      if (takesRoom()) node.unusable.push(entry);
      else node.notShown++;
    }
    node.gaps.sort(byText);
    node.notShown += found.surplus;
    return next;
  }
}

const kinds: readonly ArtifactKind['kind'][] = [
  'index',
  'image',
  'signature',
  'attestation',
  'sbom',
  'other',
];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By kind, then by date and digest. */
function byRank({ node: a }: Step, { node: b }: Step): number {
  return (
    kinds.indexOf(a.kind.kind) - kinds.indexOf(b.kind.kind) ||
    compare(a.created ?? '', b.created ?? '') ||
    compare(a.digest, b.digest)
  );
}

const byText = (a: UnusableEntry | Failure, b: UnusableEntry | Failure): number =>
  compare(JSON.stringify(a), JSON.stringify(b));
