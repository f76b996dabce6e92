/** Media types of manifests and indexes (OCI image-spec media-types.md, Docker image manifest v2 schema 2). */
export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerManifestList = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const emptyConfig = 'application/vnd.oci.empty.v1+json';

const indexTypes: ReadonlySet<string> = new Set([ociIndex, dockerManifestList]);
const manifestTypes: ReadonlySet<string> = new Set([ociManifest, dockerManifest]);

export const isIndexType = (mediaType: string): boolean => indexTypes.has(mediaType);
export const isManifestType = (mediaType: string): boolean => manifestTypes.has(mediaType);

/** Sent on every manifest request: a registry answers 404 for a type that is not accepted. */
export const acceptManifests = [ociManifest, ociIndex, dockerManifest, dockerManifestList].join(', ');
