import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { index, manifest } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, pushCosignTag, pushFallbackTag, repository } from './artifacts.ts';
import { app, both, outline, signatures, start } from './start-source.ts';
import type { Started } from './start-source.ts';

const other = manifest('other');

/** Has the referrers API list what it should not. */
function listInstead({ registry }: Started, manifests: readonly object[] | null): void {
  registry.intercept((request, response) => {
    if (request.url?.includes('/referrers/') !== true) return false;
    response.writeHead(200, { 'content-type': ociIndex }).end(JSON.stringify({ manifests }));
    return true;
  });
}

describe('the references API', () => {
  it('names manifests whose reference stands on a descriptor within, and several subjects of one artifact', async () => {
    const started = await start({ ask: ['References'], mechanisms: { references: true, referrers: false } });
    const layers = [app, other].map(({ descriptor }) => ({ ...app.descriptor, reference: descriptor }));
    const artifact = pushBundle(started.registry, app, 'both', { subject: undefined, layers });
    for (const { digest } of [app, other]) {
      const events = await started.discover(both, accessOf(), digest);
      expect(outline(events)).toEqual([`candidate References ${artifact.digest}`, 'complete']);
    }
  });

  it('lists indexes that contain the image: those are no referrers', async () => {
    const started = await start({ ask: ['References'], mechanisms: { references: true, referrers: false } });
    const parent = index([app]);
    started.registry.store.putManifest(repository, parent.bytes, parent.mediaType);
    expect(outline(await started.discover())).toEqual(['complete']);
  });

  it('is asked first, and only where it is configured', async () => {
    const started = await start({
      ask: ['CosignTag', 'Referrers', 'References'],
      mechanisms: { references: true, referrers: true },
    });
    await started.discover(signatures);
    expect(
      started
        .requests()
        .map((path) => path.replace(app.digest, 'D').replace(app.digest.replace(':', '-'), 'D')),
    ).toEqual(['GET manifests/D/references', 'GET referrers/D', 'GET manifests/D.sig']);
    const plain = await start({ mechanisms: { references: true, referrers: true } });
    await plain.discover();
    expect(plain.requests().join()).not.toContain('references');
  });
});

describe('the fallback tag', () => {
  const serves = { references: false, referrers: false };

  it('counts only where the referrers API is absent', async () => {
    const started = await start();
    const bundle = pushBundle(started.registry, other, 'bundle');
    pushFallbackTag(started.registry, app, [bundle.descriptor]);
    expect(outline(await started.discover())).toEqual(['complete']);
    expect(started.requests().join()).not.toContain(`manifests/${fallbackTag(app.digest)},`);
  });

  it('that resolves to the image or index itself (GitLab) lists nothing', async () => {
    const started = await start({ mechanisms: serves });
    const list = index([app]);
    for (const document of [app, list]) {
      started.registry.store.putManifest(
        repository,
        document.bytes,
        document.mediaType,
        fallbackTag(document.digest),
      );
      expect(outline(await started.discover(both, accessOf(), document.digest))).toEqual(['complete']);
    }
  });

  it('that holds a manifest, or an index that cannot be read, is said to be unusable', async () => {
    const started = await start({ mechanisms: serves });
    const { registry, discover } = started;
    const tag = fallbackTag(app.digest);
    registry.store.putManifest(repository, other.bytes, other.mediaType, tag);
    const [event] = await discover();
    expect(event).toMatchObject({
      kind: 'unusable',
      failure: {
        code: 'ManifestInvalid',
        message: `${registry.host}/shop/app: the referrers tag ${tag} holds a manifest instead of an index.`,
      },
    });
    registry.store.putManifest(
      repository,
      Buffer.from('{"schemaVersion":2,"manifests":[{}]}'),
      list.mediaType,
      tag,
    );
    const fresh = await discover(both, accessOf({ maxListingAgeMs: -1 }));
    expect(outline(fresh)).toEqual(['unusable FallbackTag ManifestInvalid', 'complete']);
  });

  const list = index([]);

  it('is cut for sha512, and the subject of each entry decides', () => {
    const digest = computeDigest(Buffer.from('x'), 'sha512');
    expect(fallbackTag(digest)).toBe(`sha512-${digest.slice(7, 71)}`);
    expect(fallbackTag(app.digest)).toBe(app.digest.replace(':', '-'));
  });
});

