import { describe, expect, it } from 'vitest';
import { index } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf, account } from '../registry/registry-access.ts';
import { repository } from './artifacts.ts';
import { app, outline, start } from './start-source.ts';
import type { StartOptions, Started } from './start-source.ts';

const parent = index([app]);

/** An index of the image that was seen with these credentials, and is kept by nothing but the memory of it. */
async function seen(credentials = account('one'), options: StartOptions = {}): Promise<Started> {
  const started = await start({ limits: { manifestCacheBytes: 1 }, ...options });
  const { registry, source, subject, requests } = started;
  registry.store.putManifest(repository, parent.bytes, parent.mediaType);
  await source.fetchParsed({ ...subject, digest: parent.digest }, accessOf({ credentials }));
  requests();
  return started;
}

const fetchOf = ({ digest }: TestDocument): string => `GET manifests/${digest}`;

describe('an index that was seen', () => {
  it('T12 is fetched and hashed again', async () => {
    const { parents, requests, registry } = await seen();
    const access = accessOf({ credentials: account('one') });
    expect(outline(await parents(app.digest, access))).toEqual([
      `parent KnownIndex ${parent.digest}`,
      'complete',
    ]);
    expect(requests()).toEqual([fetchOf(parent)]);
    registry.intercept((_, response) => {
      const body = index([app], { annotations: { a: 'b' } });
      response.writeHead(200, { 'content-type': body.mediaType }).end(body.bytes);
      return true;
    });
    expect(outline(await parents(app.digest, access))).toEqual([
      'unusable KnownIndex DigestMismatch',
      'complete',
    ]);
  });

  it('T11 is remembered among the newest of its image, up to the bound', async () => {
    const { parents, registry, source, subject } = await seen(account('one'), {
      limits: { maxParentIndexes: 3 },
    });
    const access = accessOf({ credentials: account('one') });
    const newer = ['a', 'b', 'c'].map((name) => index([app], { annotations: { name } }));
    for (const { bytes, mediaType, digest } of newer) {
      registry.store.putManifest(repository, bytes, mediaType);
      await source.fetchParsed({ ...subject, digest }, access);
    }
    const known = newer.toReversed().map(({ digest }) => `parent KnownIndex ${digest}`);
    expect(outline(await parents(app.digest, access))).toEqual([...known, 'complete']);
  });

  it('T27 is known to those alone who may see what the other saw', async () => {
    const { parents, requests } = await seen();
    for (const access of [accessOf(), accessOf({ credentials: account('two') })])
      expect(outline(await parents(app.digest, access))).toEqual(['complete']);
    expect(requests()).toEqual([]);
  });

  it('T27 is not known of another repository', async () => {
    const { source, subject, requests } = await seen();
    const other = { ...subject, repository: 'shop/other' };
    const access = accessOf({ credentials: account('one') });
    for await (const events of source.parents(other, { indexTags: [] }, access))
      expect(outline(events)).toEqual(['complete']);
    expect(requests()).toEqual([]);
  });

  it('T27 leaves nothing open when it is gone, and everything when it may not be read any more', async () => {
    const { parents, registry } = await seen();
    const access = accessOf({ credentials: account('one') });
    registry.intercept((_, response) => {
      response.writeHead(403).end();
      return true;
    });
    expect(outline(await parents(app.digest, access))).toEqual([
      'unusable KnownIndex RegistryUnauthorized',
      'incomplete RegistryUnauthorized',
    ]);
    registry.intercept(undefined);
    registry.store.deleteManifest(repository, parent.digest);
    expect(outline(await parents(app.digest, access))).toEqual(['complete']);
  });
});
