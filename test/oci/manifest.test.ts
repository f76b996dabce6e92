import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import { computeDigest, parseDigest } from '../../src/image/digest.ts';
import { isRunnableChild, maxManifestEntries, parseDocument, refersTo } from '../../src/oci/manifest.ts';
import type { Document } from '../../src/oci/manifest.ts';
import {
  dockerManifest,
  dockerManifestList,
  emptyConfig,
  ociIndex,
  ociManifest,
} from '../../src/oci/media-types.ts';

type Fields = Record<string, unknown>;

const digestOf = (text: string): string => computeDigest(new TextEncoder().encode(text));
const descriptor = (name: string, fields: Fields = {}): Fields => ({
  mediaType: 'application/octet-stream',
  digest: digestOf(name),
  size: name.length,
  ...fields,
});
const manifest = (fields: Fields = {}): Fields => ({
  schemaVersion: 2,
  mediaType: ociManifest,
  config: descriptor('config', { mediaType: emptyConfig }),
  layers: [descriptor('layer')],
  ...fields,
});
const child = (name: string, fields: Fields = {}): Fields =>
  descriptor(name, { mediaType: ociManifest, platform: { os: 'linux', architecture: 'amd64' }, ...fields });
const index = (fields: Fields = {}): Fields => ({
  schemaVersion: 2,
  mediaType: ociIndex,
  manifests: [child('amd64')],
  ...fields,
});
const parse = (json: unknown, contentType?: string): Document =>
  parseDocument(new TextEncoder().encode(JSON.stringify(json)), contentType, 'D');
const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({
    name: 'RefwardenError',
    code,
    message: expect.stringContaining(message) as string,
  });

