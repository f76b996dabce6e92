import type { Tagged } from '../admission/content-store.ts';
import { RefwardenError } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, isTag, parseImageReference } from '../image/reference.ts';
import type { ImageReference, Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { savedTags } from './cosign-save.ts';

/** A tag, or a full reference (image-spec annotations.md leaves it to the tools). */
const nameAnnotation = 'org.opencontainers.image.ref.name';
/** The full reference, as containerd and BuildKit write it beside the tag. */
const fullNameAnnotation = 'io.containerd.image.name';
/** Names of one image in a message. */
const maxShownNames = 4;

type Name = { readonly entry: Descriptor } & ({ readonly tag: string } | { readonly image: ImageReference });

/** What the entries of `index.json` are called. */
export class LayoutNames {
  readonly #names: readonly Name[];
  readonly #byDigest: ReadonlyMap<Digest, readonly Name[]>;

  constructor(entries: readonly Descriptor[]) {
    this.#names = [...entries.flatMap(namesOf), ...savedTags(entries)];
    this.#byDigest = Map.groupBy(this.#names, ({ entry }) => entry.digest);
  }

  /** The manifests of that name, each once. A full name counts before a bare tag, which may be of any repository. */
  find(tagged: Tagged): readonly Descriptor[] {
    const full = this.#names.filter((name) => 'image' in name && isNamed(name.image, tagged));
    const found =
      full.length > 0 ? full : this.#names.filter((name) => 'tag' in name && name.tag === tagged.tag);
    return [...new Map(found.map(({ entry }) => [entry.digest, entry])).values()];
  }

  tags({ registry, repository }: Repository): readonly string[] {
    const tags = this.#names.flatMap((name) => {
      if ('tag' in name) return name.tag;
      const { tag } = name.image;
      return tag !== undefined && isNamed(name.image, { registry, repository, tag }) ? tag : [];
    });
    return [...new Set(tags)];
  }

  has({ digest }: Descriptor): boolean {
    return this.#byDigest.has(digest);
  }

  /** For people: `1.4 (sha256:ab12cd34)`, or the digest of what has no name. */
  describe({ digest }: Descriptor): string {
    const names = this.#byDigest.get(digest) ?? [];
    if (names.length === 0) return digest;
    const shown = names.map((name) => ('tag' in name ? name.tag : formatImageReference(name.image)));
    return `${shown.slice(0, maxShownNames).join(', ')} (${shortDigest(digest)})`;
  }
}

function namesOf(entry: Descriptor): Name[] {
  return [nameAnnotation, fullNameAnnotation].flatMap((key): Name[] => {
    const text = entry.annotations[key];
    if (text === undefined) return [];
    if (isTag(text)) return [{ entry, tag: text }];
    const image = parseLeniently(text);
    return image === undefined ? [] : [{ entry, image }];
  });
}

/** Undefined for what is no name of an image: then it has none. */
function parseLeniently(text: string): ImageReference | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (error instanceof RefwardenError) return undefined;
    throw error;
  }
}

const isNamed = (image: ImageReference, { registry, repository, tag }: Tagged): boolean =>
  image.registry === registry && image.repository === repository && image.tag === tag;
