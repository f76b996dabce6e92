import { describe, expect, it } from 'vitest';
import { manifest } from './documents.ts';
import { errorOf, serve } from './serve.ts';

const app = manifest('app');

describe('tags', () => {
  it('lists them sorted, page by page', async () => {
    const { registry, send } = await serve();
    for (const tag of ['c', 'a', 'B', 'b', 'd'])
      registry.store.putManifest('a/b', app.bytes, app.mediaType, tag);
    const all = await send('GET', '/v2/a/b/tags/list');
    expect(await all.json()).toEqual({ name: 'a/b', tags: ['B', 'a', 'b', 'c', 'd'] });
    expect(all.headers.get('link')).toBeNull();

    const pages: unknown[] = [];
    let next: string | undefined = '/v2/a/b/tags/list?n=2';
    while (next !== undefined) {
      const page: Response = await send('GET', next);
      pages.push(((await page.json()) as { tags: unknown }).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([['B', 'a'], ['b', 'c'], ['d']]);
  });

  it('starts after last, and lists none for n=0', async () => {
    const { registry, send } = await serve();
    for (const tag of ['a', 'b', 'c']) registry.store.putManifest('app', app.bytes, app.mediaType, tag);
    expect(await (await send('GET', '/v2/app/tags/list?last=a')).json()).toEqual({
      name: 'app',
      tags: ['b', 'c'],
    });
    const none = await send('GET', '/v2/app/tags/list?n=0');
    expect(await none.json()).toEqual({ name: 'app', tags: [] });
    expect(none.headers.get('link')).toBeNull();
  });

  it('refuses an unknown repository and a count that is none', async () => {
    const { registry, send } = await serve();
    const unknown = await send('GET', '/v2/nothing/tags/list');
    expect(unknown.status).toBe(404);
    expect(await errorOf(unknown)).toEqual(['NAME_UNKNOWN', 'There is no repository nothing.']);
    registry.store.putManifest('app', app.bytes, app.mediaType, '1.0');
    expect(await errorOf(await send('GET', '/v2/app/tags/list?n=-1'))).toEqual([
      'UNSUPPORTED',
      'n is no count.',
    ]);
  });
});
