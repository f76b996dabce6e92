import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, repositoryName } from '../image/reference.ts';
import type { ImageReference, Repository } from '../image/reference.ts';
import type { Document, Index } from '../oci/manifest.ts';
import { artifactKind } from './artifact-kind.ts';
import { isCompleteTree } from './artifact-tree.ts';
import type { ArtifactNode, ArtifactTree } from './artifact-tree.ts';
import { describeManifest } from './describe-manifest.ts';
import { draftNode } from './draft-node.ts';
import type { DraftNode } from './draft-node.ts';
import { drainEvents } from './drain-events.ts';
import type { FindingsLedger } from './findings-ledger.ts';
import { indexChildren, platformsOf } from './index-children.ts';
import type { IndexChild } from './index-children.ts';
import { mapBounded } from './map-bounded.ts';

import type {
  ArtifactSource,
  Candidate,
  DiscoveryEnd,
  ParentIndex,
  RegistryAccess,
  Subject,
  UnusableReferrer,
  Wanted,
} from './ports.ts';
import { readClaims } from './read-claims.ts';
import { nothing, treeBounds, TreeGrowth } from './tree-growth.ts';
import type { Found, Step } from './tree-growth.ts';
import { untilAborted } from './until-aborted.ts';

/** Digests asked about at the same time. */
const searchConcurrency = 4;

const everything: Wanted = { signatures: true, attestations: true, sboms: true };

/**
 * What stands around an image in its registry, by the discovery that decisions use; nothing is verified, and nothing
 * trusted. Level by level, so that a flood below one artifact hides nothing above it. Faults become gaps of their node.
 * @param onProgress called with the count of what was found, each time that it grows.
 * @throws RefwardenError when the image itself cannot be resolved or read.
 */
export async function exploreArtifacts(
  source: ArtifactSource,
  image: ImageReference,
  access: RegistryAccess,
  onProgress: (found: number) => void = () => undefined,
): Promise<ArtifactTree> {
  const { digest } = await untilAborted(source.resolve(image, access), access.signal);
  const resolved = { ...image, digest };
  const document = await untilAborted(source.fetchParsed(resolved, access), access.signal);
  const exploration = new Exploration(source, resolved, access, onProgress);
  const root = await exploration.run(document);
  const { total, sequential } = access.trace;
  const { registry, repository } = image;
  return {
    repository: { registry, repository },
    reference: formatImageReference(resolved),
    root,
    complete: isCompleteTree(root),
    requests: { total, sequential },
  };
}

class Exploration {
  readonly #source: ArtifactSource;
  readonly #image: ImageReference & Subject;
  readonly #access: RegistryAccess;
  readonly #onProgress: (found: number) => void;
  readonly #growth: TreeGrowth;
  #found = 0;
  #searches = 0;

  constructor(
    source: ArtifactSource,
    image: ImageReference & Subject,
    access: RegistryAccess,
    onProgress: (found: number) => void,
  ) {
    this.#source = source;
    this.#image = image;
    this.#access = access;
    this.#onProgress = onProgress;
    this.#growth = new TreeGrowth(image.digest);
  }

