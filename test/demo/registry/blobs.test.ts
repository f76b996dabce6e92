import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import { errorOf, serve } from './serve.ts';

const content = Buffer.from('a layer');
const digest = computeDigest(content);

describe('blobs', () => {
  it('serves GET and HEAD with digest and length', async () => {
    const { registry, send } = await serve();
    registry.store.putBlob('a/b', content);
    const got = await send('GET', `/v2/a/b/blobs/${digest}`);
    expect(got.status).toBe(200);
    expect(got.headers.get('docker-content-digest')).toBe(digest);
    expect(await got.text()).toBe('a layer');
    const head = await send('HEAD', `/v2/a/b/blobs/${digest}`);
    expect(head.headers.get('content-length')).toBe('7');
    expect(await head.text()).toBe('');
  });

  it('deletes, and then does not know it', async () => {
    const { registry, send } = await serve();
    registry.store.putBlob('app', content);
    expect((await send('DELETE', `/v2/app/blobs/${digest}`)).status).toBe(202);
    const gone = await send('GET', `/v2/app/blobs/${digest}`);
    expect(gone.status).toBe(404);
    expect(await errorOf(gone)).toEqual(['BLOB_UNKNOWN', `There is no blob ${digest} in app.`]);
  });

  it('refuses a malformed digest', async () => {
    const { send } = await serve();
    const refused = await send('GET', '/v2/app/blobs/sha256:abc');
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual([
      'DIGEST_INVALID',
      'Digest "sha256:abc" is malformed: sha256 takes 64 lower-case hexadecimal digits.',
    ]);
  });
});
