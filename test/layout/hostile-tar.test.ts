import { describe, expect, it } from 'vitest';
import { index, manifest } from '../demo/registry/documents.ts';
import { outline } from '../referrers/start-source.ts';
import { expectFailure } from '../registry/registry-access.ts';
import { blobPath, bundle, open, plainLayout, writeTar } from './sample-layout.ts';
import { endOfTar, paxRecord, tarEntry, tarOf } from './sample-tar.ts';
import type { TarEntry } from './sample-tar.ts';

const app = manifest('app');
const signature = bundle(app);
const files = plainLayout(app, signature);
const blob = blobPath(signature.digest);
const found = [`candidate Layout ${signature.digest}`, 'complete'];
const withoutBlob = Object.fromEntries(Object.entries(files).filter(([name]) => name !== blob));

async function discoverIn(tar: Buffer): Promise<string[]> {
  const { discover } = await open(await writeTar(tar));
  return outline(await discover(app.digest));
}

const entries = (...list: TarEntry[]): Buffer => Buffer.concat(list.map(tarEntry));
/** The layout whose last blob is written in another way. */
const ending = (...parts: Buffer[]): Buffer =>
  Buffer.concat([tarOf(withoutBlob).subarray(0, -endOfTar.length), ...parts, endOfTar]);
const base256 = (bytes: number[]): Buffer =>
  Buffer.from([0x80, ...Array<number>(11 - bytes.length).fill(0), ...bytes]);
const body = signature.bytes;

describe('the ways in which tools write a tar', () => {
  it.each<[string, Buffer]>([
    [
      'with ./ before each path',
      tarOf(Object.fromEntries(Object.entries(files).map(([name, text]) => [`./${name}`, text]))),
    ],
    [
      'with directories and files of others',
      tarOf(
        files,
        { name: 'blobs/', type: '5' },
        { name: 'manifest.json', body: '[]' },
        { name: 'repositories', type: '2', link: '/etc/passwd' },
      ),
    ],
    [
      'with the path in pax records',
      ending(
        entries(
          { name: 'PaxHeaders/x', type: 'x', body: paxRecord('path', blob) + paxRecord('mtime', '1.5') },
          { name: 'short', body },
        ),
      ),
    ],
    [
      'with the size in pax records',
      ending(
        entries({ name: 'x', type: 'x', body: paxRecord('size', String(body.length)) }),
        tarEntry({ name: blob, body, size: 0 }),
      ),
    ],
    [
      'with a long name of GNU tar',
      ending(
        entries({ name: '././@LongLink', type: 'L', body: `${blob}\0` }, { name: blob.slice(0, 20), body }),
      ),
    ],
    [
      'with the path in two fields',
      ending(entries({ name: blob.slice('blobs/sha256/'.length), prefix: 'blobs/sha256', body })),
    ],
    [
      'with a long link of others',
      ending(
        entries(
          { name: 'l', type: 'K', body: 'elsewhere\0' },
          { name: 'other', type: '2' },
          { name: blob, body },
        ),
      ),
    ],
    [
      'with the size in base 256',
      ending(entries({ name: blob, body, size: base256([body.length >> 8, body.length & 255]) })),
    ],
    [
      'with global records that rename nothing',
      ending(entries({ name: 'g', type: 'g', body: paxRecord('comment', 'by hand') }, { name: blob, body })),
    ],
    ['with more after its end', Buffer.concat([tarOf(files), Buffer.from('whatever')])],
  ])('%s', async (_, tar) => {
    expect(await discoverIn(tar)).toEqual(found);
  });
});

