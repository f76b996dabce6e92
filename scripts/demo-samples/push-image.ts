import { emptyConfig, ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { RegistryStore } from '../../src/demo/registry/registry-store.ts';

const created = '2026-01-01T00:00:00Z';

/** An image without content, one for each name and architecture: enough to be referred to. Returns its digest. */
export function pushImage(
  store: RegistryStore,
  repository: string,
  tag: string,
  architecture = 'amd64',
): Digest {
  const config = putJson(store, repository, 'application/vnd.oci.image.config.v1+json', {
    created,
    architecture,
    os: 'linux',
    config: { Labels: { 'org.opencontainers.image.title': repository } },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  // The layer that image-spec advises for a manifest that has none.
  const layer = putJson(store, repository, emptyConfig, {});
  return putManifest(
    store,
    repository,
    { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer] },
    tag,
  );
}

/** An index of images for two architectures; tags `<tag>` and `<tag>-<architecture>`. Returns its digest. */
export function pushIndex(store: RegistryStore, repository: string, tag: string): Digest {
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const digest = pushImage(store, repository, `${tag}-${architecture}`, architecture);
    const size = store.manifest(repository, digest)?.bytes.byteLength;
    return { mediaType: ociManifest, digest, size, platform: { architecture, os: 'linux' } };
  });
  return putManifest(store, repository, { schemaVersion: 2, mediaType: ociIndex, manifests }, tag);
}

function putManifest(
  store: RegistryStore,
  repository: string,
  manifest: { mediaType: string; schemaVersion: 2; [field: string]: unknown },
  tag: string,
): Digest {
  return store.putManifest(repository, Buffer.from(JSON.stringify(manifest)), manifest.mediaType, tag);
}

function putJson(store: RegistryStore, repository: string, mediaType: string, value: object): object {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: store.putBlob(repository, bytes), size: bytes.byteLength };
}
