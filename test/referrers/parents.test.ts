import { describe, expect, it } from 'vitest';
import { dockerManifest, ociIndex } from '../../src/oci/media-types.ts';
import { documentOf, index, manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, repository } from './artifacts.ts';
import { app, both, endOf, outline, start } from './start-source.ts';
import type { StartOptions, Started } from './start-source.ts';

const startWithReferences = (options: StartOptions = {}): Promise<Started> =>
  start({ ask: ['References', 'CosignTag'], mechanisms: { references: true, referrers: false }, ...options });

/** Stored as an index whatever it holds. */
function push({ registry }: Started, document: TestDocument): TestDocument {
  registry.store.putManifest(repository, document.bytes, document.mediaType);
  return document;
}

const listing = (children: readonly object[], fields: object = {}): TestDocument =>
  documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: children, ...fields });
const platform = { os: 'linux', architecture: 'amd64' };

describe('parents', () => {
  it('are the indexes that hold the image as a runnable platform; their listing is that of the referrers', async () => {
    const started = await startWithReferences();
    const parent = push(started, listing([{ ...app.descriptor, platform }]));
    pushBundle(started.registry, app, 'bundle');
    await started.discover();
    started.requests();
    const events = await started.parents(app.digest);
    // It came by with the referrers, and is known since.
    expect(outline(events)).toEqual([`parent KnownIndex ${parent.digest}`, 'complete']);
    expect(events[0]).toMatchObject({
      index: { kind: 'index', manifests: [{ digest: app.digest, platform }] },
    });
    expect(started.requests()).toEqual([]);
  });

  it('are not looked for where nothing can list them', async () => {
    const started = await start();
    push(started, index([app]));
    expect(outline(await started.parents(app.digest))).toEqual(['complete']);
    expect(started.requests()).toEqual([]);
    const absent = await startWithReferences({ mechanisms: { references: false, referrers: false } });
    expect(outline(await absent.parents(app.digest))).toEqual(['complete']);
  });

  it.each([
    [
      'as an attestation',
      [{ ...app.descriptor, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }],
    ],
    [
      'for an unknown platform',
      [{ ...app.descriptor, platform: { os: 'unknown', architecture: 'unknown' } }],
    ],
    ['as an artifact', [{ ...app.descriptor, artifactType: 'a/b' }]],
    ['with two sizes', [app.descriptor, { ...app.descriptor, size: 1 }]],
    ['with two media types', [app.descriptor, { ...app.descriptor, mediaType: dockerManifest }]],
    ['with another media type', [{ ...app.descriptor, mediaType: 'application/octet-stream' }]],
    ['as an index', [{ ...app.descriptor, mediaType: ociIndex }]],
    ['once runnable and once not', [app.descriptor, { ...app.descriptor, artifactType: 'a/b' }]],
  ])('T13 an index that holds the image %s is none', async (_, children) => {
    const started = await startWithReferences();
    const liar = push(started, listing(children));
    const events = await started.parents(app.digest);
    expect(outline(events)).toEqual(['unusable References ParentUnproven', 'complete']);
    expect(events[0]).toMatchObject({
      digest: liar.digest,
      failure: {
        message: `${started.registry.host}/shop/app: index ${liar.digest.slice(0, 15)} does not contain ${app.digest.slice(0, 15)} as a runnable platform, in entries that agree.`,
      },
    });
  });

  it('T12 are proven alike whether or not the image was fetched before', async () => {
    const started = await startWithReferences();
    // The digest binds the image: a wrong size makes the index unpullable, and nothing else of it.
    const parent = push(started, listing([{ ...app.descriptor, size: 1 }]));
    expect(outline(await started.parents(app.digest))).toEqual([
      `parent References ${parent.digest}`,
      'complete',
    ]);
    await started.source.fetchDocument(started.subject, accessOf());
    expect(outline(await started.parents(app.digest))).toEqual([
      `parent KnownIndex ${parent.digest}`,
      'complete',
    ]);
  });

  it('T12 are proven by their bytes: what is listed and holds another image is none', async () => {
    const started = await startWithReferences();
    const stranger = push(started, index([manifest('other')]));
    const referrer = push(started, listing([], { subject: app.descriptor }));
    started.registry.intercept((request, response) => {
      if (request.url?.endsWith('/references') !== true) return false;
      const listed = [stranger, referrer].map(({ descriptor }) => descriptor);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ manifests: listed }));
      return true;
    });
    expect(outline(await started.parents(app.digest))).toEqual([
      'unusable References ParentUnproven',
      'complete',
    ]);
    expect(outline(await started.discover(both))).toEqual([
      'unusable References SubjectMissing',
      'unusable References FormatUnsupported',
      'complete',
    ]);
  });

  it('T11 are few, and more are inconclusive', async () => {
    const started = await startWithReferences();
    for (let i = 0; i < 20; i++) push(started, index([app], { annotations: { i: String(i) } }));
    const events = await started.parents(app.digest);
    expect(events.filter(({ kind }) => kind === 'parent')).toHaveLength(16);
    expect(endOf(events).failures).toEqual([
      {
        code: 'TooManyReferrers',
        message: `${started.registry.host}/shop/app@${app.digest.slice(0, 15)}: more indexes and artifacts are listed than are looked at.`,
      },
    ]);
  });

  it('T28 a fault is never "no parents"', async () => {
    const started = await startWithReferences();
    const parent = push(started, index([app]));
    started.registry.intercept((request, response) => {
      if (request.url?.endsWith(parent.digest) !== true) return false;
      response.writeHead(500).end();
      return true;
    });
    expect(outline(await started.parents(app.digest))).toEqual([
      'unusable References RegistryUnavailable',
      'incomplete RegistryUnavailable',
    ]);
    started.registry.intercept((_, response) => {
      response.writeHead(429, { 'retry-after': '99' }).end();
      return true;
    });
    const fresh = accessOf({ maxListingAgeMs: -1 });
    expect(outline(await started.parents(app.digest, fresh))).toEqual(['incomplete RegistryRateLimited']);
  });
});
