import type { Attachment } from './carriers.ts';
import { onlyArtifact, readCosignFixture } from './cosign-fixture.ts';

/** The artifact of a fixture, to be attached by whatever mechanism. */
export function attachmentOf(fixture: string): Attachment {
  const { manifest, layers } = onlyArtifact(readCosignFixture(fixture));
  return {
    name: fixture,
    artifactType: manifest.artifactType ?? '',
    annotations: manifest.annotations,
    layers: manifest.layers.map(({ mediaType, digest, annotations }) => {
      const bytes = layers.get(digest);
      if (bytes === undefined) throw new Error(`fixture ${fixture} lacks a layer`);
      return { mediaType, bytes, annotations };
    }),
  };
}