describe('a tar that two readers would read as two layouts, or that lies', () => {
  it.each<[string, Buffer, RegExp]>([
    ['a file twice', tarOf(files, { name: 'index.json', body: '{}' }), /the tar has "index\.json" twice\.$/],
    [
      'a file twice in another spelling',
      tarOf(files, { name: './blobs/./../index.json', body: '{}' }),
      /the tar has the path/,
    ],
    [
      'a file twice with a doubled slash',
      tarOf(files, { name: blob.replace('/', '//'), body }),
      /the tar has "blobs\/sha256\/[0-9a-f]{64}" twice\.$/,
    ],
    [
      'a path that leads out',
      tarOf(files, { name: '../../etc/cron.d/x', body: 'x' }),
      /the tar has the path "\.\.\/\.\.\/etc\/cron\.d\/x"\.$/,
    ],
    [
      'a path from the root',
      tarOf(files, { name: '/index.json', body: '{}' }),
      /the tar has the path "\/index\.json"\.$/,
    ],
    [
      'a pax path that leads out',
      ending(
        entries(
          { name: 'x', type: 'x', body: paxRecord('path', 'blobs/../index.json') },
          { name: blob, body },
        ),
      ),
      /the tar has the path/,
    ],
    [
      'a symbolic link for a blob',
      ending(entries({ name: blob, type: '2', link: '/etc/passwd' })),
      /is a link or no file\.$/,
    ],
    [
      'a hard link for a blob',
      ending(entries({ name: blob, type: '1', link: 'index.json' })),
      /is a link or no file\.$/,
    ],
    [
      'a link for the blobs',
      tarOf(files, { name: 'blobs', type: '2', link: '/' }),
      /"blobs" is a link or no file\.$/,
    ],
    [
      'a device for the index',
      tarOf(files, { name: 'index.json', type: '3' }),
      /"index\.json" is a link or no file\.$/,
    ],
    ['a file with holes', ending(entries({ name: blob, type: 'S', body })), /is a link or no file\.$/],
    [
      'a file with holes, by pax records',
      ending(
        entries({ name: 'x', type: 'x', body: paxRecord('GNU.sparse.major', '1') }, { name: blob, body }),
      ),
      /an extended header of the tar cannot be read\.$/,
    ],
    [
      'pax records of a wrong length',
      ending(entries({ name: 'x', type: 'x', body: '99 path=a\n' }, { name: blob, body })),
      /an extended header of the tar cannot be read\.$/,
    ],
    [
      'a name for all entries',
      ending(entries({ name: 'g', type: 'g', body: paxRecord('path', 'a') }, { name: blob, body })),
      /the tar renames all of its entries\.$/,
    ],
    [
      'more headers than an entry has',
      ending(
        entries(...Array.from({ length: 4 }, () => ({ name: 'x', type: 'x', body: paxRecord('path', 'a') }))),
      ),
      /an entry of the tar has too many headers\.$/,
    ],
    [
      'a header for no entry',
      ending(entries({ name: 'x', type: 'x', body: paxRecord('path', 'a') })),
      /the tar ends after half an entry\.$/,
    ],
    [
      'T11 a size beyond its end',
      ending(entries({ name: blob, body, size: 0o7777777777 })),
      /the tar is cut short\.$/,
    ],
    [
      'T11 the largest size that can be told',
      ending(entries({ name: blob, body, size: base256([0x1f, 255, 255, 255, 255, 255, 255]) })),
      /the tar is cut short\.$/,
    ],
    [
      'T11 a size that no file has',
      ending(entries({ name: blob, body, size: base256(Array<number>(11).fill(255)) })),
      /a header of the tar states no size\.$/,
    ],
    [
      'T11 a negative size',
      ending(entries({ name: blob, body, size: Buffer.alloc(12, 0xff) })),
      /a header of the tar states no size\.$/,
    ],
    [
      'an empty block between entries',
      Buffer.concat([tarOf({}).subarray(0, 512), tarOf(files)]),
      /an empty block between its entries\.$/,
    ],
  ])('%s is refused', async (_, tar, message) => {
    await expectFailure(discoverIn(tar), 'LayoutInvalid', message);
  });

  it('a header that was altered does not match its checksum', async () => {
    const tar = tarOf(files);
    tar.write('x', 0);
    await expectFailure(
      discoverIn(tar),
      'LayoutInvalid',
      /a header of the tar does not match its checksum\.$/,
    );
  });

  it('T28 cut anywhere it is cut short, and never a layout with less in it', async () => {
    const tar = tarOf(files);
    const cuts = Array.from({ length: (tar.length - 512) / 256 }, (_, at) => (at + 1) * 256);
    for (const length of cuts) {
      await expectFailure(discoverIn(tar.subarray(0, length)), 'LayoutInvalid', /the tar is cut short\.$/);
    }
  });

  it('T11 has bounds on entries and headers', async () => {
    const path = await writeTar(tarOf(files, ...Array.from({ length: 20 }, () => ({ name: 'other' }))));
    await expectFailure(open(path, { maxTarEntries: 20 }), 'LayoutTooLarge', /has more than 20 entries\.$/);
    const long = ending(entries({ name: 'x', type: 'x', body: 'x'.repeat(2000) }));
    await expectFailure(
      open(await writeTar(long), { maxTarHeaderBytes: 1000 }),
      'LayoutTooLarge',
      /has more than 1000 bytes in a header of its tar\.$/,
    );
  });

  it('T12 with the bytes of another blob under a name is found out when it is read', async () => {
    expect(await discoverIn(ending(entries({ name: blob, body: index([app]).bytes })))).toEqual([
      'unusable Layout DigestMismatch',
      'complete',
    ]);
  });
});