describe('parseDocument', () => {
  it('reads a manifest', () => {
    const subject = descriptor('subject', { mediaType: ociManifest });
    const document = parse(
      manifest({ artifactType: 'application/spdx+json', subject, annotations: { a: 'b' } }),
      ociManifest,
    );
    expect(document).toEqual({
      kind: 'manifest',
      mediaType: ociManifest,
      artifactType: 'application/spdx+json',
      config: { ...descriptor('config', { mediaType: emptyConfig }), annotations: {} },
      layers: [{ ...descriptor('layer'), annotations: {} }],
      subject: { ...subject, annotations: {} },
      references: [],
      annotations: { a: 'b' },
    });
    expect(refersTo(document, parseDigest(digestOf('subject')))).toBe(true);
    expect(refersTo(document, parseDigest(digestOf('layer')))).toBe(false);
  });

  it('takes the media type of the config for the type of the artifact when it names none', () => {
    const document = parse(
      manifest({ config: descriptor('c', { mediaType: 'application/vnd.cncf.notary.signature' }) }),
    );
    expect(document.artifactType).toBe('application/vnd.cncf.notary.signature');
    expect(parse(manifest({ artifactType: '' })).artifactType).toBe(emptyConfig);
  });

  it('reads references of the document and of its descriptors, an empty one being none', () => {
    const reference = descriptor('image');
    const document = parse(
      manifest({
        reference: {},
        layers: [descriptor('a', { reference }), descriptor('b', { reference: { ...reference, reference } })],
      }),
    );
    expect(document.references.map(({ digest }) => digest)).toEqual([digestOf('image'), digestOf('image')]);
    expect(document.references[1]?.reference).toBeUndefined();
    expect(refersTo(document, parseDigest(digestOf('image')))).toBe(true);
  });

  it('takes null for an empty list, as Go writes it, and nothing for none', () => {
    expect(parse(manifest({ layers: null }))).toMatchObject({ kind: 'manifest', layers: [] });
    expect(parse(index({ manifests: null }))).toMatchObject({ kind: 'index', manifests: [] });
    expect(() => parse(manifest({ layers: undefined }))).toThrow(refusal('ManifestInvalid', 'is not a list'));
  });

  it.each([
    ['manifests beside layers', index({ layers: [] })],
    ['manifests beside config', index({ config: descriptor('config') })],
    ['null manifests beside layers', manifest({ manifests: null })],
    ['null layers beside manifests', index({ layers: null })],
    [
      'both, without a media type',
      { ...manifest({ mediaType: undefined }), ...index({ mediaType: undefined }) },
    ],
  ])('T13 refuses %s', (_, json) => {
    for (const contentType of [undefined, ociManifest, ociIndex, 'application/json']) {
      expect(() => parse(json, contentType)).toThrow(
        refusal('ManifestAmbiguous', 'D has both manifests and layers or config.'),
      );
    }
    expect(() => parse(index({ blobs: [] }))).toThrow(
      refusal('ManifestAmbiguous', 'D has both manifests and blobs.'),
    );
    expect(() => parse(manifest({ blobs: [] }))).toThrow(
      refusal('ManifestAmbiguous', 'D has both blobs and layers or config.'),
    );
  });

  it.each([
    ['an index that says manifest', index({ mediaType: ociManifest }), undefined],
    ['a manifest that says index', manifest({ mediaType: ociIndex }), undefined],
    ['an index of another kind', index({ mediaType: 'application/vnd.example' }), undefined],
    ['a manifest of another kind', manifest({ mediaType: 'text/html' }), undefined],
    ['an index in another case', index({ mediaType: ociIndex.toUpperCase() }), undefined],
    ['an index served as a manifest', index({ mediaType: undefined }), ociManifest],
    ['a manifest served as an index', manifest({ mediaType: undefined }), `${ociIndex}; charset=utf-8`],
  ])('T13 refuses %s', (_, json, contentType) => {
    expect(() => parse(json, contentType)).toThrow(refusal('ManifestAmbiguous', 'but the media type'));
  });

  it.each([
    [index(), ociManifest],
    [manifest(), ociIndex],
    [manifest(), dockerManifest],
    [index(), dockerManifestList.toUpperCase()],
  ])('T13 refuses a document that says otherwise than the registry (%#)', (json, contentType) => {
    expect(() => parse(json, contentType)).toThrow(
      refusal('ManifestAmbiguous', `D is served as ${contentType.toLowerCase()} but says`),
    );
  });

  it.each([
    ['Layers', index({ Layers: [] })],
    ['MANIFESTS', manifest({ MANIFESTS: [] })],
    ['MediaType', manifest({ MediaType: ociIndex })],
    ['ſubject', manifest({ ſubject: descriptor('x') })],
    ['Digest', index({ manifests: [child('a', { Digest: digestOf('other') })] })],
    ['ſize', manifest({ layers: [descriptor('a', { ſize: 1 })] })],
    [
      'OS',
      index({ manifests: [child('a', { platform: { os: 'linux', architecture: 'amd64', OS: 'unknown' } })] }),
    ],
    ['Architecture', index({ manifests: [child('a', { platform: { os: 'linux', Architecture: 'arm' } })] })],
  ])('T26 refuses the field %s, which Go reads in any case', (key, json) => {
    expect(() => parse(json)).toThrow(refusal('ManifestAmbiguous', `spells a field as "${key}"`));
  });

  it('T26 leaves other keys and annotations in whatever case they have', () => {
    const document = parse(manifest({ Vendor: 1, vendor: 2, annotations: { Size: '1', size: '2' } }));
    expect(document.annotations).toEqual({ Size: '1', size: '2' });
  });

  it.each([
    [undefined, ociManifest],
    ['application/json', ociManifest],
    [`${dockerManifest}; charset=utf-8`, dockerManifest],
  ])('takes the media type that is left when the document names none (%s)', (contentType, mediaType) => {
    expect(parse(manifest({ mediaType: undefined }), contentType).mediaType).toBe(mediaType);
  });

  it.each([
    ['[]', 'D is not an object'],
    ['null', 'D is not an object'],
    ['{', 'D is not valid JSON'],
    ['{"schemaVersion":2,"schemaVersion":2}', 'D has the key "schemaVersion" twice'],
    [JSON.stringify(manifest({ schemaVersion: 1 })), 'schemaVersion other than 2'],
    [JSON.stringify(manifest({ schemaVersion: '2' })), 'schemaVersion other than 2'],
    [JSON.stringify(manifest({ layers: undefined })), 'D.layers is not a list'],
    [JSON.stringify(manifest({ layers: {} })), 'D.layers is not a list'],
    [JSON.stringify(manifest({ layers: [null] })), 'D.layers[0] is not a descriptor'],
    [JSON.stringify(manifest({ config: undefined })), 'D.config is not a descriptor'],
    [JSON.stringify(manifest({ config: [] })), 'D.config is not a descriptor'],
    [JSON.stringify(index({ manifests: [child('a', { platform: 'linux' })] })), 'platform is no platform'],
    [JSON.stringify(index({ manifests: [child('a', { platform: { os: 1 } })] })), 'platform.os is no text'],
    [JSON.stringify(manifest({ subject: 'x' })), 'D.subject is not a descriptor'],
    [JSON.stringify(manifest({ subject: {} })), 'D.subject.mediaType is missing'],
    [JSON.stringify(manifest({ reference: [] })), 'D.reference is not a descriptor'],
    [JSON.stringify(manifest({ mediaType: 1 })), 'D.mediaType is no media type'],
    [JSON.stringify(manifest({ mediaType: 'a'.repeat(256) })), 'D.mediaType is no media type'],
    [JSON.stringify(manifest({ annotations: [] })), 'D.annotations is no map'],
    [JSON.stringify(manifest({ annotations: { a: 1 } })), 'a value that is no text or too long'],
    [
      JSON.stringify(manifest({ annotations: { a: 'a'.repeat(256 * 1024 + 1) } })),
      'a value that is no text or too long',
    ],
    [
      JSON.stringify(
        manifest({ annotations: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [String(i), ''])) }),
      ),
      'D.annotations has more than 256 entries',
    ],
  ])('refuses %.60s', (text, message) => {
    expect(() => parseDocument(new TextEncoder().encode(text), undefined, 'D')).toThrow(
      refusal('ManifestInvalid', message),
    );
  });

  it.each([undefined, null, -1, 1.5, '1', 2 ** 53, {}])('T12 refuses the size %s', (size) => {
    expect(() => parse(manifest({ layers: [descriptor('a', { size })] }))).toThrow(
      refusal('ManifestInvalid', 'D.layers[0].size is no byte count'),
    );
  });

  it('T12 refuses a size beyond what numbers hold', () => {
    const text = JSON.stringify(manifest()).replace('"size":5', '"size":1e400');
    expect(text).toContain('1e400');
    expect(() => parseDocument(new TextEncoder().encode(text), undefined, 'D')).toThrow(
      refusal('ManifestInvalid', 'D.layers[0].size is no byte count'),
    );
  });

  it.each([
    ['md5:5d41402abc4b2a76b9719d911017c592', 'is not sha256 or sha512'],
    ['sha256:00', 'is malformed'],
    ['', 'is not sha256 or sha512'],
  ])('T14 refuses the digest %s', (digest, message) => {
    expect(() => parse(manifest({ layers: [descriptor('a', { digest })] }))).toThrow(
      refusal('DigestUnsupported', message),
    );
  });

  it('T14 refuses a missing digest and takes sha512', () => {
    expect(() => parse(index({ manifests: [child('a', { digest: undefined })] }))).toThrow(
      refusal('ManifestInvalid', 'D.manifests[0].digest is missing'),
    );
    const digest = computeDigest(new Uint8Array(), 'sha512');
    expect(parse(index({ manifests: [child('a', { digest })] }))).toMatchObject({ manifests: [{ digest }] });
  });

  it('T11 refuses more entries than are looked at', () => {
    const entries = (count: number): unknown[] => Array.from({ length: count }, () => child('a'));
    expect(parse(index({ manifests: entries(maxManifestEntries) }))).toHaveProperty(
      'manifests.length',
      10_000,
    );
    expect(() => parse(index({ manifests: entries(maxManifestEntries + 1) }))).toThrow(
      refusal('ManifestInvalid', 'D.manifests has more than 10000 entries'),
    );
  });
});

