import { describe, expect, it } from 'vitest';
import type { ResolvedImage } from '../../src/admission/ports.ts';
import { parseImageReference } from '../../src/image/reference.ts';
import { index, manifest } from '../demo/registry/documents.ts';
import { accessOf, expectFailure } from '../registry/registry-access.ts';
import { outline } from '../referrers/start-source.ts';
import { bundle, layoutOf, named, open, plainLayout, writeDirectory } from './sample-layout.ts';
import type { Files } from './sample-layout.ts';

const app = manifest('app');
const other = manifest('other');

async function resolve(files: Files, image: string): Promise<ResolvedImage> {
  const { source } = await open(await writeDirectory(files));
  return await source.resolve(parseImageReference(image), accessOf());
}

const both = (first: object, second: object): Files => layoutOf([first, second], [app, other]);

describe('an image of a layout', () => {
  it.each([
    ['its tag', both(named(app, '1.0'), named(other, '2.0')), 'ghcr.io/acme/app:1.0'],
    [
      'its full name',
      both(named(app, 'ghcr.io/acme/app:1.0'), named(other, 'ghcr.io/acme/other:1.0')),
      'ghcr.io/acme/app:1.0',
    ],
    [
      'its full name before a bare tag',
      both(named(other, '1.0'), named(app, 'ghcr.io/acme/app:1.0')),
      'ghcr.io/acme/app:1.0',
    ],
    [
      'a name as Docker shortens it',
      both(named(app, 'app:1.0'), named(other, 'other:1.0')),
      'docker.io/library/app:1.0',
    ],
    [
      'the name that containerd writes',
      both(
        {
          ...app.descriptor,
          annotations: {
            'io.containerd.image.name': 'ghcr.io/acme/app:1.0',
            'org.opencontainers.image.ref.name': '1.0',
          },
        },
        {
          ...other.descriptor,
          annotations: {
            'io.containerd.image.name': 'ghcr.io/acme/other:1.0',
            'org.opencontainers.image.ref.name': '1.0',
          },
        },
      ),
      'ghcr.io/acme/app:1.0',
    ],
    [
      'any name, where it is alone and has none',
      layoutOf([app.descriptor, bundle(app).descriptor], [app, bundle(app)]),
      'ghcr.io/acme/app:1.0',
    ],
  ])('is found by %s', async (_, files, image) => {
    expect((await resolve(files, image)).digest).toBe(app.digest);
  });

  it('is the index, not the children that are listed beside it', async () => {
    const parent = index([app, other]);
    const files = layoutOf(
      [parent, app, other].map(({ descriptor }) => descriptor),
      [parent, app, other],
    );
    expect(await resolve(files, 'ghcr.io/acme/app:1.0')).toEqual({
      digest: parent.digest,
      mediaType: parent.mediaType,
    });
  });

  it('T01 that is named otherwise is not the one that was asked for', async () => {
    await expectFailure(
      resolve(plainLayout(app), 'ghcr.io/acme/app:1.1'),
      'ImageNotFound',
      /has no ghcr\.io\/acme\/app:1\.1; it has 1\.0 \(sha256:[0-9a-f]{8}\)\.$/,
    );
    await expectFailure(
      resolve(layoutOf([named(app, 'ghcr.io/acme/other:1.0')], [app]), 'ghcr.io/acme/app:1.0'),
      'ImageNotFound',
      /it has ghcr\.io\/acme\/other:1\.0 \(sha256:[0-9a-f]{8}\)\.$/,
    );
  });

  it('T01 is not chosen among several', async () => {
    await expectFailure(
      resolve(both(app.descriptor, other.descriptor), 'ghcr.io/acme/app:1.0'),
      'ImageAmbiguous',
      new RegExp(`has 2 images; it has ${app.digest}, ${other.digest}\\.$`),
    );
    await expectFailure(
      resolve(both(named(app, '1.0'), named(other, '1.0')), 'ghcr.io/acme/app:1.0'),
      'ImageAmbiguous',
      /has 2 manifests named 1\.0; it has 1\.0 \(sha256:[0-9a-f]{8}\), 1\.0 \(sha256:[0-9a-f]{8}\)\.$/,
    );
  });

  it('is missing from an empty layout, and from one that only names it', async () => {
    await expectFailure(
      resolve(layoutOf([], []), 'ghcr.io/acme/app:1.0'),
      'ImageNotFound',
      /it has no image\.$/,
    );
    await expectFailure(
      resolve(layoutOf([named(app, '1.0')], []), 'ghcr.io/acme/app:1.0'),
      'ArtifactMissing',
      /lists sha256:[0-9a-f]{8} but does not have it\.$/,
    );
  });

  it('is listed among the tags of the repository that it is of', async () => {
    const files = both(named(app, 'ghcr.io/acme/app:1.0'), named(other, '2.0'));
    const { store } = await open(await writeDirectory(files));
    const tagsOf = async (repository: string): Promise<readonly string[]> =>
      (await store.listTags({ registry: 'ghcr.io', repository })).tags;
    expect(await tagsOf('acme/app')).toEqual(['1.0', '2.0']);
    expect(await tagsOf('acme/other')).toEqual(['2.0']);
  });

  it('names few of many', async () => {
    const images = Array.from({ length: 11 }, (_, at) => manifest(`image ${at}`));
    await expectFailure(
      resolve(
        layoutOf(
          images.map((image, at) => named(image, `v${at}`)),
          images,
        ),
        'ghcr.io/acme/app:1.0',
      ),
      'ImageNotFound',
      /v7 \(sha256:[0-9a-f]{8}\) and 3 more\.$/,
    );
  });
});

