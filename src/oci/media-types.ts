/** Media types of manifests and indexes (OCI image-spec media-types.md, Docker image manifest v2 schema 2). */
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerManifestList = 'application/vnd.docker.distribution.manifest.list.v2+json';
/** Image-spec 1.1.0-rc.1 and rc.2 "artifact.md"; withdrawn, and still found in registries. */
export const ociArtifactManifest = 'application/vnd.oci.artifact.manifest.v1+json';
/** ORAS artifacts-spec draft.1 to rc.2, "artifact-manifest.md". */
export const orasArtifactManifest = 'application/vnd.cncf.oras.artifact.manifest.v1+json';
export const emptyConfig = 'application/vnd.oci.empty.v1+json';

const indexTypes: ReadonlySet<string> = new Set([ociIndex, dockerManifestList]);
const manifestTypes: ReadonlySet<string> = new Set([ociManifest, dockerManifest]);
const artifactManifestTypes: ReadonlySet<string> = new Set([ociArtifactManifest, orasArtifactManifest]);

export const isIndexType = (mediaType: string): boolean => indexTypes.has(mediaType);
/** Of an image: what a node could run. */
export const isManifestType = (mediaType: string): boolean => manifestTypes.has(mediaType);
/** Of artifacts alone: `blobs` instead of `config` and `layers`. */
export const isArtifactManifestType = (mediaType: string): boolean => artifactManifestTypes.has(mediaType);
export const isDocumentType = (mediaType: string): boolean =>
  isIndexType(mediaType) || isManifestType(mediaType) || isArtifactManifestType(mediaType);

/** Sent on every manifest request: a registry answers 404 for a type that is not accepted. */
export const acceptManifests = [...manifestTypes, ...indexTypes, ...artifactManifestTypes].join(', ');