describe('isRunnableChild', () => {
  const runnable = (fields: Fields): boolean => {
    const document = parse(index({ manifests: [child('a', fields)] }));
    return document.kind === 'index' && document.manifests.every(isRunnableChild);
  };

  it.each<[string, Fields]>([
    ['a manifest of a platform', {}],
    ['a Docker manifest', { mediaType: dockerManifest }],
    ['a nested index', { mediaType: ociIndex }],
    ['a manifest without a platform', { platform: undefined }],
  ])('T13 takes %s', (_, fields) => {
    expect(runnable(fields)).toBe(true);
  });

  it.each<[string, Fields]>([
    ['an attestation', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }],
    ['an attestation of a platform that exists', { annotations: { 'vnd.docker.reference.type': '' } }],
    ['an unknown platform', { platform: { os: 'unknown', architecture: 'unknown' } }],
    ['an unknown architecture', { platform: { os: 'linux', architecture: 'unknown' } }],
    ['an unknown architecture of no system', { platform: { architecture: 'unknown' } }],
    ['an artifact', { artifactType: 'application/spdx+json' }],
    ['a layer', { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
  ])('T13 does not take %s for something that runs', (_, fields) => {
    expect(runnable(fields)).toBe(false);
  });
});

describe('parseDocument on anything', () => {
  const anyField = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(descriptor('x'), [descriptor('y')], [], {}),
  );
  const names = fc.constantFrom(
    'schemaVersion',
    'mediaType',
    'artifactType',
    'config',
    'layers',
    'blobs',
    'manifests',
    'subject',
    'reference',
    'annotations',
    'digest',
    'size',
    'Layers',
  );
  const distorted = fc
    .tuple(fc.constantFrom(manifest(), index()), fc.dictionary(names, anyField, { maxKeys: 4 }))
    .map(([document, fields]) => JSON.stringify({ ...document, ...fields }));
  const contentTypes = fc.constantFrom(
    undefined,
    ociManifest,
    ociIndex,
    dockerManifest,
    dockerManifestList,
    'text/html',
    ';',
    '',
  );

  it('T12 throws RefwardenError or gives a document whose every digest and size is sound', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(distorted, fc.json()), contentTypes, (text, contentType) => {
        try {
          const document = parseDocument(new TextEncoder().encode(text), contentType, 'D');
          accepted++;
          const entries =
            document.kind === 'index'
              ? document.manifests
              : [...(document.config === undefined ? [] : [document.config]), ...document.layers];
          for (const { digest, size } of entries) {
            expect(parseDigest(digest)).toBe(digest);
            expect(size).toBeGreaterThanOrEqual(0);
          }
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(RefwardenError);
          expect(['ManifestInvalid', 'ManifestAmbiguous', 'DigestUnsupported']).toContain(
            (error as RefwardenError).code,
          );
        }
      }),
      { seed: 13, numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(1000);
  });

  it('T12 throws nothing else for bytes of any kind', () => {
    const good = new TextEncoder().encode(JSON.stringify(manifest()));
    const flipped = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => good.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(flipped, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          parseDocument(bytes, undefined, 'D');
        } catch (error) {
          expect(error).toBeInstanceOf(RefwardenError);
        }
      }),
      { seed: 13, numRuns: 3000 },
    );
  });
});
