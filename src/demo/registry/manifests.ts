import { digestAlgorithm, matchesDigest, parseDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json } from '../../oci/strict-json.ts';
import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { readBody } from './read-body.ts';
import type { RegistryStore } from './registry-store.ts';
import type { RouteContext } from './route-context.ts';

/** Largest manifest, in bytes (distribution-spec, "Pushing Manifests", asks for no less). */
const maxManifestBytes = 4 * 1024 * 1024;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** `/v2/<name>/manifests/<reference>`: GET and HEAD. */
export function serveManifest({ repository, reference, store }: RouteContext): Answer {
  const digest = manifestDigest(store, repository, reference);
  const manifest = digest === undefined ? undefined : store.manifest(repository, digest);
  if (manifest === undefined) return manifestUnknown(repository, reference);
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest };
  return { status: 200, headers, body: manifest.bytes };
}

/** `PUT /v2/<name>/manifests/<reference>`. Layers and children may be missing: sparse images are legitimate. */
export async function putManifest(context: RouteContext): Promise<Answer> {
  const { request, repository, reference, store, mechanisms } = context;
  const byDigest = isDigest(reference) ? parseDigest(reference) : undefined;
  if (byDigest === undefined && !tagPattern.test(reference)) {
    return errorAnswer(400, 'MANIFEST_INVALID', 'The reference is neither a tag nor a digest.');
  }
  const bytes = await readBody(request, maxManifestBytes);
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim() ?? '';
  const problem = findProblem(bytes, mediaType);
  if (problem !== undefined) return errorAnswer(400, 'MANIFEST_INVALID', problem);
  if (byDigest !== undefined && !matchesDigest(bytes, byDigest)) {
    return errorAnswer(400, 'DIGEST_INVALID', `The manifest does not hash to ${byDigest}.`);
  }
  const digest =
    byDigest === undefined
      ? store.putManifest(repository, bytes, mediaType, reference)
      : store.putManifest(repository, bytes, mediaType, undefined, digestAlgorithm(byDigest));
  const subject = store.manifest(repository, digest)?.edges.find(({ kind }) => kind === 'subject');
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      // Without this header clients keep the fallback tag themselves.
      ...(mechanisms.referrers && subject !== undefined ? { 'oci-subject': subject.target } : {}),
    },
  };
}

/** `DELETE /v2/<name>/manifests/<reference>`: a tag goes alone, a digest takes its tags with it. */
export function deleteManifest({ repository, reference, store }: RouteContext): Answer {
  const deleted = isDigest(reference)
    ? store.deleteManifest(repository, parseDigest(reference))
    : store.deleteTag(repository, reference);
  return deleted ? { status: 202, headers: {} } : manifestUnknown(repository, reference);
}

/** The digest that a tag or digest names, known or not. */
export function manifestDigest(
  store: RegistryStore,
  repository: string,
  reference: string,
): Digest | undefined {
  return isDigest(reference) ? parseDigest(reference) : store.resolveTag(repository, reference);
}

export function manifestUnknown(repository: string, reference: string): Answer {
  return errorAnswer(404, 'MANIFEST_UNKNOWN', `There is no manifest ${reference} in ${repository}.`);
}

/** No tag has a colon. */
const isDigest = (reference: string): boolean => reference.includes(':');

function findProblem(bytes: Uint8Array, mediaType: string): string | undefined {
  if (mediaType === '') return 'The request has no Content-Type.';
  let json: Json;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch {
    return 'The manifest is not JSON.';
  }
  if (!isJsonObject(json)) return 'The manifest is not a JSON object.';
  const stated = json['mediaType'];
  if (stated !== undefined && stated !== mediaType) return 'Content-Type and mediaType differ.';
  return undefined;
}
