import { RefwardenError } from '../../failures/failure.ts';
import { computeDigest } from '../../image/digest.ts';
import type { Digest, DigestAlgorithm } from '../../image/digest.ts';
import { readManifestFacts } from './manifest-facts.ts';
import type { EdgeKind, ManifestFacts } from './manifest-facts.ts';

/** Most bytes that a store holds, over all repositories. */
const maxStoredBytes = 512 * 1024 * 1024;

export interface StoredManifest extends ManifestFacts {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What one repository holds. */
export interface RepositoryContents {
  readonly manifests: ReadonlyMap<Digest, StoredManifest>;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly tags: ReadonlyMap<string, Digest>;
}

interface Repository extends RepositoryContents {
  readonly manifests: Map<Digest, StoredManifest>;
  readonly blobs: Map<Digest, Uint8Array>;
  readonly tags: Map<string, Digest>;
  /** Reverse index: target -> source -> how. Outlives the target, as referrers may come first or dangle. */
  readonly incoming: Map<Digest, Map<Digest, Set<EdgeKind>>>;
}

/**
 * Repositories in memory. Takes any bytes as a manifest, so that tests can store hostile ones;
 * the HTTP routes check what a registry has to check.
 */
export class RegistryStore {
  readonly #repositories = new Map<string, Repository>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = maxStoredBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @throws RefwardenError `ArtifactTooLarge` when the store is full. */
  putManifest(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    tag?: string,
    algorithm: DigestAlgorithm = 'sha256',
  ): Digest {
    const digest = computeDigest(bytes, algorithm);
    const { manifests, incoming, tags } = this.#opened(repository);
    const before = manifests.get(digest);
    if (before === undefined) this.#reserve(bytes.byteLength);
    const stored: StoredManifest = { digest, mediaType, bytes, ...readManifestFacts(bytes) };
    manifests.set(digest, stored);
    for (const { kind, target } of stored.edges) {
      const sources = getOrAdd(incoming, target, () => new Map<Digest, Set<EdgeKind>>());
      getOrAdd(sources, digest, () => new Set<EdgeKind>()).add(kind);
    }
    if (tag !== undefined) tags.set(tag, digest);
    return digest;
  }

  /** @throws RefwardenError `ArtifactTooLarge` when the store is full. */
  putBlob(repository: string, bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
    const digest = computeDigest(bytes, algorithm);
    const { blobs } = this.#opened(repository);
    if (!blobs.has(digest)) {
      this.#reserve(bytes.byteLength);
      blobs.set(digest, bytes);
    }
    return digest;
  }

  /** Makes a blob of one repository known in another; false when there is none. */
  mountBlob(from: string, to: string, digest: Digest): boolean {
    const bytes = this.blob(from, digest);
    if (bytes === undefined) return false;
    const { blobs } = this.#opened(to);
    if (!blobs.has(digest)) {
      this.#reserve(bytes.byteLength);
      blobs.set(digest, bytes);
    }
    return true;
  }

  /** Points a tag at a digest, whether or not such a manifest exists. */
  tag(repository: string, tag: string, digest: Digest): void {
    this.#opened(repository).tags.set(tag, digest);
  }

  hasRepository(repository: string): boolean {
    return this.#repositories.has(repository);
  }

  manifest(repository: string, digest: Digest): StoredManifest | undefined {
    return this.#repositories.get(repository)?.manifests.get(digest);
  }

  blob(repository: string, digest: Digest): Uint8Array | undefined {
    return this.#repositories.get(repository)?.blobs.get(digest);
  }

  resolveTag(repository: string, tag: string): Digest | undefined {
    return this.#repositories.get(repository)?.tags.get(tag);
  }

  /** Sorted by code units, as the distribution-spec asks for. */
  tags(repository: string): string[] {
    return [...(this.#repositories.get(repository)?.tags.keys() ?? [])].sort();
  }

  /** The manifests that name the target in one of these ways, sorted by digest. */
  pointingAt(repository: string, target: Digest, kinds: readonly EdgeKind[]): StoredManifest[] {
    const held = this.#repositories.get(repository);
    const sources = [...(held?.incoming.get(target) ?? [])];
    return sources
      .filter(([, how]) => kinds.some((kind) => how.has(kind)))
      .flatMap(([source]) => held?.manifests.get(source) ?? [])
      .sort((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  /** Everything that a repository holds, for writing it down. */
  contents(repository: string): RepositoryContents | undefined {
    return this.#repositories.get(repository);
  }

  deleteTag(repository: string, tag: string): boolean {
    return this.#repositories.get(repository)?.tags.delete(tag) ?? false;
  }

  /** Deletes a manifest, its tags and its edges; what refers to it stays and dangles. */
  deleteManifest(repository: string, digest: Digest): boolean {
    const held = this.#repositories.get(repository);
    const manifest = held?.manifests.get(digest);
    if (held === undefined || manifest === undefined) return false;
    held.manifests.delete(digest);
    this.#bytes -= manifest.bytes.byteLength;
    for (const [tag, tagged] of held.tags) if (tagged === digest) held.tags.delete(tag);
    for (const { target } of manifest.edges) {
      const sources = held.incoming.get(target);
      sources?.delete(digest);
      if (sources?.size === 0) held.incoming.delete(target);
    }
    return true;
  }

  deleteBlob(repository: string, digest: Digest): boolean {
    const blobs = this.#repositories.get(repository)?.blobs;
    const bytes = blobs?.get(digest);
    if (blobs === undefined || bytes === undefined) return false;
    this.#bytes -= bytes.byteLength;
    return blobs.delete(digest);
  }

  #opened(repository: string): Repository {
    return getOrAdd(this.#repositories, repository, () => ({
      manifests: new Map(),
      blobs: new Map(),
      tags: new Map(),
      incoming: new Map(),
    }));
  }

  #reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new RefwardenError(
        'ArtifactTooLarge',
        `The embedded registry is full: it holds at most ${this.#maxBytes} bytes.`,
      );
    }
    this.#bytes += bytes;
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const held = map.get(key);
  if (held !== undefined) return held;
  const made = make();
  map.set(key, made);
  return made;
}
