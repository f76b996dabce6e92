import { describe, expect, it } from 'vitest';
import { index, manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { repository } from './artifacts.ts';
import { app, endOf, outline, start } from './start-source.ts';
import type { StartOptions, Started } from './start-source.ts';

const parent = index([app]);
const startScan = (options: StartOptions = {}): Promise<Started> => start({ ask: ['TagScan'], ...options });

function tag({ registry }: Started, document: TestDocument, ...tags: readonly string[]): void {
  for (const name of tags) registry.store.putManifest(repository, document.bytes, document.mediaType, name);
}

/** Answers requests whose path ends so with a status. */
function refuse({ registry }: Started, status: number, ...ends: readonly string[]): void {
  registry.intercept((request, response) => {
    if (!ends.some((end) => request.url?.endsWith(end) === true)) return false;
    response.writeHead(status).end();
    return true;
  });
}

describe('a scan of tags', () => {
  it('T29 finds the index beside tags that cannot be read, and says that they cannot', async () => {
    const started = await startScan();
    tag(started, parent, '1.1');
    tag(started, manifest('other'), '1.2', '1.3');
    refuse(started, 503, 'manifests/1.2');
    const events = await started.parents(app.digest);
    expect(outline(events)).toEqual([`parent TagScan ${parent.digest}`, 'incomplete RegistryUnavailable']);
    expect(endOf(events).failures[0]?.message).toMatch(/ answered 503 for .*manifest 1\.2\.$/);
  });

  it('T28 of tags that are all gone is complete', async () => {
    const started = await startScan();
    started.registry.store.tag(repository, 'gone', parent.digest);
    expect(outline(await started.parents(app.digest))).toEqual(['complete']);
  });

  it('T11 T39 asks for no more tags than the bound, and says that there are more', async () => {
    const started = await startScan({ limits: { maxScannedTags: 3 } });
    tag(started, manifest('other'), ...Array.from({ length: 20 }, (_, i) => `1.${i + 10}`));
    const events = await started.parents(app.digest);
    expect(outline(events)).toEqual(['incomplete TooManyReferrers']);
    expect(started.requests().filter((request) => request.startsWith('HEAD'))).toHaveLength(3);
  });

  it('T11 ends where the pages of the list do not, and says so', async () => {
    const started = await startScan({ limits: { maxListingPages: 4 } });
    tag(started, parent, '1.1');
    let pages = 0;
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/tags/list') !== true) return false;
      const link = `</v2/${repository}/tags/list?last=${pages++}>; rel="next"`;
      response.writeHead(200, { 'content-type': 'application/json', link }).end('{"tags":["1.1"]}');
      return true;
    });
    expect(outline(await started.parents(app.digest))).toEqual([
      `parent TagScan ${parent.digest}`,
      'incomplete TooManyReferrers',
    ]);
    expect(pages).toBe(4);
  });

  it.each([
    ['T11 goes round', '?same', 'RegistryProtocolError', /: its pages go round\.$/],
    ['T09 is of another host', 'http://127.0.0.2:1/v2/x/tags/list', 'RegistryRefused', /not within/],
    ['T09 is of another repository', '/v2/shop/other/tags/list', 'RegistryRefused', /not within/],
  ])('a list whose next page %s is a fault', async (_, link, code, message) => {
    const started = await startScan();
    tag(started, parent, '1.1');
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/tags/list') !== true) return false;
      response.writeHead(200, { 'content-type': 'application/json', link: `<${link}>; rel="next"` });
      response.end('{"tags":["1.1"]}');
      return true;
    });
    const events = await started.parents(app.digest);
    expect(outline(events)).toEqual([`incomplete ${code}`]);
    expect(endOf(events).failures[0]?.message).toMatch(message);
  });

  it('T08 asks for nothing that is no tag', async () => {
    const started = await startScan();
    const tags = ['../x', 'a/b', 'a?b', 'sha256:0', '%2e%2e', '', 7, null, '1.0'];
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/tags/list') !== true) return false;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ tags }));
      return true;
    });
    expect(outline(await started.parents(app.digest))).toEqual(['complete']);
    expect(started.requests()).toEqual(['GET tags/list', 'HEAD manifests/1.0']);
  });

  it("T12 believes the registry's word on what a tag holds no further than to leave it out", async () => {
    const started = await startScan();
    // Said to be an index, and none.
    const stranger = manifest('stranger', { subject: app.descriptor });
    tag(started, stranger, '1.1');
    started.registry.intercept((request, response) => {
      if (request.method !== 'HEAD' || request.url?.endsWith('manifests/1.1') !== true) return false;
      const headers = { 'content-type': parent.mediaType, 'docker-content-digest': stranger.digest };
      response.writeHead(200, headers).end();
      return true;
    });
    expect(outline(await started.parents(app.digest))).toEqual(['complete']);
    expect(started.requests()).toContain(`GET manifests/${stranger.digest}`);
  });
});

describe('tags that a reference and policies name', () => {
  it('T29 are asked for each by itself: one that fails hides no other', async () => {
    const started = await start();
    tag(started, parent, 'good');
    refuse(started, 500, 'manifests/bad');
    const hints = { tag: 'bad', indexTags: ['bad', 'good', 'none'] };
    expect(outline(await started.parents(app.digest, accessOf(), hints)).toSorted()).toEqual(
      [`parent IndexTag ${parent.digest}`, 'incomplete RegistryUnavailable'].toSorted(),
    );
  });
});