describe('cosign tags', () => {
  it('are asked for the kinds of artifact that are wanted, and claim the image by the tag alone', async () => {
    const started = await start({ ask: ['CosignTag'] });
    const [signature, attestation] = [
      pushCosignTag(started.registry, app),
      pushCosignTag(started.registry, app, 'att'),
    ];
    expect(outline(await started.discover(signatures))).toEqual([
      `candidate CosignTag ${signature.digest}`,
      'complete',
    ]);
    expect(outline(await started.discover())).toEqual([
      `candidate CosignTag ${signature.digest}`,
      `candidate CosignTag ${attestation.digest}`,
      'complete',
    ]);
    const attestations = await started.discover({ signatures: false, attestations: true, sboms: false });
    expect(outline(attestations)).toEqual([`candidate CosignTag ${attestation.digest}`, 'complete']);
  });

  it('that hold an index carry no signature', async () => {
    const started = await start({ ask: ['CosignTag'] });
    const list = index([app]);
    const tag = `${app.digest.replace(':', '-')}.sig`;
    started.registry.store.putManifest(repository, list.bytes, list.mediaType, tag);
    expect(outline(await started.discover(signatures))).toEqual([
      'unusable CosignTag FormatUnsupported',
      'complete',
    ]);
  });

  it('still claim what a listing shows without a subject', async () => {
    const started = await start();
    const signature = pushCosignTag(started.registry, app);
    listInstead(started, [signature.descriptor]);
    expect(outline(await started.discover(signatures))).toEqual([
      'unusable Referrers SubjectMissing',
      `candidate CosignTag ${signature.digest}`,
      'complete',
    ]);
  });
});

describe('a listing that names the image itself', () => {
  it('has named nothing', async () => {
    const started = await start({ ask: ['Referrers'] });
    listInstead(started, [app.descriptor]);
    expect(outline(await started.discover())).toEqual(['complete']);
    expect(started.requests()).toHaveLength(1);
  });
});

describe('a listing that is null', () => {
  it('is empty, and the API is there (ociregistry)', async () => {
    const started = await start({ ask: ['Referrers', 'FallbackTag'] });
    listInstead(started, null);
    expect(outline(await started.discover())).toEqual(['complete']);
    expect(started.requests()).toHaveLength(1);
    started.registry.intercept(undefined);
    const bundle = pushBundle(started.registry, other);
    const events = await started.discover(both, accessOf(), other.digest);
    expect(outline(events)).toEqual([`candidate Referrers ${bundle.digest}`, 'complete']);
  });
});

describe('a listing of which a page is missing', () => {
  it('T27 is not kept: the next try reads it whole', async () => {
    const started = await start({ ask: ['Referrers'], referrersPageSize: 1 });
    const bundles = ['one', 'two'].map((name) => pushBundle(started.registry, app, name));
    started.registry.intercept((request, response) => {
      if (request.url?.includes('last=') !== true) return false;
      response.writeHead(500).end();
      return true;
    });
    const partial = outline(await started.discover());
    expect([partial.length, partial.at(-1)]).toEqual([2, 'incomplete RegistryUnavailable']);
    started.registry.intercept(undefined);
    expect(outline(await started.discover()).toSorted()).toEqual(
      [...bundles.map(({ digest }) => `candidate Referrers ${digest}`), 'complete'].toSorted(),
    );
  });
});

describe('an artifact that several mechanisms show', () => {
  it('is handed out once', async () => {
    const started = await start({
      ask: ['References', 'Referrers'],
      mechanisms: { references: true, referrers: true },
    });
    const bundle = pushBundle(started.registry, app);
    expect(outline(await started.discover())).toEqual([`candidate References ${bundle.digest}`, 'complete']);
  });
});

describe('resolve', () => {
  it('asks nothing for a digest, and one HEAD for a tag', async () => {
    const { source, registry, requests } = await start();
    const image = { registry: registry.host, repository, tag: '1.0' };
    expect(await source.resolve({ ...image, digest: other.digest }, accessOf())).toEqual({
      digest: other.digest,
    });
    expect(requests()).toEqual([]);
    expect((await source.resolve(image, accessOf())).digest).toBe(app.digest);
    expect(requests()).toEqual(['HEAD manifests/1.0']);
  });

  it('gives the very bytes of a document', async () => {
    const { source, subject } = await start();
    expect(Buffer.from(await source.fetchDocument(subject, accessOf()))).toEqual(app.bytes);
  });
});
