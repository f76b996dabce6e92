import { computeDigest } from '../../../src/image/digest.ts';
import type { Digest } from '../../../src/image/digest.ts';
import { emptyConfig, ociIndex, ociManifest } from '../../../src/oci/media-types.ts';

export interface TestDocument {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** What another document writes to point at this one. */
  readonly descriptor: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
}

const empty = { mediaType: emptyConfig, digest: computeDigest(Buffer.from('{}')), size: 2 };

/** A manifest that differs by name, with further fields. */
export function manifest(name: string, fields: object = {}): TestDocument {
  const annotations = { 'org.opencontainers.image.title': name };
  return documentOf(ociManifest, {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: empty,
    layers: [empty],
    annotations,
    ...fields,
  });
}

export function index(children: readonly TestDocument[], fields: object = {}): TestDocument {
  const manifests = children.map(({ descriptor }) => descriptor);
  return documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests, ...fields });
}

export function documentOf(mediaType: string, value: unknown): TestDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = computeDigest(bytes);
  return { mediaType, bytes, digest, descriptor: { mediaType, digest, size: bytes.byteLength } };
}
