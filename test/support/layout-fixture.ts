import { readdirSync, readFileSync } from 'node:fs';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';

export interface FixtureArtifact {
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly layers: ReadonlyMap<Digest, Uint8Array>;
}

/** Every blob of an OCI image layout. */
export function readBlobs(layout: URL): ReadonlyMap<Digest, Uint8Array> {
  const blobs = new URL('blobs/sha256/', layout);
  return new Map(
    readdirSync(blobs).map((file) => [parseDigest(`sha256:${file}`), readFileSync(new URL(file, blobs))]),
  );
}

/** Every blob that is a manifest. */
export function readManifests(blobs: ReadonlyMap<Digest, Uint8Array>): readonly FixtureArtifact[] {
  return [...blobs].flatMap(([digest, bytes]) => {
    const manifest = readManifest(bytes);
    return manifest === undefined ? [] : [{ digest, manifest, layers: blobs }];
  });
}

function readManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    const document = parseDocument(bytes, undefined, 'blob');
    return document.kind === 'manifest' ? document : undefined;
  } catch {
    return undefined;
  }
}
