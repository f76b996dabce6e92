import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { predicateTypeAnnotation } from '../oci/listing.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import { isRunnableChild } from '../oci/manifest.ts';
import type { Document } from '../oci/manifest.ts';
import { isDocumentType } from '../oci/media-types.ts';
import type { LayoutContent } from './layout-content.ts';
import { overBound } from './layout-fault.ts';
import type { LayoutLimits } from './limits.ts';

/** A manifest or index of the layout, as others name it. */
export interface LayoutDocument extends ListedArtifact {
  /** Names something as its own subject, or reference. */
  readonly isReferrer: boolean;
}

/** Which document of a layout names which: everything that `index.json` leads to, and what was added to it. */
export class LayoutGraph {
  readonly #path: string;
  readonly #limits: LayoutLimits;
  readonly #documents = new Map<Digest, LayoutDocument>();
  /** Documents that are listed and cannot be read. */
  readonly #failures = new Map<Digest, Failure>();
  readonly #referrers = new Map<Digest, Set<Digest>>();
  readonly #parents = new Map<Digest, Set<Digest>>();
  /** Media type by which the first descriptor names a document. */
  readonly #mediaTypes = new Map<Digest, string>();
  /** Blobs that a document has for its layers. */
  readonly #layers = new Set<Digest>();
  #bytes = 0;

  /** @param path of the layout, for messages. */
  constructor(path: string, limits: LayoutLimits) {
    this.#path = path;
    this.#limits = limits;
  }

  /**
   * Reads all that the entries lead to, each once.
   * @throws RefwardenError `LayoutTooLarge`; what is wrong with one document is kept as its failure.
   */
  async walk(entries: readonly Descriptor[], content: LayoutContent): Promise<void> {
    const { maxIndexDepth, maxDocuments } = this.#limits;
    let level: Iterable<Descriptor> = entries;
    for (let depth = 0; ; depth++) {
      const next = new Map<Digest, Descriptor>();
      for (const entry of level) {
        const { digest, mediaType } = entry;
        if (!isDocumentType(mediaType) || this.#mediaTypes.has(digest)) continue;
        if (this.#mediaTypes.size >= maxDocuments)
          throw overBound(this.#path, 'manifests and indexes', maxDocuments);
        this.#mediaTypes.set(digest, mediaType);
        const document = await this.#read(entry, content, depth);
        for (const child of document?.kind === 'index' ? document.manifests : []) {
          if (!this.#mediaTypes.has(child.digest)) next.set(child.digest, child);
        }
        if (next.size > maxDocuments) throw overBound(this.#path, 'manifests and indexes', maxDocuments);
      }
      if (next.size === 0) return;
      if (depth >= maxIndexDepth) throw overBound(this.#path, 'indexes within one another', maxIndexDepth);
      level = next.values();
    }
  }

  async #read(entry: Descriptor, content: LayoutContent, depth: number): Promise<Document | undefined> {
    const { digest, mediaType } = entry;
    try {
      const found = await content.manifest(digest, mediaType);
      if (found !== undefined) return this.add(found);
      // A layout of one platform leaves the others of its index out.
      if (depth > 0 && isRunnableChild(entry)) return undefined;
      const gone = `${this.#path} lists ${shortDigest(digest)} but does not have it.`;
      this.#failures.set(digest, failure('ArtifactMissing', gone));
    } catch (thrown) {
      const why = toFailure(thrown);
      if (why.code === 'LayoutTooLarge') throw thrown;
      this.#failures.set(digest, why);
    }
    return undefined;
  }

  /** @throws RefwardenError `LayoutTooLarge`, and as its document does. */
  add(content: ManifestContent): Document {
    const { digest } = content;
    this.count(content.bytes.byteLength);
    const document = content.document();
    const targets = [document.subject, ...document.references].flatMap((target) => target?.digest ?? []);
    for (const target of targets) note(this.#referrers, target, digest);
    if (document.kind === 'index') {
      for (const child of document.manifests) note(this.#parents, child.digest, digest);
    } else {
      for (const layer of [document.config, ...document.layers]) if (layer) this.#layers.add(layer.digest);
    }
    this.#documents.set(digest, describe(digest, document, targets.length > 0));
    return document;
  }

  /** Adds to what was read in all. @throws RefwardenError `LayoutTooLarge`. */
  count(bytes: number): void {
    this.#bytes += bytes;
    const { maxDocumentsBytes } = this.#limits;
    if (this.#bytes > maxDocumentsBytes)
      throw overBound(this.#path, 'bytes of manifests and indexes', maxDocumentsBytes);
  }

  /** Whether it was read or at least listed, or something here names it. */
  has(digest: Digest): boolean {
    return this.#mediaTypes.has(digest) || this.#documents.has(digest) || this.#referrers.has(digest);
  }

  isLayer(digest: Digest): boolean {
    return this.#layers.has(digest);
  }

  isContained(digest: Digest): boolean {
    return this.#parents.has(digest);
  }

  document(digest: Digest): LayoutDocument | undefined {
    return this.#documents.get(digest);
  }

  mediaType(digest: Digest): string | undefined {
    return this.#mediaTypes.get(digest);
  }

  failure(digest: Digest): Failure | undefined {
    return this.#failures.get(digest);
  }

  /** What is wrong with documents of the layout, but for that one. */
  failuresBeside(digest: Digest): readonly Failure[] {
    return [...this.#failures].flatMap(([other, why]) => (other === digest ? [] : [why]));
  }

  /** Documents whose own subject or reference is this digest, then the indexes that contain it. */
  naming(digest: Digest): readonly LayoutDocument[] {
    const all = new Set([...(this.#referrers.get(digest) ?? []), ...(this.#parents.get(digest) ?? [])]);
    return [...all].flatMap((name) => this.#documents.get(name) ?? []);
  }
}

function note(edges: Map<Digest, Set<Digest>>, target: Digest, from: Digest): void {
  const known = edges.get(target);
  if (known === undefined) edges.set(target, new Set([from]));
  else known.add(from);
}

function describe(digest: Digest, document: Document, isReferrer: boolean): LayoutDocument {
  const { mediaType, artifactType } = document;
  const predicateType = document.annotations[predicateTypeAnnotation];
  return {
    digest,
    mediaType,
    isReferrer,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(predicateType === undefined ? {} : { predicateType }),
  };
}
