import { describe, expect, it } from 'vitest';
import { RegistryStore } from '../../src/demo/registry/registry-store.ts';
import { loadSample } from '../../src/demo/sample.ts';
import type { Sample } from '../../src/demo/sample.ts';
import { computeDigest } from '../../src/image/digest.ts';

const digest = computeDigest(Buffer.from('{}'));
const sample: Sample = {
  repository: 'shop/app',
  tags: { '1.0': digest },
  manifests: [{ mediaType: 'application/x.manifest', digest, content: '{}' }],
  blobs: [{ digest, text: '{}' }],
};

describe('loadSample', () => {
  it('stores manifests, blobs and tags', () => {
    const store = new RegistryStore();
    loadSample(store, sample);
    expect(store.resolveTag('shop/app', '1.0')).toBe(digest);
    expect(store.manifest('shop/app', digest)?.mediaType).toBe('application/x.manifest');
    expect(store.blob('shop/app', digest)).toEqual(Buffer.from('{}'));
  });

  it.each([
    [
      'manifest',
      { ...sample, manifests: [{ mediaType: 'x', digest, content: '{"edited":1}' }] },
      '{"edited":1}',
    ],
    ['blob', { ...sample, blobs: [{ digest, text: 'edited' }] }, 'edited'],
  ])('T12 refuses an edited %s', (_, edited, content) => {
    expect(() => {
      loadSample(new RegistryStore(), edited);
    }).toThrow(
      expect.objectContaining({
        code: 'DigestMismatch',
        message: `Sample shop/app: ${digest} has the content of ${computeDigest(Buffer.from(content))}.`,
      }),
    );
  });
});
