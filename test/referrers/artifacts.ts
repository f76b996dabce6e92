import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { documentOf, manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';

export const repository = 'shop/app';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

interface Layer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

function layerOf(registry: EmbeddedRegistry, mediaType: string, text: string): Layer {
  const bytes = Buffer.from(text);
  registry.store.putBlob(repository, bytes);
  return { mediaType, digest: computeDigest(bytes), size: bytes.byteLength };
}

/** An artifact that names its subject by `subject` or by the proposal's `reference`. */
export function pushBundle(
  registry: EmbeddedRegistry,
  subject: TestDocument,
  name = 'bundle',
  fields: object = {},
): TestDocument {
  const document = manifest(name, {
    artifactType: bundleType,
    layers: [layerOf(registry, bundleType, `payload of ${name}`)],
    subject: subject.descriptor,
    ...fields,
  });
  registry.store.putManifest(repository, document.bytes, document.mediaType);
  return document;
}

/** What cosign 1 and 2 push: the tag is the only link to the image. */
export function pushCosignTag(
  registry: EmbeddedRegistry,
  subject: TestDocument,
  suffix: 'sig' | 'att' = 'sig',
): TestDocument {
  const layer = layerOf(registry, 'application/vnd.dev.cosign.simplesigning.v1+json', `payload of ${suffix}`);
  const document = manifest(suffix, { layers: [layer] });
  const tag = `${subject.digest.replace(':', '-')}.${suffix}`;
  registry.store.putManifest(repository, document.bytes, document.mediaType, tag);
  return document;
}

/** The index under the referrers tag, with whatever it lists. */
export function pushFallbackTag(
  registry: EmbeddedRegistry,
  subject: TestDocument,
  listed: readonly object[],
): TestDocument {
  const document = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: listed });
  const tag = subject.digest.replace(':', '-');
  registry.store.putManifest(repository, document.bytes, document.mediaType, tag);
  return document;
}
