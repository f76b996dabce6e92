import assert from 'node:assert/strict';
import type { RegistryStore } from '../../src/demo/registry/registry-store.ts';
import type { Sample } from '../../src/demo/sample.ts';

/** Writes a repository down as text; fails on anything that is not. */
export function toSample(store: RegistryStore, repository: string): Sample {
  const contents = store.contents(repository);
  assert(contents !== undefined, `${repository} is empty`);
  const decode = (bytes: Uint8Array): string =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  return {
    repository,
    tags: Object.fromEntries(
      store.tags(repository).map((tag) => [tag, store.resolveTag(repository, tag) ?? '']),
    ),
    manifests: [...contents.manifests.values()].map(({ mediaType, digest, bytes }) => ({
      mediaType,
      digest,
      content: decode(bytes),
    })),
    blobs: [...contents.blobs].map(([digest, bytes]) => ({ digest, text: decode(bytes) })),
  };
}
