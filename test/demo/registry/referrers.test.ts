import { describe, expect, it } from 'vitest';
import { ociIndex, ociManifest } from '../../../src/oci/media-types.ts';
import { documentOf, index, manifest } from './documents.ts';
import type { TestDocument } from './documents.ts';
import { errorOf, serve } from './serve.ts';

const app = manifest('app');
const withType = manifest('typed', { artifactType: 'application/x.signature', subject: app.descriptor });
const withConfig = manifest('configured', {
  config: { ...app.descriptor, mediaType: 'application/x.config' },
  subject: app.descriptor,
});
const anIndex = index([], { subject: app.descriptor, artifactType: 'application/x.index' });

interface Listing {
  readonly schemaVersion: number;
  readonly mediaType: string;
  readonly manifests: {
    readonly digest: string;
    readonly artifactType?: string;
    readonly annotations?: object;
  }[];
}

const listingOf = async (response: Response): Promise<Listing> => (await response.json()) as Listing;
const byDigest = (a: { digest: string }, b: { digest: string }): number => (a.digest < b.digest ? -1 : 1);
const put = (
  store: { putManifest: (...args: [string, Uint8Array, string]) => unknown },
  document: TestDocument,
) => store.putManifest('a/b', document.bytes, document.mediaType);

describe('the referrers API', () => {
  it('lists manifests and indexes by subject, with artifact type, size and annotations', async () => {
    const { registry, send } = await serve();
    for (const document of [app, withType, withConfig, anIndex, manifest('unrelated')])
      put(registry.store, document);
    const answer = await send('GET', `/v2/a/b/referrers/${app.digest}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(ociIndex);
    expect(answer.headers.get('oci-filters-applied')).toBeNull();
    expect(await answer.json()).toEqual({
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [
        {
          ...withType.descriptor,
          artifactType: 'application/x.signature',
          annotations: { 'org.opencontainers.image.title': 'typed' },
        },
        {
          ...withConfig.descriptor,
          artifactType: 'application/x.config',
          annotations: { 'org.opencontainers.image.title': 'configured' },
        },
        { ...anIndex.descriptor, artifactType: 'application/x.index' },
      ].sort(byDigest),
    });
  });

  it('answers an empty index for a subject, or a repository, that it does not know', async () => {
    const { send } = await serve();
    const answer = await send('GET', `/v2/nothing/referrers/${app.digest}`);
    expect(answer.status).toBe(200);
    expect((await listingOf(answer)).manifests).toEqual([]);
  });

  it('filters by artifact type and says so', async () => {
    const { registry, send } = await serve();
    for (const document of [withType, withConfig]) put(registry.store, document);
    const answer = await send('GET', `/v2/a/b/referrers/${app.digest}?artifactType=application/x.config`);
    expect(answer.headers.get('oci-filters-applied')).toBe('artifactType');
    expect((await listingOf(answer)).manifests.map(({ digest }) => digest)).toEqual([withConfig.digest]);
  });

  it('pages by Link and keeps the filter', async () => {
    const { registry, send } = await serve({ referrersPageSize: 2 });
    const fields = { artifactType: 'application/x.many', subject: app.descriptor };
    const many = Array.from({ length: 5 }, (_, i) => manifest(`many-${i}`, fields));
    for (const document of [withType, ...many]) put(registry.store, document);
    const pages: string[][] = [];
    let next: string | undefined = `/v2/a/b/referrers/${app.digest}?artifactType=application/x.many`;
    while (next !== undefined) {
      const answer: Response = await send('GET', next);
      pages.push((await listingOf(answer)).manifests.map(({ digest }) => digest));
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(many.map(({ digest }) => digest).sort());
  });

  it('T11 pages by size too, so that large annotations do not add up', async () => {
    const { registry, send } = await serve();
    const annotations = { note: 'x'.repeat(2 * 1024 * 1024) };
    for (const name of ['one', 'two']) {
      put(registry.store, manifest(name, { annotations: { ...annotations, name }, subject: app.descriptor }));
    }
    const answer = await send('GET', `/v2/a/b/referrers/${app.digest}`);
    expect((await listingOf(answer)).manifests).toHaveLength(1);
    expect(answer.headers.get('link')).toContain('rel="next"');
  });

  it('takes and lists the artifact manifest of the release candidates of OCI 1.1', async () => {
    const artifactManifest = 'application/vnd.oci.artifact.manifest.v1+json';
    const artifact = documentOf(artifactManifest, {
      mediaType: artifactManifest,
      artifactType: 'application/x.sbom',
      blobs: [app.descriptor],
      subject: app.descriptor,
    });
    const { send } = await serve();
    const init = { body: artifact.bytes, headers: { 'content-type': artifactManifest } };
    const pushed = await send('PUT', `/v2/a/b/manifests/${artifact.digest}`, init);
    expect([pushed.status, pushed.headers.get('oci-subject')]).toEqual([201, app.digest]);
    const pulled = await send('GET', `/v2/a/b/manifests/${artifact.digest}`);
    expect(pulled.headers.get('content-type')).toBe(artifactManifest);
    expect(Buffer.from(await pulled.arrayBuffer())).toEqual(artifact.bytes);
    const { manifests } = await listingOf(await send('GET', `/v2/a/b/referrers/${app.digest}`));
    expect(manifests).toEqual([{ ...artifact.descriptor, artifactType: 'application/x.sbom' }]);
  });

  it('puts small manifests into the listing as data, when told', async () => {
    const { registry, send } = await serve({ inlineDataBytes: anIndex.bytes.byteLength });
    for (const document of [withType, anIndex]) put(registry.store, document);
    const { manifests } = await listingOf(await send('GET', `/v2/a/b/referrers/${app.digest}`));
    const dataOf = (digest: string): unknown => manifests.find((entry) => entry.digest === digest);
    expect(dataOf(anIndex.digest)).toMatchObject({ data: anIndex.bytes.toString('base64') });
    expect(dataOf(withType.digest)).not.toHaveProperty('data');
  });

  it('tells a pusher that the subject was understood', async () => {
    const { send } = await serve();
    const init = { body: withType.bytes, headers: { 'content-type': ociManifest } };
    const pushed = await send('PUT', `/v2/app/manifests/${withType.digest}`, init);
    expect(pushed.headers.get('oci-subject')).toBe(app.digest);
  });

  it('is not there when it is off: 404, and no word to pushers', async () => {
    const { send } = await serve({ mechanisms: { references: true, referrers: false } });
    const init = { body: withType.bytes, headers: { 'content-type': ociManifest } };
    expect((await send('PUT', `/v2/app/manifests/1.0`, init)).headers.get('oci-subject')).toBeNull();
    const answer = await send('GET', `/v2/app/referrers/${app.digest}`);
    expect([answer.status, await answer.text()]).toEqual([404, '404 page not found\n']);
  });

  it('refuses a tag', async () => {
    const { send } = await serve();
    const refused = await send('GET', '/v2/app/referrers/latest');
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toEqual(['DIGEST_INVALID', 'Digest "latest" is not sha256 or sha512.']);
  });
});
