import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefwardenError } from '../../failures/failure.ts';
import { digestAlgorithm, digestHex, matchesDigest, parseDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import type { RegistryStore } from './registry-store.ts';

const tagAnnotation = 'org.opencontainers.image.ref.name';

/**
 * Puts an OCI image layout (image-spec image-layout.md) into a repository, with its tags. Layouts may be sparse:
 * a blob that the directory lacks is left out.
 * @throws RefwardenError `ConfigurationInvalid` when the directory is no layout, `DigestMismatch` when a file is
 * not what its name says.
 */
export async function loadLayout(
  store: RegistryStore,
  repository: string,
  layoutDirectory: string,
): Promise<void> {
  const bytes = await readOptional(join(layoutDirectory, 'index.json'));
  if (bytes === undefined) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `${layoutDirectory} is no OCI image layout: it has no index.json.`,
    );
  }
  const loaded = new Set<Digest>();
  const load = async (descriptor: JsonObject): Promise<void> => {
    const { digest: text, mediaType } = descriptor;
    if (typeof text !== 'string' || typeof mediaType !== 'string') return;
    const digest = parseDigest(text);
    if (loaded.has(digest)) return;
    loaded.add(digest);
    const content = await readBlob(layoutDirectory, digest);
    if (content === undefined) return;
    const document = isManifestLike(mediaType) ? parseStrictJson(content, `blob ${digest}`) : undefined;
    if (!isJsonObject(document)) {
      store.putBlob(repository, content, digestAlgorithm(digest));
      return;
    }
    store.putManifest(repository, content, mediaType, undefined, digestAlgorithm(digest));
    for (const child of childrenOf(document)) await load(child);
  };

  const index = parseStrictJson(bytes, `${layoutDirectory}/index.json`);
  for (const descriptor of isJsonObject(index) ? objectsOf(index['manifests']) : []) {
    await load(descriptor);
    const annotations = descriptor['annotations'];
    const tag = isJsonObject(annotations) ? annotations[tagAnnotation] : undefined;
    if (typeof tag === 'string' && typeof descriptor['digest'] === 'string') {
      store.tag(repository, tag, parseDigest(descriptor['digest']));
    }
  }
}

function isManifestLike(mediaType: string): boolean {
  return /\b(?:manifest|index|manifest\.list)\.v\d\+json$/.test(mediaType);
}

function childrenOf(document: JsonObject): JsonObject[] {
  return [
    document['config'],
    ...['manifests', 'layers', 'blobs'].flatMap((key) => objectsOf(document[key])),
  ].filter(isJsonObject);
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

async function readBlob(layoutDirectory: string, digest: Digest): Promise<Uint8Array | undefined> {
  const bytes = await readOptional(
    join(layoutDirectory, 'blobs', digestAlgorithm(digest), digestHex(digest)),
  );
  if (bytes !== undefined && !matchesDigest(bytes, digest)) {
    throw new RefwardenError('DigestMismatch', `${layoutDirectory} holds something else under ${digest}.`);
  }
  return bytes;
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new RefwardenError('ConfigurationInvalid', `${path} cannot be read.`, error);
  }
}