  async run(document: Document): Promise<ArtifactNode> {
    const { digest } = this.#image;
    const root = draftNode('root', digest, {
      kind: { kind: document.kind === 'index' ? 'index' : 'image' },
      ...(document.kind === 'manifest' ? describeManifest(document) : {}),
    });
    await this.#readSize(root);
    let level: Step[] = [{ node: root, document }];
    for (let depth = 0; depth < treeBounds.maxDepth && level.length > 0; depth++) {
      const isOpen = !this.#growth.isFull && !this.#access.signal.aborted;
      const due = isOpen ? level.slice(0, treeBounds.maxSearches - this.#searches) : [];
      this.#searches += due.length;
      const found = await mapBounded(due, searchConcurrency, (step) => this.#look(step));
      level = due.flatMap(({ node }, i) => this.#growth.attach(node, found[i] ?? nothing()));
    }
    return root;
  }

  /** Never throws. */
  async #look(step: Step): Promise<Found> {
    const { node, document, entry } = step;
    const found = nothing();
    const subject = this.#subject(node.digest);
    node.explored = 'here';
    const take = (candidate: Candidate): Promise<void> => this.#takeReferrer(candidate, subject, found);
    const searches = [
      this.#drain(node, found, this.#source.referrers(subject, everything, this.#access), take),
    ];
    if (node.relation === 'root' || node.relation === 'parent')
      searches.push(this.#lookUp(node, found, subject, take));
    if (entry !== undefined) searches.push(this.#lookInto(node, entry, found));
    if (entry?.holder !== undefined) {
      const held = this.#source.attestationsIn(entry.holder, subject, this.#access);
      searches.push(this.#drain(node, found, held, take));
    }
    if (document?.kind === 'index') this.#takeChildren(document, found);
    await Promise.all(searches);
    return found;
  }

  async #lookUp(
    node: DraftNode,
    found: Found,
    subject: Subject,
    take: (candidate: Candidate) => Promise<void>,
  ): Promise<void> {
    const { tag } = this.#image;
    const isImage = node.relation === 'root';
    const hints = { indexTags: [], ...(isImage && tag !== undefined ? { tag } : {}) };
    await this.#drain(
      node,
      found,
      this.#source.parents(subject, hints, this.#access),
      async ({ digest, index, mechanism }: ParentIndex) => {
        const entries = index.manifests.filter((item) => item.digest === subject.digest);
        const parent = draftNode('parent', digest, {
          kind: { kind: 'index' },
          mechanism,
          platforms: platformsOf(entries),
        });
        if (!this.#count(found)) return;
        found.parents.push({ node: parent });
        await this.#readSize(parent);
        if (!isImage) return;
        const held = this.#source.attestationsIn(index, subject, this.#access);
        await this.#drain(node, found, held, take);
      },
    );
  }

  /** Reads a child itself: whether it is there, what it is, and how large. */
  async #lookInto(node: DraftNode, { mayRun }: IndexChild, found: Found): Promise<void> {
    try {
      const subject = this.#subject(node.digest);
      const work = this.#source.fetchParsed(subject, this.#access);
      const document = await untilAborted(work, this.#access.signal);
      if (document.kind === 'index') {
        node.kind = { kind: 'index' };
        this.#takeChildren(document, found);
        return;
      }
      Object.assign(node, describeManifest(document));
      node.kind = mayRun ? { kind: 'image' } : artifactKind(document);
    } catch (thrown) {
      node.flaw = this.#missing(node.digest, toFailure(thrown));
    }
  }

  #missing(digest: Digest, why: Failure): Failure {
    if (why.code !== 'ImageNotFound') return shown(why);
    const message = `${repositoryName(this.#image)} does not have ${shortDigest(digest)}, which the index lists.`;
    return failure('ArtifactMissing', message);
  }

  #takeChildren(index: Index, found: Found): void {
    for (const entry of indexChildren(index)) {
      if (!this.#count(found)) continue;
      const { digest, kind, sizeBytes, platforms, flaw } = entry;
      const node = draftNode('child', digest, {
        kind,
        sizeBytes,
        platforms,
        ...(flaw === undefined ? {} : { flaw }),
      });
      found.children.push({ node, entry });
    }
  }

  async #takeReferrer(candidate: Candidate, subject: Subject, found: Found): Promise<void> {
    if (!this.#count(found)) return;
    const { digest, mechanism, manifest, sizeBytes } = candidate;
    const known = { mechanism, sizeBytes, kind: artifactKind(manifest), ...describeManifest(manifest) };
    const node = draftNode('referrer', digest, known);
    found.referrers.push({ node });
    Object.assign(node, await readClaims(candidate, subject, this.#source, this.#access));
  }

  /** Whether there is room for one more. */
  #count(found: Found): boolean {
    if (!this.#growth.hasRoomFor(found)) return false;
    this.#onProgress(++this.#found);
    return true;
  }

  async #drain<T extends Candidate | ParentIndex>(
    node: DraftNode,
    found: Found,
    batches: AsyncIterable<readonly (T | UnusableReferrer | DiscoveryEnd)[]>,
    take: (event: T) => Promise<void>,
  ): Promise<void> {
    const leaveGap = (why: Failure): void => {
      const { code, message } = shown(why);
      if (!node.gaps.some((known) => known.code === code && known.message === message))
        node.gaps.push({ code, message });
    };
    const ledger: Pick<FindingsLedger, 'end' | 'reject' | 'leaveGap'> = {
      leaveGap,
      end: ({ complete, failures }) => {
        failures.forEach(leaveGap);
        if (!complete && failures.length === 0)
          leaveGap(failure('InternalError', 'The search was incomplete without a reason.'));
      },
      reject: (why, { mechanism, digest }) => {
        if (!this.#count(found)) return;
        found.unusable.push({ mechanism, failure: shown(why), ...(digest === undefined ? {} : { digest }) });
      },
    };
    const drained = drainEvents(ledger, batches, async (event: T) => {
      await take(event);
      return false;
    });
    await untilAborted(drained, this.#access.signal).catch((thrown: unknown) => {
      leaveGap(toFailure(thrown));
    });
  }

  /** From the cache, as a rule: it was read already. */
  async #readSize(node: DraftNode): Promise<void> {
    try {
      const work = this.#source.fetchDocument(this.#subject(node.digest), this.#access);
      node.sizeBytes = (await untilAborted(work, this.#access.signal)).byteLength;
    } catch {
      // Its size stays unknown; nothing hangs on it.
    }
  }

  #subject(digest: Digest): Subject {
    const { registry, repository }: Repository = this.#image;
    return { registry, repository, digest };
  }
}

const shown = ({ code, message }: Failure): Failure => failure(code, printable(message));
