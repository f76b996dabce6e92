import { afterEach, describe, expect, it, vi } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import { manifest } from './documents.ts';
import { errorOf, serve } from './serve.ts';
import type { ServedRegistry } from './serve.ts';

const app = manifest('app');
const account = { username: 'reader', password: 'secret' };
const basic = (username: string, password: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});

async function tokenFor(
  served: ServedRegistry,
  scopes: string,
  headers: Record<string, string> = {},
): Promise<Record<string, string>> {
  const answer = await served.send('GET', `/token?service=x&${scopes}`, { headers });
  expect(answer.status).toBe(200);
  const { token } = (await answer.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('basic authentication', () => {
  it('lets in who knows the password, and challenges everyone else', async () => {
    const { registry, send } = await serve({ auth: { kind: 'basic', ...account } });
    registry.store.putManifest('app', app.bytes, app.mediaType, '1.0');
    const path = '/v2/app/manifests/1.0';
    expect((await send('GET', path, { headers: basic('reader', 'secret') })).status).toBe(200);
    for (const headers of [{}, basic('reader', 'wrong'), { authorization: 'Bearer x' }]) {
      const refused = await send('GET', path, { headers });
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Basic realm="embedded registry"');
      expect(await errorOf(refused)).toEqual(['UNAUTHORIZED', 'Authentication is required.']);
    }
    expect((await send('GET', '/v2/')).status).toBe(401);
    expect((await send('GET', '/token')).status).toBe(404);
  });
});

describe('bearer authentication', () => {
  it('challenges with realm, service and the scope that is needed', async () => {
    const { registry, send } = await serve({ auth: { kind: 'bearer' } });
    const pull = await send('GET', '/v2/a/b/manifests/1.0');
    expect(pull.status).toBe(401);
    expect(pull.headers.get('www-authenticate')).toBe(
      `Bearer realm="${registry.url}/token",service="${registry.host}",scope="repository:a/b:pull"`,
    );
    const push = await send('POST', '/v2/a/b/blobs/uploads/');
    expect(push.headers.get('www-authenticate')).toContain('scope="repository:a/b:pull,push"');
    expect((await send('GET', '/v2/')).headers.get('www-authenticate')).toBe(
      `Bearer realm="${registry.url}/token",service="${registry.host}"`,
    );
  });

  it('takes a token for its repository and action only', async () => {
    const served = await serve({ auth: { kind: 'bearer' } });
    served.registry.store.putManifest('a/b', app.bytes, app.mediaType, '1.0');
    const headers = await tokenFor(served, 'scope=repository:a/b:pull');
    expect((await served.send('GET', '/v2/a/b/manifests/1.0', { headers })).status).toBe(200);
    expect((await served.send('GET', '/v2/', { headers })).status).toBe(200);
    expect((await served.send('GET', '/v2/a/manifests/1.0', { headers })).status).toBe(401);
    expect((await served.send('DELETE', '/v2/a/b/manifests/1.0', { headers })).status).toBe(401);
    expect((await served.send('POST', '/v2/a/b/blobs/uploads/', { headers })).status).toBe(401);
  });

  it('gives tokens to the account alone when it has one', async () => {
    const served = await serve({ auth: { kind: 'bearer', account } });
    const anonymous = await served.send('GET', '/token?scope=repository:a:pull');
    expect(anonymous.status).toBe(401);
    expect(await errorOf(anonymous)).toEqual(['UNAUTHORIZED', 'Authentication is required.']);
    const headers = await tokenFor(served, 'scope=repository:a:pull', basic('reader', 'secret'));
    expect((await served.send('GET', '/v2/a/manifests/1', { headers })).status).toBe(404);
  });

  it('takes a token until it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const served = await serve({ auth: { kind: 'bearer', tokenLifetimeSeconds: 60 } });
    const headers = await tokenFor(served, 'scope=repository:a:pull');
    vi.advanceTimersByTime(59_000);
    expect((await served.send('GET', '/v2/a/manifests/1', { headers })).status).toBe(404);
    vi.advanceTimersByTime(2_000);
    expect((await served.send('GET', '/v2/a/manifests/1', { headers })).status).toBe(401);
  });

  it('mounts only from a repository that the token may read', async () => {
    const served = await serve({ auth: { kind: 'bearer' } });
    const digest = served.registry.store.putBlob('private', Buffer.from('secret layer'));
    expect(digest).toBe(computeDigest(Buffer.from('secret layer')));
    const path = `/v2/mine/blobs/uploads/?mount=${digest}&from=private`;
    const narrow = await tokenFor(served, 'scope=repository:mine:pull,push');
    expect((await served.send('POST', path, { headers: narrow })).status).toBe(202);
    const wide = await tokenFor(served, 'scope=repository:mine:pull,push&scope=repository:private:pull');
    expect((await served.send('POST', path, { headers: wide })).status).toBe(201);
  });
});
