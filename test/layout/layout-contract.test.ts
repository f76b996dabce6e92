import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf, index, manifest } from '../demo/registry/documents.ts';
import { collect, outline } from '../referrers/start-source.ts';
import { accessOf, expectFailure } from '../registry/registry-access.ts';
import {
  blobPath,
  bundle,
  forms,
  layoutOf,
  named,
  open,
  payload,
  plainLayout,
  target,
} from './sample-layout.ts';
import type { Files } from './sample-layout.ts';

const app = manifest('app');
const other = manifest('other');
const signature = bundle(app);

describe.each(forms)('a layout in a $form', ({ write }) => {
  const openFiles = async (files: Files, limits: Parameters<typeof open>[1] = {}): ReturnType<typeof open> =>
    open(await write(files), limits);

  it.each([
    ['by its subject', signature],
    [
      'by the reference of the founding proposal',
      bundle(app, 'r', { subject: undefined, reference: app.descriptor }),
    ],
  ])('lists what names the image %s, and reads its layers', async (_, artifact) => {
    const { discover } = await openFiles(plainLayout(app, artifact, bundle(other)));
    const events = await discover(app.digest);
    expect(outline(events)).toEqual([`candidate Layout ${artifact.digest}`, 'complete']);
    const [found] = events;
    if (found?.kind !== 'candidate') throw new Error('no candidate');
    const [layer] = found.manifest.layers;
    if (layer === undefined) throw new Error('no layer');
    expect(Buffer.from(await found.fetchLayer(layer, accessOf()))).toEqual(payload);
  });

  it('answers the same whatever API is asked', async () => {
    const { store } = await openFiles(plainLayout(app, signature));
    for (const api of ['references', 'referrers', 'oras'] as const) {
      const answer = await store.list(api, { ...target, digest: app.digest });
      expect(answer).toMatchObject({ kind: 'listing', entries: [{ digest: signature.digest }] });
    }
  });

  it('lists nothing for an image that nothing names', async () => {
    const { discover } = await openFiles(plainLayout(app, bundle(other)));
    expect(outline(await discover(app.digest))).toEqual(['complete']);
  });

  it('does not list what index.json does not lead to', async () => {
    const { discover } = await openFiles(layoutOf([named(app, '1.0')], [app, signature]));
    expect(outline(await discover(app.digest))).toEqual(['complete']);
  });

  it('finds the index that contains an image, and artifacts within indexes', async () => {
    const parent = index([app, other]);
    const holder = index([signature]);
    const files = layoutOf(
      [named(parent, '1.0'), holder.descriptor],
      [app, other, parent, holder, signature],
    );
    const { discover, parents } = await openFiles(files);
    expect(outline(await discover(app.digest))).toEqual([`candidate Layout ${signature.digest}`, 'complete']);
    expect(outline(await parents(app.digest))).toEqual([`parent KnownIndex ${parent.digest}`, 'complete']);
  });

  it('finds what stands under the tags of cosign and of the referrers tag schema', async () => {
    const tag = app.digest.replace(':', '-');
    const old = manifest('old');
    const listing = index([signature]);
    const files = layoutOf(
      [named(app, '1.0'), named(old, `${tag}.sig`), named(listing, tag)],
      [app, old, signature, listing],
    );
    const { discover, store } = await openFiles(files);
    expect(outline(await discover(app.digest)).toSorted()).toEqual(
      [`candidate CosignTag ${old.digest}`, `candidate Layout ${signature.digest}`, 'complete'].toSorted(),
    );
    expect((await store.listTags(target)).tags).toEqual(['1.0', `${tag}.sig`, tag]);
  });

  it('an index whose children of other platforms are left out is no fault', async () => {
    const parent = index([app, other]);
    const { discover } = await openFiles(layoutOf([named(parent, '1.0')], [app, parent]));
    expect(outline(await discover(app.digest))).toEqual(['complete']);
  });

  it('T29 missing, altered and malformed artifacts are named, and spoil no good one', async () => {
    const [gone, altered, confused] = [bundle(app, 'gone'), bundle(app, 'altered'), bundle(app, 'confused')];
    const files = layoutOf(
      [app, gone, altered, signature]
        .map(({ descriptor }) => descriptor)
        .concat([{ ...confused.descriptor, mediaType: ociIndex }]),
      [app, signature, confused],
    );
    const { discover } = await openFiles({ ...files, [blobPath(altered.digest)]: signature.bytes });
    expect(outline(await discover(app.digest)).toSorted()).toEqual(
      [
        `candidate Layout ${signature.digest}`,
        'complete',
        'unusable Layout ArtifactMissing',
        'unusable Layout DigestMismatch',
        'unusable Layout ManifestAmbiguous',
      ].toSorted(),
    );
  });

  it('T28 an artifact that is too large to be read leaves it open whether it was the good one', async () => {
    const large = bundle(app, 'x'.repeat(4000));
    const { discover } = await openFiles(plainLayout(app, large), { maxManifestBytes: 2000 });
    expect(outline(await discover(app.digest))).toEqual(['incomplete ArtifactTooLarge']);
  });

  it('T28 an image that is not there is no image without signatures', async () => {
    const { discover, source } = await openFiles(plainLayout(app, signature));
    const events = await discover(other.digest);
    expect(outline(events)).toEqual(['incomplete ImageNotFound']);
    await expectFailure(
      source.fetchParsed({ ...target, digest: other.digest }, accessOf()),
      'ImageNotFound',
      /has no sha256:[0-9a-f]{8}; it has 1\.0 \(sha256:[0-9a-f]{8}\)\.$/,
    );
  });

  it('T12 an image whose manifest was altered is refused by tag and by digest', async () => {
    const files = { ...plainLayout(app, signature), [blobPath(app.digest)]: other.bytes };
    const { discover, source } = await openFiles(files);
    await expectFailure(
      source.resolve({ ...target, tag: '1.0' }, accessOf()),
      'DigestMismatch',
      /blob sha256:[0-9a-f]{8} does not hash to its name\.$/,
    );
    expect(outline(await discover(app.digest))).toEqual(['incomplete DigestMismatch']);
  });

  it('T12 a layer must be as large as its descriptor says, and within the limit whatever that says', async () => {
    const { store } = await openFiles(plainLayout(app, signature), { maxLayerBytes: 100 });
    const blob = { mediaType: 'a/b', digest: computeDigest(payload), annotations: {} };
    await expectFailure(
      store.fetchBlob(target, { ...blob, size: 8 }),
      'SizeMismatch',
      /has not the 8 bytes that its descriptor states\.$/,
    );
    await expectFailure(
      store.fetchBlob(target, { ...blob, size: 2 ** 52 }),
      'ArtifactTooLarge',
      /is larger than 100 bytes\.$/,
    );
    await expectFailure(
      store.fetchBlob(target, { ...blob, digest: other.digest, size: 8 }),
      'ArtifactMissing',
      /is not there\.$/,
    );
  });

  it('T11 one index listed many times is read once; too many documents, bytes and indexes in one another are refused', async () => {
    const inner = index([app]);
    const many = documentOf(ociIndex, {
      schemaVersion: 2,
      manifests: Array.from({ length: 5000 }, () => inner.descriptor),
    });
    const files = layoutOf([many.descriptor, many.descriptor], [many, inner, app]);
    const { parents } = await openFiles(files, { maxDocuments: 3 });
    expect(outline(await parents(app.digest))).toEqual([`parent Layout ${inner.digest}`, 'complete']);

    await expectFailure(
      openFiles(files, { maxDocuments: 2 }),
      'LayoutTooLarge',
      /has more than 2 manifests and indexes\.$/,
    );
    await expectFailure(
      openFiles(files, { maxIndexDepth: 1 }),
      'LayoutTooLarge',
      /has more than 1 indexes within one another\.$/,
    );
    await expectFailure(
      openFiles(files, { maxDocumentsBytes: 1000 }),
      'LayoutTooLarge',
      /has more than 1000 bytes of manifests and indexes\.$/,
    );
    await expectFailure(
      openFiles(files, { maxIndexBytes: 100 }),
      'ArtifactTooLarge',
      /index\.json is larger than 100 bytes\.$/,
    );
  });

  it('T11 a flood of referrers is cut, and says so', async () => {
    const flood = Array.from({ length: 5 }, (_, at) => bundle(app, `junk ${at}`));
    const { discover } = await openFiles(plainLayout(app, ...flood), { maxReferrers: 3 });
    const events = outline(await discover(app.digest));
    expect(events).toHaveLength(4);
    expect(events.at(-1)).toBe('incomplete TooManyReferrers');
  });

  it.each<[string, (files: Files) => Files, RegExp]>([
    [
      'without a marker',
      ({ 'oci-layout': _, ...rest }) => rest,
      /is no OCI image layout: it has no file oci-layout\.$/,
    ],
    [
      'of another version',
      (files) => ({ ...files, 'oci-layout': '{"imageLayoutVersion":"2"}' }),
      /its oci-layout states no imageLayoutVersion 1\.0\.0\.$/,
    ],
    [
      'with a marker that is no JSON',
      (files) => ({ ...files, 'oci-layout': '1.0.0' }),
      /its oci-layout is not JSON\.$/,
    ],
    ['without an index', ({ 'index.json': _, ...rest }) => rest, /it has no index\.json\.$/],
    [
      'with half an index',
      (files) => ({ ...files, 'index.json': String(files['index.json']).slice(0, -9) }),
      /index\.json is not valid JSON\.$/,
    ],
    [
      'with a manifest for its index',
      (files) => ({ ...files, 'index.json': app.bytes }),
      /its index\.json is a manifest, not an index\.$/,
    ],
    [
      'T26 with a key twice',
      (files) => ({ ...files, 'index.json': '{"schemaVersion":2,"manifests":[],"manifests":[]}' }),
      /has the key "manifests" twice/,
    ],
    [
      'with a path for a digest',
      (files) => ({
        ...files,
        'index.json': JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType: ociManifest, digest: 'sha256:../../../etc/passwd', size: 1 }],
        }),
      }),
      /Digest "sha256:\.\.\/.* is malformed/,
    ],
    [
      'T14 with a digest of another algorithm',
      (files) => ({
        ...files,
        'index.json': JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType: ociManifest, digest: `md5:${'0'.repeat(32)}`, size: 1 }],
        }),
      }),
      /is not sha256 or sha512/,
    ],
  ])('%s is refused', async (_, spoil, message) => {
    await expectFailure(openFiles(spoil(plainLayout(app))), 'LayoutInvalid', message);
  });

  it('holds no listing back: what it lists is a snapshot, and the end says how old', async () => {
    const { store } = await openFiles(plainLayout(app));
    expect(store.caches()).toEqual([]);
    const events = await collect(
      (await openFiles(plainLayout(app))).source.referrers(
        { ...target, digest: app.digest },
        { signatures: true, attestations: false, sboms: false },
        accessOf(),
      ),
    );
    expect(events.at(-1)).toMatchObject({ complete: true, listingAgeMs: 0 });
  });
});
