import { RefwardenError } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { RegistryStore } from './registry/registry-store.ts';

/** A repository with an image and what refers to it, as text: the form of `samples/*.json`. */
export interface Sample {
  readonly repository: string;
  /** Tag -> digest. */
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly content: string;
  }[];
  readonly blobs: readonly { readonly digest: string; readonly text: string }[];
}

/** @throws RefwardenError `DigestMismatch` when a sample was edited by hand, as signatures would no longer hold. */
export function loadSample(store: RegistryStore, sample: Sample): void {
  const { repository, tags, manifests, blobs } = sample;
  const expect = (stored: Digest, stated: string): void => {
    if (stored !== stated) {
      throw new RefwardenError(
        'DigestMismatch',
        `Sample ${repository}: ${stated} has the content of ${stored}.`,
      );
    }
  };
  for (const { digest, text } of blobs) expect(store.putBlob(repository, Buffer.from(text)), digest);
  for (const { mediaType, digest, content } of manifests) {
    expect(store.putManifest(repository, Buffer.from(content), mediaType), digest);
  }
  for (const [tag, digest] of Object.entries(tags)) store.tag(repository, tag, digest as Digest);
}
