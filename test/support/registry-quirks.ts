import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StoredManifest } from '../../src/demo/registry/registry-store.ts';
import type { EmbeddedRegistry, Interceptor } from '../../src/demo/registry/start-registry.ts';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { ociIndex } from '../../src/oci/media-types.ts';

/** In what a registry in the world differs from the embedded one. */
export type Quirk = (registry: EmbeddedRegistry) => Interceptor;

/** distribution up to 3.1, Debian's docker-registry too: an index is unknown to clients that do not accept indexes. */
export const distribution: Quirk = (registry) => (request, response) => {
  const asked = manifestAsked(registry, request);
  if (asked?.manifest?.mediaType !== ociIndex) return false;
  if (request.headers.accept?.includes(ociIndex) === true) return false;
  return refuse(response, 404, 'MANIFEST_UNKNOWN');
};

/** zot: whatever is asked about a repository that it does not have, nothing refers to it. */
export const zot: Quirk = (registry) => (request, response) => {
  const asked = referrersAsked(request);
  if (asked === undefined || registry.store.hasRepository(asked.repository)) return false;
  return list(response, []);
};

/** Harbor before 2.8: the path of the referrers API is none of its own, and so wants a login of another kind. */
export const harborBeforeReferrers: Quirk = () => (request, response) =>
  referrersAsked(request) !== undefined && refuse(response, 401, 'UNAUTHORIZED');

/** Quay: 400 for a subject that it does not have; else what the fallback tag lists is listed too, unchecked. */
export const quay: Quirk = (registry) => (request, response) => {
  const asked = referrersAsked(request);
  if (asked === undefined) return false;
  const { repository, subject } = asked;
  const { store } = registry;
  if (store.manifest(repository, subject) === undefined) return refuse(response, 400, 'MANIFEST_INVALID');
  const tag = store.resolveTag(repository, subject.replace(':', '-'));
  const tagged = tag === undefined ? undefined : store.manifest(repository, tag);
  const merged =
    tagged === undefined
      ? []
      : (JSON.parse(Buffer.from(tagged.bytes).toString()) as { manifests: object[] }).manifests;
  return list(response, [...referrersOf(registry, asked).map(descriptorOf), ...merged]);
};

/** GHCR: no API. */
export const ghcr: Quirk = () => (request, response) =>
  referrersAsked(request) !== undefined && refuse(response, 404, 'NAME_UNKNOWN');

/** GHCR for a time: sent clients of the API to another host, which soon had enough of them. */
export const ghcrRedirecting =
  (elsewhere: EmbeddedRegistry): Quirk =>
  () => {
    elsewhere.intercept((_, response) => refuse(response, 429, 'TOOMANYREQUESTS'));
    return (request, response) => {
      if (referrersAsked(request) === undefined) return false;
      response.writeHead(303, { location: `${elsewhere.url}${request.url ?? ''}` }).end();
      return true;
    };
  };

/** GitLab: no API, and the tag `sha256-<hex>` is the manifest of that digest, unless somebody pushed such a tag. */
export const gitLab: Quirk = (registry) => (request, response) => {
  if (referrersAsked(request) !== undefined) return refuse(response, 404, 'NOT_FOUND');
  const asked = manifestAsked(registry, request);
  const hex = /^sha256-([0-9a-f]{64})$/.exec(asked?.reference ?? '')?.[1];
  if (asked === undefined || asked.manifest !== undefined || hex === undefined) return false;
  const itself = registry.store.manifest(asked.repository, `sha256:${hex}` as Digest);
  if (itself === undefined) return false;
  const { mediaType, digest, bytes } = itself;
  response.writeHead(200, { 'content-type': mediaType, 'docker-content-digest': digest }).end(bytes);
  return true;
};

/** Google Artifact Registry: sizes in listings are those of something else. */
export const artifactRegistry: Quirk = (registry) => (request, response) => {
  const asked = referrersAsked(request);
  if (asked === undefined) return false;
  const listed = referrersOf(registry, asked).map(descriptorOf);
  return list(
    response,
    listed.map((descriptor) => ({ ...descriptor, size: descriptor.size + 117 })),
  );
};

/** Descriptors in one page of ECR. */
export const ecrPageSize = 50;

