import { describe, expect, it } from 'vitest';
import { RegistryStore } from '../../../src/demo/registry/registry-store.ts';
import { index, manifest } from './documents.ts';

const app = manifest('app');
const kinds = ['subject', 'reference', 'child'] as const;
const pointing = (store: RegistryStore): string[] =>
  store.pointingAt('app', app.digest, kinds).map(({ digest }) => digest);

describe('RegistryStore', () => {
  it('takes any bytes as a manifest, and learns nothing from what is no JSON', () => {
    const store = new RegistryStore();
    const digest = store.putManifest('app', Buffer.from('{"a":1'), 'text/plain', 'odd');
    expect(store.manifest('app', digest)).toMatchObject({ mediaType: 'text/plain', edges: [] });
    expect(store.resolveTag('app', 'odd')).toBe(digest);
  });

  it('ignores edges without a usable digest', () => {
    const store = new RegistryStore();
    const odd = manifest('odd', { subject: { digest: 'md5:abc' }, reference: { digest: 7 }, layers: 'none' });
    const digest = store.putManifest('app', odd.bytes, odd.mediaType);
    expect(store.manifest('app', digest)?.edges).toEqual([]);
  });

  it('keeps the ways of pointing apart', () => {
    const store = new RegistryStore();
    const parent = index([app]);
    const signature = manifest('signature', { subject: app.descriptor });
    for (const { bytes, mediaType } of [parent, signature]) store.putManifest('app', bytes, mediaType);
    expect(store.pointingAt('app', app.digest, ['child']).map(({ digest }) => digest)).toEqual([
      parent.digest,
    ]);
    expect(store.pointingAt('app', app.digest, ['subject']).map(({ digest }) => digest)).toEqual([
      signature.digest,
    ]);
    expect(store.pointingAt('app', app.digest, ['reference'])).toEqual([]);
    expect(store.pointingAt('other', app.digest, kinds)).toEqual([]);
  });

  it('forgets the edges of a deleted manifest, and keeps those that point at one', () => {
    const store = new RegistryStore();
    const signature = manifest('signature', { subject: app.descriptor });
    store.putManifest('app', app.bytes, app.mediaType);
    store.putManifest('app', signature.bytes, signature.mediaType);
    expect(store.deleteManifest('app', app.digest)).toBe(true);
    expect(pointing(store)).toEqual([signature.digest]);
    expect(store.deleteManifest('app', signature.digest)).toBe(true);
    expect(pointing(store)).toEqual([]);
    expect(store.deleteManifest('app', signature.digest)).toBe(false);
  });

  it('T11 is bounded in bytes, counts nothing twice and gives room back', () => {
    const store = new RegistryStore(10);
    const digest = store.putBlob('app', Buffer.alloc(8));
    store.putBlob('app', Buffer.alloc(8));
    const full = expect.objectContaining({
      code: 'ArtifactTooLarge',
      message: 'The embedded registry is full: it holds at most 10 bytes.',
    }) as unknown;
    const caught = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return error;
      }
    };
    expect(caught(() => store.putBlob('app', Buffer.alloc(3)))).toEqual(full);
    expect(caught(() => store.mountBlob('app', 'other', digest))).toEqual(full);
    expect(caught(() => store.putManifest('app', Buffer.from('{"a":1}'), 'x'))).toEqual(full);
    expect(store.deleteBlob('app', digest)).toBe(true);
    const manifestDigest = store.putManifest('app', Buffer.from('{"a":1}'), 'x');
    expect(store.deleteManifest('app', manifestDigest)).toBe(true);
    expect(store.putBlob('app', Buffer.alloc(10, 1))).toMatch(/^sha256:/);
  });
});