describe('what cosign saved', () => {
  const kind = (name: string): object => ({ annotations: { kind: `dev.cosignproject.cosign/${name}` } });
  const [sigs, atts] = [manifest('sigs'), manifest('atts')];

  it('T15 stands for the tags of the image that was saved, and of no other', async () => {
    const files = layoutOf(
      [
        { ...app.descriptor, ...kind('image') },
        { ...sigs.descriptor, ...kind('sigs') },
        { ...atts.descriptor, ...kind('atts') },
        other.descriptor,
      ],
      [app, sigs, atts, other],
    );
    const { discover } = await open(await writeDirectory(files));
    expect(outline(await discover(app.digest)).toSorted()).toEqual(
      [`candidate CosignTag ${sigs.digest}`, `candidate CosignTag ${atts.digest}`, 'complete'].toSorted(),
    );
    expect(outline(await discover(other.digest))).toEqual(['complete']);
  });

  it('T28 with two signature manifests for one image is ambiguous, never the first of them', async () => {
    const files = layoutOf(
      [
        { ...app.descriptor, ...kind('image') },
        { ...sigs.descriptor, ...kind('sigs') },
        { ...atts.descriptor, ...kind('sigs') },
      ],
      [app, sigs, atts],
    );
    const { discover } = await open(await writeDirectory(files));
    expect(outline(await discover(app.digest))).toEqual(['incomplete ImageAmbiguous']);
  });

  it('has bundles that index.json does not list: those that name the image count, an altered one is named', async () => {
    const [signature, altered] = [bundle(app), bundle(app, 'altered')];
    const files = layoutOf([{ ...app.descriptor, ...kind('image') }], [app, signature, altered]);
    const spoilt = { ...files, [`blobs/${altered.digest.replace(':', '/')}`]: '{}' };
    const { discover } = await open(await writeDirectory(spoilt));
    expect(outline(await discover(app.digest))).toEqual([
      'unusable Layout DigestMismatch',
      `candidate Layout ${signature.digest}`,
      'complete',
    ]);
    await expectFailure(
      open(await writeDirectory(files), { maxBlobs: 2 }),
      'LayoutTooLarge',
      /has more than 2 blobs\.$/,
    );
  });
});
