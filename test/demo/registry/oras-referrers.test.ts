import { describe, expect, it } from 'vitest';
import type { OrasApi } from '../../../src/demo/registry/route-context.ts';
import { documentOf, manifest } from './documents.ts';
import type { TestDocument } from './documents.ts';
import { errorOf, serve } from './serve.ts';
import type { ServedRegistry } from './serve.ts';

const app = manifest('app');
const orasManifest = 'application/vnd.cncf.oras.artifact.manifest.v1+json';
const artifact = (name: string, artifactType = 'application/x.signature'): TestDocument =>
  documentOf(orasManifest, {
    mediaType: orasManifest,
    artifactType,
    blobs: [app.descriptor],
    subject: app.descriptor,
    annotations: { name },
  });
const listed = ({ descriptor }: TestDocument, artifactType = 'application/x.signature'): object => ({
  ...descriptor,
  artifactType,
});

interface OrasCase {
  readonly api: OrasApi;
  readonly key: 'references' | 'referrers';
  readonly path: (digest: string, more?: string) => string;
}
const cases: readonly OrasCase[] = [
  {
    api: 'draft',
    key: 'references',
    path: (digest, more = '') => `/oras/artifacts/v1/a/b/manifests/${digest}/referrers?${more}`,
  },
  {
    api: 'rc',
    key: 'referrers',
    path: (digest, more = '') => `/v2/a/b/_oras/artifacts/referrers?digest=${digest}&${more}`,
  },
];

const serveOras = async (...oras: OrasApi[]): Promise<ServedRegistry> =>
  serve({ mechanisms: { references: false, referrers: false, oras } });

async function holding(served: ServedRegistry, ...documents: TestDocument[]): Promise<void> {
  for (const { mediaType, bytes, digest } of documents) {
    const init = { body: bytes, headers: { 'content-type': mediaType } };
    expect((await served.send('PUT', `/v2/a/b/manifests/${digest}`, init)).status).toBe(201);
  }
}

describe.each(cases)('the ORAS API, $api', ({ api, key, path }) => {
  it('lists ORAS manifests by subject, with artifact type and size', async () => {
    const served = await serveOras(api);
    const one = artifact('one');
    await holding(served, app, one, manifest('of OCI', { subject: app.descriptor }));
    const answer = await served.send('GET', path(app.digest));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('oras-api-version')).toBe(api === 'rc' ? 'oras/1.0' : null);
    expect(await answer.json()).toEqual({ [key]: [listed(one)] });
    expect(await (await served.send('GET', path(one.digest))).json()).toEqual({ [key]: [] });
  });

  it('filters, and pages by a relative Link that keeps filter and count', async () => {
    const served = await serveOras(api);
    const many = ['one', 'two', 'three'].map((name) => artifact(name));
    await holding(served, ...many, artifact('other', 'application/x.other'));
    const pages: object[][] = [];
    let next: string | undefined = path(app.digest, 'n=2&artifactType=application/x.signature');
    while (next !== undefined) {
      const answer: Response = await served.send('GET', next);
      pages.push(((await answer.json()) as Record<string, object[]>)[key] ?? []);
      next = /^<(\/[^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(pages.map(({ length }) => length)).toEqual([2, 1]);
    const wanted = many.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)).map((each) => listed(each));
    expect(pages.flat()).toEqual(wanted);
  });

  it('refuses a tag, and a count that is none', async () => {
    const { send } = await serveOras(api);
    const tag = await send('GET', path('latest'));
    expect([tag.status, await errorOf(tag)]).toEqual([
      400,
      ['DIGEST_INVALID', 'Digest "latest" is not sha256 or sha512.'],
    ]);
    const count = await send('GET', path(app.digest, 'n=0'));
    expect([count.status, await errorOf(count)]).toEqual([400, ['UNSUPPORTED', 'n is no count.']]);
  });

  it('is not there when only the other is on', async () => {
    const { send } = await serveOras(api === 'rc' ? 'draft' : 'rc');
    const answer = await send('GET', path(app.digest));
    expect([answer.status, await answer.text()]).toEqual([404, '404 page not found\n']);
  });
});

describe('both ORAS APIs', () => {
  it('can be on at once', async () => {
    const served = await serveOras('draft', 'rc');
    const one = artifact('one');
    await holding(served, one);
    for (const { key, path } of cases)
      expect(await (await served.send('GET', path(app.digest))).json()).toEqual({ [key]: [listed(one)] });
  });
});
