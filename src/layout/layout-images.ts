import type { Tagged } from '../admission/content-store.ts';
import { RefwardenError } from '../failures/failure.ts';
import { formatImageReference } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isSavedArtifact } from './cosign-save.ts';
import type { LayoutGraph } from './layout-graph.ts';
import { LayoutNames } from './layout-names.ts';

/** Tags made of digests: what stands under them refers to an image. */
const digestTag = /^sha(?:256|512)-[0-9a-f]{16}/;
/** Images shown to somebody who asked for another. */
const maxShownImages = 8;

/** Which manifest of a layout an image reference means. */
export class LayoutImages {
  readonly #path: string;
  readonly #names: LayoutNames;
  /** What `index.json` lists for itself: neither an artifact of something else nor an unnamed part of an index. */
  readonly #images: readonly Descriptor[];

  /** @param path of the layout, for messages. */
  constructor(path: string, entries: readonly Descriptor[], graph: LayoutGraph) {
    this.#path = path;
    this.#names = new LayoutNames(entries);
    const isArtifact = (entry: Descriptor): boolean =>
      isSavedArtifact(entry) ||
      digestTag.test(entry.annotations['org.opencontainers.image.ref.name'] ?? '') ||
      graph.document(entry.digest)?.isReferrer === true;
    const images = entries.filter(
      (entry) =>
        graph.mediaType(entry.digest) !== undefined &&
        !isArtifact(entry) &&
        (!graph.isContained(entry.digest) || this.#names.has(entry)),
    );
    this.#images = [...new Map(images.map((entry) => [entry.digest, entry])).values()];
  }

  /**
   * By name; an image that stands there alone and unnamed goes by any.
   * @throws RefwardenError `ImageNotFound`, `ImageAmbiguous`.
   */
  resolve(tagged: Tagged): Descriptor {
    const image = this.named(tagged) ?? this.#only();
    if (image === undefined) throw this.notFound(formatImageReference(tagged));
    return image;
  }

  /** Undefined when nothing has that name. @throws RefwardenError `ImageAmbiguous`. */
  named(tagged: Tagged): Descriptor | undefined {
    const [first, ...others] = this.#names.find(tagged);
    if (others.length === 0) return first;
    throw this.#ambiguous(`${others.length + 1} manifests named ${tagged.tag}`);
  }

  tags(repository: Repository): readonly string[] {
    return this.#names.tags(repository);
  }

  notFound(what: string): RefwardenError {
    return new RefwardenError('ImageNotFound', `${this.#path} has no ${what}; ${this.#contents()}.`);
  }

  /** Undefined if it has a name: one that is named otherwise is not what was asked for. */
  #only(): Descriptor | undefined {
    const [first, ...others] = this.#images;
    if (first === undefined || this.#names.has(first)) return undefined;
    if (others.length === 0) return first;
    throw this.#ambiguous(`${this.#images.length} images`);
  }

  #ambiguous(what: string): RefwardenError {
    return new RefwardenError('ImageAmbiguous', `${this.#path} has ${what}; ${this.#contents()}.`);
  }

  #contents(): string {
    if (this.#images.length === 0) return 'it has no image';
    const shown = this.#images.slice(0, maxShownImages).map((image) => this.#names.describe(image));
    const left = this.#images.length - shown.length;
    return `it has ${shown.join(', ')}${left === 0 ? '' : ` and ${left} more`}`;
  }
}
