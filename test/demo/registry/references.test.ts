import { describe, expect, it } from 'vitest';
import { documentOf, index, manifest } from './documents.ts';
import type { TestDocument } from './documents.ts';
import { errorOf, serve } from './serve.ts';
import type { ServedRegistry } from './serve.ts';

const app = manifest('app');
const onlyReferences = { mechanisms: { references: true, referrers: false } };

async function holding(...documents: TestDocument[]): Promise<ServedRegistry> {
  const served = await serve(onlyReferences);
  for (const { bytes, mediaType } of documents) served.registry.store.putManifest('a/b', bytes, mediaType);
  return served;
}

async function listed({ send }: ServedRegistry, reference: string = app.digest): Promise<string[]> {
  const answer = await send('GET', `/v2/a/b/manifests/${reference}/references`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}

describe('the references API of the founding proposal', () => {
  it.each([
    ['a manifest', manifest('r', { reference: app.descriptor })],
    ['an index', index([], { reference: app.descriptor })],
    ['a layer', manifest('r', { layers: [{ ...app.descriptor, reference: app.descriptor }] })],
    [
      'a blob of an OCI artifact manifest',
      documentOf('application/vnd.oci.artifact.manifest.v1+json', {
        mediaType: 'application/vnd.oci.artifact.manifest.v1+json',
        blobs: [{ ...app.descriptor, reference: app.descriptor }],
      }),
    ],
    ['a config', manifest('r', { config: { ...app.descriptor, reference: app.descriptor } })],
    [
      'an entry of an index',
      documentOf('application/vnd.oci.image.index.v1+json', {
        manifests: [{ ...manifest('x').descriptor, reference: app.descriptor }],
      }),
    ],
    ['a subject of OCI 1.1', manifest('r', { subject: app.descriptor })],
  ])('names the containing manifest for a reference on %s', async (_, referrer) => {
    expect(await listed(await holding(app, referrer))).toEqual([referrer.digest]);
  });

  it('answers plain descriptors in manifests', async () => {
    const referrer = manifest('r', { reference: app.descriptor });
    const { send } = await holding(app, referrer);
    const answer = await send('GET', `/v2/a/b/manifests/${app.digest}/references`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({ manifests: [referrer.descriptor] });
  });

  it('puts small manifests into the listing as data, when told', async () => {
    const referrer = manifest('r', { reference: app.descriptor });
    const large = manifest('large', { reference: app.descriptor, note: 'x'.repeat(1000) });
    const { registry, send } = await serve({ ...onlyReferences, inlineDataBytes: 1000 });
    for (const { bytes, mediaType } of [referrer, large])
      registry.store.putManifest('a/b', bytes, mediaType, 'r');
    const answer = await send('GET', `/v2/a/b/manifests/${app.digest}/references`);
    const { manifests } = (await answer.json()) as { manifests: unknown[] };
    expect(manifests).toHaveLength(2);
    expect(manifests).toContainEqual({ ...referrer.descriptor, data: referrer.bytes.toString('base64') });
    expect(manifests).toContainEqual(large.descriptor);
  });

  it('lists the parent indexes too, and works by tag', async () => {
    const parent = index([app, manifest('other')]);
    const served = await holding(app, parent);
    served.registry.store.tag('a/b', '1.0', app.digest);
    expect(await listed(served, '1.0')).toEqual([parent.digest]);
    expect(await listed(served, parent.digest)).toEqual([]);
  });

  it('lists a manifest once that refers in several ways, and one that refers to two under both', async () => {
    const second = manifest('second');
    const both = manifest('both', {
      reference: app.descriptor,
      subject: app.descriptor,
      layers: [{ ...app.descriptor, reference: second.descriptor }],
    });
    const served = await holding(app, second, both);
    expect(await listed(served)).toEqual([both.digest]);
    expect(await listed(served, second.digest)).toEqual([both.digest]);
  });

  it('tolerates an empty reference and keeps a dangling one', async () => {
    const served = await holding(
      manifest('empty', { reference: {} }),
      manifest('r', { reference: app.descriptor }),
    );
    expect(await listed(served)).toEqual([manifest('r', { reference: app.descriptor }).digest]);
  });

  it('lists a deleted referrer no more', async () => {
    const referrer = manifest('r', { reference: app.descriptor });
    const served = await holding(app, referrer);
    await served.send('DELETE', `/v2/a/b/manifests/${referrer.digest}`);
    expect(await listed(served)).toEqual([]);
  });

  it('knows neither a missing tag nor a missing repository', async () => {
    const { send } = await holding(app);
    const tag = await send('GET', '/v2/a/b/manifests/9/references');
    expect([tag.status, await errorOf(tag)]).toEqual([
      404,
      ['MANIFEST_UNKNOWN', 'There is no manifest 9 in a/b.'],
    ]);
    const repository = await send('GET', `/v2/nothing/manifests/${app.digest}/references`);
    expect([repository.status, await errorOf(repository)]).toEqual([
      404,
      ['NAME_UNKNOWN', 'There is no repository nothing.'],
    ]);
  });

  it('is not there when it is off', async () => {
    const { registry, send } = await serve({ mechanisms: { references: false, referrers: true } });
    registry.store.putManifest('a/b', app.bytes, app.mediaType);
    const answer = await send('GET', `/v2/a/b/manifests/${app.digest}/references`);
    expect([answer.status, await answer.text()]).toEqual([404, '404 page not found\n']);
  });
});
