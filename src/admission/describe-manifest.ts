import type { Manifest } from '../oci/manifest.ts';
import { excerpt } from '../verification/excerpt.ts';
import type { ArtifactNode } from './artifact-tree.ts';

const createdAnnotations = ['org.opencontainers.image.created', 'io.cncf.oras.artifact.created'];

/** The sizes and the date that a manifest states. */
export function describeManifest({
  layers,
  annotations,
}: Manifest): Required<Pick<ArtifactNode, 'layers'>> & Pick<ArtifactNode, 'created'> {
  const created = createdAnnotations.map((name) => annotations[name]).find((text) => text !== undefined);
  return {
    layers: { count: layers.length, sizeBytes: layers.reduce((sum, { size }) => sum + size, 0) },
    ...(created === undefined ? {} : { created: excerpt(created) }),
  };
}
