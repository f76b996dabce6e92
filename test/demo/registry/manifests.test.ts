import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import { ociIndex, ociManifest } from '../../../src/oci/media-types.ts';
import { manifest } from './documents.ts';
import { errorOf, serve } from './serve.ts';

const app = manifest('app');
const missing = `sha256:${'0'.repeat(64)}`;
const contentType = { 'content-type': ociManifest };

describe('manifests', () => {
  it('serves by tag and by digest what was pushed, byte for byte, with type, length and digest', async () => {
    const { send } = await serve();
    const pushed = await send('PUT', '/v2/a/b/c/manifests/1.0', { body: app.bytes, headers: contentType });
    expect(pushed.status).toBe(201);
    expect(pushed.headers.get('location')).toBe(`/v2/a/b/c/manifests/${app.digest}`);
    expect(pushed.headers.get('docker-content-digest')).toBe(app.digest);
    for (const reference of ['1.0', app.digest, app.digest.replace(':', '%3A')]) {
      const got = await send('GET', `/v2/a/b/c/manifests/${reference}`);
      expect(got.status).toBe(200);
      expect(got.headers.get('content-type')).toBe(ociManifest);
      expect(got.headers.get('docker-content-digest')).toBe(app.digest);
      expect(got.headers.get('content-length')).toBe(String(app.bytes.byteLength));
      expect(Buffer.from(await got.arrayBuffer())).toEqual(app.bytes);
    }
  });

  it('answers HEAD as GET, without the body', async () => {
    const { registry, send } = await serve();
    registry.store.putManifest('app', app.bytes, app.mediaType, '1.0');
    const head = await send('HEAD', '/v2/app/manifests/1.0');
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(app.bytes.byteLength));
    expect(head.headers.get('docker-content-digest')).toBe(app.digest);
    expect(await head.text()).toBe('');
  });

  it('does not know what was never pushed', async () => {
    const { send } = await serve();
    for (const reference of ['1.0', missing]) {
      const got = await send('GET', `/v2/app/manifests/${reference}`);
      expect(got.status).toBe(404);
      expect(await errorOf(got)).toEqual(['MANIFEST_UNKNOWN', `There is no manifest ${reference} in app.`]);
    }
  });

  it('keeps repositories apart', async () => {
    const { registry, send } = await serve();
    registry.store.putManifest('one', app.bytes, app.mediaType, '1.0');
    expect((await send('GET', `/v2/two/manifests/${app.digest}`)).status).toBe(404);
  });

  it('stores under a sha512 digest too', async () => {
    const { send } = await serve();
    const digest = computeDigest(app.bytes, 'sha512');
    const pushed = await send('PUT', `/v2/app/manifests/${digest}`, {
      body: app.bytes,
      headers: contentType,
    });
    expect(pushed.headers.get('docker-content-digest')).toBe(digest);
    expect((await send('GET', `/v2/app/manifests/${digest}`)).status).toBe(200);
  });

  it.each([
    ['no JSON', '{', contentType, 'The manifest is not JSON.'],
    ['no object', '[]', contentType, 'The manifest is not a JSON object.'],
    ['another type than said', app.bytes, { 'content-type': ociIndex }, 'Content-Type and mediaType differ.'],
  ])('refuses a manifest that is %s', async (_, body, headers, message) => {
    const { send } = await serve();
    const refused = await send('PUT', '/v2/app/manifests/1.0', { body, headers });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual(['MANIFEST_INVALID', message]);
  });

  it('refuses a manifest without a type', async () => {
    const { send } = await serve();
    const refused = await send('PUT', '/v2/app/manifests/1.0', { body: app.bytes });
    expect(await errorOf(refused)).toEqual(['MANIFEST_INVALID', 'The request has no Content-Type.']);
  });

  it('refuses a reference that is no tag', async () => {
    const { send } = await serve();
    const refused = await send('PUT', '/v2/app/manifests/-x', { body: app.bytes, headers: contentType });
    expect(await errorOf(refused)).toEqual([
      'MANIFEST_INVALID',
      'The reference is neither a tag nor a digest.',
    ]);
  });

  it('refuses content that does not hash to the digest it is pushed under', async () => {
    const { send } = await serve();
    const refused = await send('PUT', `/v2/app/manifests/${missing}`, {
      body: app.bytes,
      headers: contentType,
    });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual(['DIGEST_INVALID', `The manifest does not hash to ${missing}.`]);
  });

  it('refuses a digest of an unknown algorithm', async () => {
    const { send } = await serve();
    const refused = await send('GET', '/v2/app/manifests/md5:abcd');
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual(['DIGEST_INVALID', 'Digest "md5:abcd" is not sha256 or sha512.']);
  });

  it('refuses more than 4 MiB', async () => {
    const { send } = await serve();
    const body = JSON.stringify({ schemaVersion: 2, padding: 'x'.repeat(4 * 1024 * 1024) });
    const refused = await send('PUT', '/v2/app/manifests/1.0', { body, headers: contentType });
    expect(refused.status).toBe(413);
    expect(await errorOf(refused)).toEqual(['SIZE_INVALID', 'The body is larger than 4194304 bytes.']);
  });

  it('deletes a tag alone, and with a digest all its tags', async () => {
    const { registry, send } = await serve();
    for (const tag of ['a', 'b', 'c']) registry.store.putManifest('app', app.bytes, app.mediaType, tag);
    expect((await send('DELETE', '/v2/app/manifests/a')).status).toBe(202);
    expect((await send('GET', `/v2/app/manifests/${app.digest}`)).status).toBe(200);
    expect(registry.store.tags('app')).toEqual(['b', 'c']);
    expect((await send('DELETE', `/v2/app/manifests/${app.digest}`)).status).toBe(202);
    expect((await send('GET', `/v2/app/manifests/${app.digest}`)).status).toBe(404);
    expect(registry.store.tags('app')).toEqual([]);
    expect((await send('DELETE', `/v2/app/manifests/${app.digest}`)).status).toBe(404);
  });
});
