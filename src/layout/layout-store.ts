import type {
  ContentStore,
  ListingApiName,
  TagList,
  Tagged,
  TaggedManifest,
} from '../admission/content-store.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Clock, ResolvedImage, Subject } from '../admission/ports.ts';
import { failureKind, RefwardenError } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { boundListing } from '../oci/listing.ts';
import type { ListingAnswer } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { addUnlisted } from './cosign-save.ts';
import { LayoutContent } from './layout-content.ts';
import type { LayoutFiles } from './layout-files.ts';
import { LayoutGraph } from './layout-graph.ts';
import { LayoutImages } from './layout-images.ts';
import { defaultLayoutLimits } from './limits.ts';
import type { LayoutLimits } from './limits.ts';
import { openLayoutFiles } from './open-layout-files.ts';
import { readLayoutIndex } from './read-layout-index.ts';

export interface LayoutOptions {
  readonly clock: Clock;
  readonly limits?: Partial<LayoutLimits>;
}

const layoutMechanisms = ['Layout', 'FallbackTag', 'CosignTag'] as const satisfies readonly Mechanism[];
/** Of what could not be read; one is enough to leave an answer open. */
const maxShownFaults = 16;

/** What was read of a layout when it was opened. */
interface OpenLayout {
  readonly files: LayoutFiles;
  readonly content: LayoutContent;
  readonly entries: readonly Descriptor[];
  readonly graph: LayoutGraph;
  readonly failures: readonly Failure[];
}

/**
 * An OCI image layout as the place where everything is: whatever repository is asked for, it is looked for here, and
 * nothing goes over a network. The layout is read as it was when it was opened; each blob is hashed when it is used.
 */
export class LayoutStore implements ContentStore {
  readonly limits: LayoutLimits;
  readonly clock: Clock;
  readonly #layout: OpenLayout;
  readonly #images: LayoutImages;
  readonly #openedAtMs: number;

  constructor(layout: OpenLayout, limits: LayoutLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
    this.#layout = layout;
    this.#images = new LayoutImages(layout.files.path, layout.entries, layout.graph);
    this.#openedAtMs = clock.nowMs();
  }

  mechanisms(): readonly Mechanism[] {
    return layoutMechanisms;
  }

  /**
   * @throws RefwardenError `ImageNotFound`, `ImageAmbiguous`, or what is wrong with the image.
   */
  resolveTag(tagged: Tagged): Promise<ResolvedImage> {
    return settle(() => {
      const image = this.#images.resolve(tagged);
      const why = this.#layout.graph.failure(image.digest);
      if (why !== undefined) throw asError(why);
      return { digest: image.digest, mediaType: image.mediaType };
    });
  }

  async fetchManifest({ digest }: Subject): Promise<ManifestContent> {
    const { content, graph } = this.#layout;
    const found = await content.manifest(digest, graph.mediaType(digest));
    if (found === undefined) throw this.#images.notFound(shortDigest(digest));
    return found;
  }

  async fetchTagged(tagged: Tagged): Promise<TaggedManifest> {
    const askedAtMs = this.#openedAtMs;
    const named = this.#images.named(tagged);
    if (named === undefined) return { askedAtMs };
    const content = await this.#layout.content.manifest(named.digest, named.mediaType);
    if (content !== undefined) return { askedAtMs, content };
    const gone = `${this.#layout.files.path} names ${shortDigest(named.digest)} by the tag ${tagged.tag} but does not have it.`;
    throw new RefwardenError('ArtifactMissing', gone);
  }

  fetchBlob(_target: Repository, blob: Descriptor): Promise<Uint8Array> {
    return this.#layout.content.blob(blob);
  }

  /**
   * Every manifest that names the subject, and every index that contains it, whatever API is asked.
   * @throws RefwardenError `ImageNotFound` for a subject that the layout knows nothing of: that is not "nothing found".
   */
  list(_api: ListingApiName, { digest }: Subject): Promise<ListingAnswer> {
    return settle(() => {
      const { graph, files, failures } = this.#layout;
      if (!graph.has(digest)) throw this.#images.notFound(digest);
      const own = graph.failure(digest);
      if (own !== undefined && own.code !== 'ArtifactMissing') throw asError(own);
      const wrong = [...graph.failuresBeside(digest), ...failures];
      const listing = {
        kind: 'listing',
        entries: graph.naming(digest),
        malformed: wrong.filter((why) => !leavesOpen(why)),
        faults: wrong.filter(leavesOpen).slice(0, maxShownFaults),
        askedAtMs: this.#openedAtMs,
      } as const;
      return boundListing(listing, this.limits.maxReferrers, files.path);
    });
  }

  listTags(repository: Repository): Promise<TagList> {
    const tags = this.#images.tags(repository);
    return Promise.resolve({ tags, isWhole: true, askedAtMs: this.#openedAtMs });
  }

  caches(): readonly CacheCounts[] {
    return [];
  }

  close(): Promise<void> {
    return this.#layout.files.close();
  }
}

/**
 * @param path of a directory or a tar.
 * @throws RefwardenError `LayoutInvalid`, `LayoutTooLarge`, `LayoutUnreadable`, `ArtifactTooLarge`.
 */
export async function openLayout(path: string, options: LayoutOptions): Promise<LayoutStore> {
  const limits = { ...defaultLayoutLimits, ...options.limits };
  const files = await openLayoutFiles(path, limits);
  try {
    const entries = await readLayoutIndex(files, limits);
    const content = new LayoutContent(files, limits);
    const graph = new LayoutGraph(path, limits);
    await graph.walk(entries, content);
    const failures = await addUnlisted(graph, entries, files, content);
    return new LayoutStore({ files, content, entries, graph, failures }, limits, options.clock);
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** What is thrown becomes a rejection. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

/** What could not be read may have been the good one. */
const leavesOpen = ({ code }: Failure): boolean => ['inconclusive', 'internal'].includes(failureKind(code));

const asError = ({ code, message, cause }: Failure): RefwardenError =>
  new RefwardenError(code, message, cause);
