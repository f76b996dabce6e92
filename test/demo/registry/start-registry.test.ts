import { describe, expect, it } from 'vitest';
import type { RecordedRequest } from '../../../src/demo/registry/request-log.ts';
import { startRegistry } from '../../../src/demo/registry/start-registry.ts';
import { manifest } from './documents.ts';
import { errorOf, serve } from './serve.ts';

const mechanisms = { references: true, referrers: true };
const app = manifest('app');

describe('the embedded registry', () => {
  it('answers at /v2/ and at its address', async () => {
    const { registry, send } = await serve();
    expect(registry.host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(registry.url).toBe(`http://${registry.host}`);
    const answer = await send('GET', '/v2/');
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
  });

  it.each(['/', '/v1/', '/v2/_catalog', '/v2/app/manifests'])('has nothing at %s', async (path) => {
    const { send } = await serve();
    expect((await send('GET', path)).status).toBe(404);
  });

  it.each([
    '/v2/App/manifests/1',
    '/v2/a//b/manifests/1',
    '/v2/-a/tags/list',
    `/v2/${'a'.repeat(256)}/tags/list`,
  ])('refuses the repository name of %s', async (path) => {
    const { send } = await serve();
    const refused = await send('GET', path);
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual([
      'NAME_INVALID',
      'The repository name does not follow the grammar.',
    ]);
  });

  it('refuses a method that the resource has not', async () => {
    const { send } = await serve();
    const refused = await send('POST', '/v2/app/manifests/1');
    expect(refused.status).toBe(405);
    expect(await errorOf(refused)).toEqual(['UNSUPPORTED', 'POST is not for this resource.']);
  });

  it('counts requests with their status, and tells an observer', async () => {
    const seen: RecordedRequest[] = [];
    const { registry, send } = await serve({ onRequest: (request) => seen.push(request) });
    await (await send('GET', '/v2/')).text();
    await (await send('GET', '/v2/app/tags/list?n=1')).text();
    const expected = [
      { method: 'GET', path: '/v2/', status: 200 },
      { method: 'GET', path: '/v2/app/tags/list?n=1', status: 404 },
    ];
    expect(registry.requests).toEqual(expected);
    registry.clearRequests();
    expect(registry.requests).toEqual([]);
    await expect.poll(() => seen).toEqual(expected);
  });

  it('lets an interceptor answer instead, and go on when it does not', async () => {
    const { registry, send } = await serve();
    registry.store.putManifest('app', app.bytes, app.mediaType, '1.0');
    registry.intercept((request, response) => {
      if (request.url?.includes('/manifests/') !== true) return false;
      response.writeHead(429, { 'retry-after': '7' }).end();
      return true;
    });
    const limited = await send('GET', '/v2/app/manifests/1.0');
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await send('GET', '/v2/app/tags/list')).status).toBe(200);
    registry.intercept(undefined);
    expect((await send('GET', '/v2/app/manifests/1.0')).status).toBe(200);
    expect(registry.requests.map(({ status }) => status)).toEqual([429, 200, 200]);
  });

  it('closes while an intercepted request hangs, and notes it as unanswered', async () => {
    const registry = await startRegistry({ mechanisms });
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    registry.intercept(() => {
      arrived();
      return true;
    });
    const hanging = fetch(`${registry.url}/v2/`).then(
      () => 'answered',
      () => 'cut off',
    );
    await arrival;
    expect(registry.requests.map(({ status }) => status)).toEqual([0]);
    await registry.close();
    expect(await hanging).toBe('cut off');
  });

  it('cuts the connection when an interceptor throws', async () => {
    const { registry, send } = await serve();
    registry.intercept(() => Promise.reject(new Error('fault')));
    await expect(send('GET', '/v2/')).rejects.toThrow('fetch failed');
  });

  it('says so when the port is taken', async () => {
    const { registry } = await serve();
    const port = Number(registry.host.split(':')[1]);
    await expect(startRegistry({ port, mechanisms })).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: `The embedded registry cannot start: 127.0.0.1:${port} is taken by another process.`,
    });
  });

  it('closes with the scope that uses it', async () => {
    let url: string;
    {
      await using registry = await startRegistry({ mechanisms });
      url = registry.url;
      expect((await fetch(`${url}/v2/`)).status).toBe(200);
    }
    await expect(fetch(`${url}/v2/`)).rejects.toThrow('fetch failed');
  });
});
