import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadLayout } from '../../../src/demo/registry/load-layout.ts';
import { RegistryStore } from '../../../src/demo/registry/registry-store.ts';
import { computeDigest, digestHex } from '../../../src/image/digest.ts';
import type { Digest } from '../../../src/image/digest.ts';
import { index, manifest } from './documents.ts';
import type { TestDocument } from './documents.ts';

const tagged = ({ descriptor }: TestDocument, tag: string): object => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': tag },
});

async function layout(
  manifests: object[],
  blobs: readonly (readonly [Digest, Uint8Array])[],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'refwarden-layout-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  for (const [digest, bytes] of blobs)
    await writeFile(join(directory, 'blobs', 'sha256', digestHex(digest)), bytes);
  return directory;
}

describe('loadLayout', () => {
  it('loads tags, manifests, the children of an index and the blobs that are there', async () => {
    const config = Buffer.from('{}');
    const child = manifest('child');
    const parent = index([child, manifest('absent')]);
    const directory = await layout(
      [tagged(parent, '1.0'), manifest('gone').descriptor],
      [
        [parent.digest, parent.bytes],
        [child.digest, child.bytes],
        [computeDigest(config), config],
      ],
    );
    const store = new RegistryStore();
    await loadLayout(store, 'a/b', directory);
    expect(store.resolveTag('a/b', '1.0')).toBe(parent.digest);
    expect(store.manifest('a/b', parent.digest)?.mediaType).toBe(parent.mediaType);
    expect(store.manifest('a/b', child.digest)?.mediaType).toBe(child.mediaType);
    expect(store.contents('a/b')?.manifests.size).toBe(2);
    expect(store.blob('a/b', computeDigest(config))).toEqual(config);
  });

  it('refuses a file that is not what its name says', async () => {
    const app = manifest('app');
    const directory = await layout([tagged(app, '1.0')], [[app.digest, Buffer.from('altered')]]);
    await expect(loadLayout(new RegistryStore(), 'a', directory)).rejects.toMatchObject({
      code: 'DigestMismatch',
      message: `${directory} holds something else under ${app.digest}.`,
    });
  });

  it('refuses a directory that is no layout', async () => {
    await expect(loadLayout(new RegistryStore(), 'a', '/nowhere')).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: '/nowhere is no OCI image layout: it has no index.json.',
    });
  });
});