/** ECR: pages of {@link ecrPageSize}, and listings by nothing but GET. */
export const ecr: Quirk = () => (request, response) =>
  request.method !== 'GET' && referrersAsked(request) !== undefined && refuse(response, 405, 'UNSUPPORTED');

/** ECR, where a repository has no API, as those of a pull-through cache. */
export const ecrWithoutReferrers: Quirk = () => (request, response) =>
  referrersAsked(request) !== undefined && refuse(response, 405, 'UNSUPPORTED');

/** ACR: listings without artifact types. */
export const acr: Quirk = (registry) => (request, response) => {
  const asked = referrersAsked(request);
  if (asked === undefined) return false;
  const listed = referrersOf(registry, asked).map(({ mediaType, digest, bytes }) => ({
    mediaType,
    digest,
    size: bytes.byteLength,
  }));
  return list(response, listed);
};

/** Docker Hub: no API; a GET of a manifest counts as a pull, of which there are few, and a HEAD does not. */
export const dockerHub =
  (pulls: number): Quirk =>
  (registry) => {
    let left = pulls;
    return (request, response) => {
      const isPull = request.method === 'GET' && manifestAsked(registry, request) !== undefined;
      return isPull && left-- <= 0 && refuse(response, 429, 'TOOMANYREQUESTS');
    };
  };

/** Old Artifactory: takes the Accept of a client of the API for what it cannot serve. */
export const artifactory: Quirk = () => (request, response) =>
  referrersAsked(request) !== undefined && refuse(response, 406, 'UNSUPPORTED');

/** oras-project/distribution: the type of the configuration is listed as the artifact's, and filtered by. */
export const orasDistribution: Quirk = (registry) => (request, response) => {
  const asked = referrersAsked(request);
  if (asked === undefined) return false;
  const listed = referrersOf(registry, asked)
    .map((manifest) => ({ ...descriptorOf(manifest), artifactType: configTypeOf(manifest) }))
    .filter(({ artifactType }) => asked.artifactType === null || asked.artifactType === artifactType);
  return list(response, listed, asked.artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' });
};

interface AskedReferrers {
  readonly repository: string;
  readonly subject: Digest;
  readonly artifactType: string | null;
}

function referrersAsked({ url = '' }: IncomingMessage): AskedReferrers | undefined {
  const { pathname, searchParams } = new URL(url, 'http://registry.example');
  const match = /^\/v2\/(.+)\/referrers\/([^/]+)$/.exec(pathname);
  if (match === null) return undefined;
  const [, repository = '', subject = ''] = match;
  return { repository, subject: parseDigest(subject), artifactType: searchParams.get('artifactType') };
}

interface AskedManifest {
  readonly repository: string;
  readonly reference: string;
  readonly manifest: StoredManifest | undefined;
}

function manifestAsked(
  { store }: EmbeddedRegistry,
  { url = '' }: IncomingMessage,
): AskedManifest | undefined {
  const match = /^\/v2\/(.+)\/manifests\/([^/?]+)$/.exec(url);
  if (match === null) return undefined;
  const [, repository = '', reference = ''] = match;
  const digest = reference.includes(':') ? (reference as Digest) : store.resolveTag(repository, reference);
  return {
    repository,
    reference,
    manifest: digest === undefined ? undefined : store.manifest(repository, digest),
  };
}

function referrersOf({ store }: EmbeddedRegistry, { repository, subject }: AskedReferrers): StoredManifest[] {
  return store.pointingAt(repository, subject, ['subject']);
}

function descriptorOf({ mediaType, digest, bytes, artifactType, annotations }: StoredManifest): {
  readonly size: number;
} {
  const descriptor = { mediaType, digest, size: bytes.byteLength, artifactType, annotations };
  return descriptor;
}

function configTypeOf({ bytes }: StoredManifest): string {
  const { config } = JSON.parse(Buffer.from(bytes).toString()) as { config: { mediaType: string } };
  return config.mediaType;
}

function list(
  response: ServerResponse,
  manifests: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): true {
  response.writeHead(200, { 'content-type': ociIndex, ...headers });
  response.end(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
  return true;
}

function refuse(response: ServerResponse, status: number, code: string): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: 'refused' }] }));
  return true;
}
