import assert from 'node:assert/strict';
import { digestHex } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import type { RegistryStore, StoredManifest } from '../../src/demo/registry/registry-store.ts';

const signatureTag = (digest: Digest): string => `sha256-${digestHex(digest)}.sig`;

/** What cosign keeps under the tag `.sig` of an image. */
function signatureOf(store: RegistryStore, repository: string, image: Digest): StoredManifest {
  const digest = store.resolveTag(repository, signatureTag(image));
  const manifest = digest === undefined ? undefined : store.manifest(repository, digest);
  assert(manifest !== undefined, `${repository}@${image} has no legacy signature`);
  return manifest;
}

/** Files the signature of the image under a tag of one repository as that of an image in another, as an attacker would. */
export function transplantSignature(
  store: RegistryStore,
  from: string,
  to: string,
  tag: string,
  image: Digest,
): void {
  const signed = store.resolveTag(from, tag);
  assert(signed !== undefined, `${from}:${tag} is missing`);
  const { bytes, mediaType } = signatureOf(store, from, signed);
  store.putManifest(to, bytes, mediaType, signatureTag(image));
  for (const { digest } of layersOf(bytes))
    assert(store.mountBlob(from, to, digest), `${from} lacks ${digest}`);
}

function layersOf(bytes: Uint8Array): readonly { readonly digest: Digest }[] {
  const { config, layers } = parseDocument(bytes, undefined, 'signature') as Manifest;
  return [...(config === undefined ? [] : [config]), ...layers];
}

/** Turns a signature under a tag into one that refers by the founding proposal's field `reference`. */
export function referToSubject(store: RegistryStore, repository: string, image: Digest): void {
  const signature = signatureOf(store, repository, image);
  const subject = store.manifest(repository, image);
  assert(subject !== undefined, `${repository} has no ${image}`);
  const manifest = JSON.parse(Buffer.from(signature.bytes).toString('utf8')) as object;
  const reference = { mediaType: subject.mediaType, size: subject.bytes.byteLength, digest: subject.digest };
  store.putManifest(repository, Buffer.from(JSON.stringify({ ...manifest, reference })), signature.mediaType);
  store.deleteManifest(repository, signature.digest);
}
