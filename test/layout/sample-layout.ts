import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ParentEvent, ReferrerEvent, Subject } from '../../src/admission/ports.ts';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { openLayout } from '../../src/layout/layout-store.ts';
import type { LayoutStore } from '../../src/layout/layout-store.ts';
import type { LayoutLimits } from '../../src/layout/limits.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import type { OpenArtifactSource } from '../../src/referrers/artifact-source.ts';
import { manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { both, collect } from '../referrers/start-source.ts';
import { TestClock, accessOf } from '../registry/registry-access.ts';
import { tarOf } from './sample-tar.ts';

export const target = { registry: 'ghcr.io', repository: 'acme/app' };
export const payload = Buffer.from('payload');
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const layer = { mediaType: bundleType, digest: computeDigest(payload), size: payload.length };

/** An artifact with one layer that names the subject. */
export const bundle = (subject: TestDocument, name = 'bundle', fields: object = {}): TestDocument =>
  manifest(name, { artifactType: bundleType, layers: [layer], subject: subject.descriptor, ...fields });

/** Files of a layout by their paths. */
export type Files = Record<string, Buffer | string>;

export const blobPath = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`;
export const named = ({ descriptor }: TestDocument, name: string): object => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
});

/** @param listed entries of `index.json`. @param stored what is below `blobs/`. */
export function layoutOf(listed: readonly object[], stored: readonly TestDocument[]): Files {
  return {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: listed }),
    ...Object.fromEntries(stored.map(({ digest, bytes }) => [blobPath(digest), bytes])),
    [blobPath(layer.digest)]: payload,
  };
}

/** Every document is listed, the first by the tag 1.0. */
export const plainLayout = (first: TestDocument, ...others: TestDocument[]): Files =>
  layoutOf([named(first, '1.0'), ...others.map(({ descriptor }) => descriptor)], [first, ...others]);

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'refwarden-layout-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export async function writeDirectory(files: Files): Promise<string> {
  const path = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}

export async function writeTar(tar: Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), 'layout.tar');
  await writeFile(path, tar);
  return path;
}

/** The two forms of a layout: they pass the same suite. */
export const forms: readonly { form: string; write: (files: Files) => Promise<string> }[] = [
  { form: 'directory', write: writeDirectory },
  { form: 'tar', write: (files) => writeTar(tarOf(files)) },
];

export interface OpenedLayout {
  readonly store: LayoutStore;
  readonly source: OpenArtifactSource;
  readonly discover: (digest: Digest) => Promise<ReferrerEvent[]>;
  readonly parents: (digest: Digest) => Promise<ParentEvent[]>;
}

export async function open(path: string, limits: Partial<LayoutLimits> = {}): Promise<OpenedLayout> {
  const store = await openLayout(path, { clock: new TestClock(), limits });
  const source = createArtifactSource(store);
  onTestFinished(() => source.close());
  const subject = (digest: Digest): Subject => ({ ...target, digest });
  return {
    store,
    source,
    discover: (digest) => collect(source.referrers(subject(digest), both, accessOf())),
    parents: (digest) => collect(source.parents(subject(digest), { indexTags: [] }, accessOf())),
  };
}
