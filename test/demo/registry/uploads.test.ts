import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import { RegistryStore } from '../../../src/demo/registry/registry-store.ts';
import { errorOf, serve } from './serve.ts';

const content = Buffer.from('0123456789');
const digest = computeDigest(content);
const other = computeDigest(Buffer.from('other'));

const locationOf = (response: Response): string => response.headers.get('location') ?? '';

describe('uploads', () => {
  it('takes a blob in one POST', async () => {
    const { registry, send } = await serve();
    const pushed = await send('POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, { body: content });
    expect(pushed.status).toBe(201);
    expect(locationOf(pushed)).toBe(`/v2/a/b/blobs/${digest}`);
    expect(registry.store.blob('a/b', digest)).toEqual(content);
  });

  it('takes a blob by POST and PUT', async () => {
    const { registry, send } = await serve();
    const opened = await send('POST', '/v2/app/blobs/uploads/');
    expect(opened.status).toBe(202);
    const ended = await send('PUT', `${locationOf(opened)}?digest=${digest}`, { body: content });
    expect(ended.status).toBe(201);
    expect(registry.store.blob('app', digest)).toEqual(content);
  });

  it('takes a blob in chunks, tells how far it is, and refuses one out of order', async () => {
    const { registry, send } = await serve();
    const upload = locationOf(await send('POST', '/v2/app/blobs/uploads/'));
    const patch = (range: string, body: Buffer): Promise<Response> =>
      send('PATCH', upload, { body, headers: { 'content-range': range } });
    const first = await patch('0-3', content.subarray(0, 4));
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-3']);
    const again = await patch('0-3', content.subarray(0, 4));
    expect([again.status, again.headers.get('range')]).toEqual([416, '0-3']);
    expect((await patch('4-9', content.subarray(4, 6))).status).toBe(416);
    expect((await patch('nonsense', content)).status).toBe(416);
    const progress = await send('GET', upload);
    expect([progress.status, progress.headers.get('range')]).toEqual([204, '0-3']);
    expect((await patch('4-7', content.subarray(4, 8))).status).toBe(202);
    expect((await send('PUT', `${upload}?digest=${digest}`, { body: content.subarray(8) })).status).toBe(201);
    expect(registry.store.blob('app', digest)).toEqual(content);
    expect((await send('GET', upload)).status).toBe(404);
  });

  it('refuses content that does not hash to the digest', async () => {
    const { registry, send } = await serve();
    const refused = await send('POST', `/v2/app/blobs/uploads/?digest=${other}`, { body: content });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual(['DIGEST_INVALID', `The content does not hash to ${other}.`]);
    expect(registry.store.blob('app', other)).toBeUndefined();
  });

  it('refuses to end an upload without a digest', async () => {
    const { send } = await serve();
    const upload = locationOf(await send('POST', '/v2/app/blobs/uploads/'));
    expect(await errorOf(await send('PUT', upload, { body: content }))).toEqual([
      'DIGEST_INVALID',
      'The last request of an upload needs ?digest=.',
    ]);
  });

  it('forgets a cancelled upload, and knows none of another repository', async () => {
    const { send } = await serve();
    const upload = locationOf(await send('POST', '/v2/app/blobs/uploads/'));
    const elsewhere = await send('GET', upload.replace('/v2/app/', '/v2/other/'));
    expect(await errorOf(elsewhere)).toEqual(['BLOB_UPLOAD_UNKNOWN', 'There is no such upload.']);
    expect((await send('DELETE', upload)).status).toBe(204);
    expect((await send('PATCH', upload, { body: content })).status).toBe(404);
  });

  it('mounts a blob of another repository, and starts an upload when there is none', async () => {
    const { registry, send } = await serve();
    registry.store.putBlob('a/b', content);
    const mounted = await send('POST', `/v2/c/blobs/uploads/?mount=${digest}&from=a/b`);
    expect(mounted.status).toBe(201);
    expect(registry.store.blob('c', digest)).toEqual(content);
    expect((await send('POST', `/v2/c/blobs/uploads/?mount=${other}&from=a/b`)).status).toBe(202);
  });

  it('T11 refuses a blob over 64 MiB while it arrives', async () => {
    const { registry } = await serve();
    const chunk = Buffer.alloc(1024 * 1024);
    let sentChunks = 0;
    const outcome = await new Promise((resolve) => {
      const upload = request(`${registry.url}/v2/app/blobs/uploads/?digest=${digest}`, { method: 'POST' });
      let over = false;
      const end = (what: unknown): void => {
        over = true;
        upload.destroy();
        resolve(what);
      };
      const sendMore = (): void => {
        if (over || sentChunks === 200) return;
        sentChunks++;
        upload.write(chunk, sendMore);
      };
      upload.on('response', ({ statusCode }) => {
        end(statusCode);
      });
      // The connection closes with the answer: whichever the client notices first.
      upload.on('error', ({ code }: NodeJS.ErrnoException) => {
        end(code);
      });
      sendMore();
    });
    expect([413, 'ECONNRESET', 'EPIPE']).toContain(outcome);
    expect(registry.requests.map(({ status }) => status)).toEqual([413]);
    expect(sentChunks).toBeLessThan(200);
  });

  it('T11 refuses what the store has no room for', async () => {
    const { send } = await serve({ store: new RegistryStore(9) });
    const refused = await send('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: content });
    expect(refused.status).toBe(413);
    expect(await errorOf(refused)).toEqual([
      'SIZE_INVALID',
      'The embedded registry is full: it holds at most 9 bytes.',
    ]);
  });
});
