import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { openDiskCache } from '../../src/registry/disk-cache.ts';
import type { DiskCache, DiskCacheOptions } from '../../src/registry/disk-cache.ts';
import { accessOf, account, expectFailure } from './registry-access.ts';
import { app, blobOf, setUp, startClient } from './start-client.ts';

const miB = 1024 * 1024;
const text = (value: string): Uint8Array => Buffer.from(value);
const faults: unknown[] = [];

async function temporary(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'refwarden-cache-')));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function open(directory: string, options: Partial<DiskCacheOptions> = {}): Promise<DiskCache> {
  const disk = await openDiskCache({
    directory,
    maxBytes: miB,
    onFault: (cause) => faults.push(cause),
    ...options,
  });
  onTestFinished(() => disk.close());
  return disk;
}

const contentOf = (directory: string): string => join(directory, 'content-v1');
/** Paths of what is kept. */
const kept = async (directory: string): Promise<string[]> =>
  (await readdir(contentOf(directory))).map((name) => join(contentOf(directory), name));

/** Keeps one text, and returns the path of its file. */
async function keep(directory: string, value: string): Promise<string> {
  const disk = await open(directory);
  const before = await kept(directory);
  disk.write(value, { bytes: text(value), contentType: undefined });
  await disk.close();
  return (await kept(directory)).find((path) => !before.includes(path)) ?? '';
}

const find = (disk: DiskCache, value: string, maxBytes = 1_000): Promise<string | undefined> =>
  disk
    .read(value, computeDigest(text(value)), maxBytes)
    .then((found) => (found === undefined ? undefined : Buffer.from(found.bytes).toString()));

describe('a cache directory', () => {
  it('answers after a restart without a request, manifests with their media type and layers', async () => {
    const directory = await temporary();
    const first = await open(directory);
    const { registry, client, paths } = await setUp({ disk: first });
    const layer = text('payload');
    registry.store.putBlob('shop/app', layer);
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    const fetched = await client.fetchManifest(subject, accessOf());
    await client.fetchBlob(subject, blobOf(layer), accessOf());
    await first.close();
    expect(paths()).toHaveLength(2);

    const second = await open(directory);
    await expect.poll(() => second.counts().entries).toBe(2);
    const restarted = startClient({ registries: [{ host: registry.host, plainHttp: true }], disk: second });
    const again = await restarted.fetchManifest(subject, accessOf());
    expect([Buffer.from(again.bytes), again.contentType]).toEqual([
      Buffer.from(fetched.bytes),
      app.mediaType,
    ]);
    expect(again.document()).toMatchObject({ kind: 'manifest' });
    expect(await restarted.fetchBlob(subject, blobOf(layer), accessOf())).toEqual(layer);
    expect(paths()).toHaveLength(2);
    expect(second.counts()).toMatchObject({ name: 'disk', hits: 2, misses: 0, entries: 2 });
    await expectFailure(
      startClient({ disk: second }).fetchBlob(subject, blobOf(layer, { size: 5 }), accessOf()),
      'SizeMismatch',
      /has not the 5 bytes that its descriptor states\.$/,
    );
  });

  it('T27 serves nothing to another scope or repository than that which fetched it', async () => {
    const disk = await open(await temporary());
    const { registry, client, paths } = await setUp({ disk });
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    await client.fetchManifest(subject, accessOf({ credentials: account('reader') }));
    await disk.close();
    registry.intercept((_, response) => {
      response.writeHead(401).end();
      return true;
    });
    const restarted = startClient({ registries: [{ host: registry.host, plainHttp: true }], disk });
    for (const credentials of [account('other'), accessOf().credentials]) {
      const refused = restarted.fetchManifest(subject, accessOf({ credentials }));
      await expectFailure(refused, 'RegistryUnauthorized', /\(401\)/);
    }
    const elsewhere = { ...subject, repository: 'shop/elsewhere' };
    const reader = accessOf({ credentials: account('reader') });
    await expectFailure(restarted.fetchManifest(elsewhere, reader), 'RegistryUnauthorized', /\(401\)/);
    const asked = paths().length;
    expect((await restarted.fetchManifest(subject, reader)).digest).toBe(app.digest);
    expect(paths()).toHaveLength(asked);
  });

  it('is private, and names nothing that it holds', async () => {
    const directory = join(await temporary(), 'made', 'here');
    const path = await keep(directory, 'ghcr.io/acme/app');
    const mode = async (of: string): Promise<string> => ((await lstat(of)).mode & 0o777).toString(8);
    expect([await mode(directory), await mode(contentOf(directory)), await mode(path)]).toEqual([
      '700',
      '700',
      '600',
    ]);
    expect(path).toMatch(/\/[0-9a-f]{64}$/);
  });

  it('is shared by processes', async () => {
    const directory = await temporary();
    const reader = await open(directory);
    expect(await find(reader, 'shared')).toBeUndefined();
    await keep(directory, 'shared');
    expect(await find(reader, 'shared')).toBe('shared');
  });

  it.each([
    ['altered', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from('X')])],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['longer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('!')])],
    ['empty', () => Buffer.alloc(0)],
    ['of another form', (bytes: Buffer) => Buffer.from(bytes.toString().replace('content 1', 'content 2'))],
    [
      'with a media type that is none',
      (bytes: Buffer) => Buffer.from(bytes.toString().replace('\n\n', '\n<\n')),
    ],
  ])('T12 deletes a file that is %s, and takes it for nothing', async (_, alter) => {
    const directory = await temporary();
    const path = await keep(directory, 'value');
    await writeFile(path, alter(await readFile(path)));
    const disk = await open(directory);
    expect(await find(disk, 'value')).toBeUndefined();
    expect([disk.counts().misses, disk.faults()]).toEqual([1, { spoilt: 1, failed: 0 }]);
    expect(await kept(directory)).toEqual([]);
  });

  it('T12 follows no link out of it, reading and writing', async () => {
    const directory = await temporary();
    const outside = join(await temporary(), 'outside');
    const path = await keep(directory, 'value');
    const form = await readFile(path);
    for (const plant of [symlink, link]) {
      await writeFile(outside, form);
      await rm(path, { force: true });
      await plant(outside, path);
      const disk = await open(directory);
      expect(await find(disk, 'value')).toBeUndefined();
      expect(disk.faults()).toEqual({ spoilt: 1, failed: 0 });
      expect(await kept(directory)).toEqual([]);
      await plant(outside, path);
      disk.write('value', { bytes: text('value'), contentType: undefined });
      await disk.close();
      expect(await find(disk, 'value')).toBe('value');
      expect(await readFile(outside)).toEqual(form);
    }
  });

  it.runIf(process.getuid?.() === 0)('T12 believes no file of another user', async () => {
    const directory = await temporary();
    await chown(await keep(directory, 'value'), 4711, 4711);
    const disk = await open(directory);
    expect(await find(disk, 'value')).toBeUndefined();
    expect(disk.faults()).toEqual({ spoilt: 1, failed: 0 });
  });

  it('T11 reads nothing larger than was asked for', async () => {
    const directory = await temporary();
    await keep(directory, 'v'.repeat(2_000));
    const disk = await open(directory);
    expect(await find(disk, 'v'.repeat(2_000), 100)).toBeUndefined();
    expect(await find(disk, 'v'.repeat(2_000), 2_000)).toHaveLength(2_000);
  });

  it('does not keep a media type that is none', async () => {
    const directory = await temporary();
    const disk = await open(directory);
    disk.write('value', { bytes: text('value'), contentType: 'a\nb' });
    await disk.close();
    expect(await kept(directory)).toEqual([]);
  });

  it('T11 stays below its bound: what was used longest ago goes first', async () => {
    const directory = await temporary();
    const names = Array.from({ length: 10 }, (_, i) => `value ${i}`);
    for (const [i, name] of names.entries()) {
      const path = await keep(directory, name);
      await utimes(path, 1_000 + i, 1_000 + i);
    }
    const stranger = join(contentOf(directory), 'not ours');
    await writeFile(stranger, 'x'.repeat(100_000));
    const abandoned = join(contentOf(directory), `${'a'.repeat(64)}.0.tmp`);
    await writeFile(abandoned, 'half');
    await utimes(abandoned, 1_000, 1_000);
    const reader = await open(directory);
    expect(await find(reader, 'value 0')).toBe('value 0'); // used now
    const disk = await open(directory, { maxBytes: 10 * 4096 });
    disk.write('new', { bytes: text('new'), contentType: undefined });
    await disk.close();
    // Down to nine blocks of the ten.
    const left = await Promise.all([...names, 'new'].map((name) => find(disk, name)));
    expect(left.map((value) => value !== undefined)).toEqual([
      true,
      false,
      false,
      ...Array<boolean>(8).fill(true),
    ]);
    expect(disk.counts()).toMatchObject({ evictions: 2, entries: 9, bytes: 9 * 4096 });
    expect((await kept(directory)).includes(stranger)).toBe(true);
    expect((await kept(directory)).includes(abandoned)).toBe(false);
  });

  it('keeps nothing that is larger than all of it', async () => {
    const directory = await temporary();
    const disk = await open(directory, { maxBytes: 4096 });
    disk.write('large', { bytes: new Uint8Array(5_000), contentType: undefined });
    await disk.close();
    expect(await kept(directory)).toEqual([]);
  });

  it('T28 that vanished fails no request: told once, counted each time', async () => {
    const directory = await temporary();
    const told: unknown[] = [];
    const disk = await open(directory, { onFault: (cause) => told.push(cause) });
    await disk.close();
    await rm(contentOf(directory), { recursive: true });
    await writeFile(contentOf(directory), 'a file where the directory was');
    const { registry, client } = await setUp({ disk });
    const subject = { registry: registry.host, repository: 'shop/app', digest: app.digest };
    expect((await client.fetchManifest(subject, accessOf())).digest).toBe(app.digest);
    await disk.close();
    expect(disk.faults()).toEqual({ spoilt: 0, failed: 2 });
    expect(told).toMatchObject([{ code: 'ENOTDIR' }]);
  });
});

describe('openDiskCache', () => {
  const refused = async (directory: string, why: string): Promise<void> => {
    await expectFailure(
      open(directory),
      'ConfigurationInvalid',
      `The cache directory ${directory} cannot be used: ${why}.`,
    );
  };

  it('refuses what is no directory', async () => {
    const path = join(await temporary(), 'file');
    await writeFile(path, '');
    await refused(path, 'it is no directory');
    await refused(join(path, 'below'), 'it is no directory, or a symbolic link stands in it');
  });

  it('refuses a link in place of its own directory', async () => {
    const directory = await temporary();
    await symlink(await temporary(), contentOf(directory));
    await refused(directory, 'it is no directory, or a symbolic link stands in it');
  });

  it('takes away what a volume gave to its group', async () => {
    const directory = await temporary();
    await mkdir(contentOf(directory));
    await chmod(contentOf(directory), 0o770);
    await open(directory);
    expect((await lstat(contentOf(directory))).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.getuid?.() === 0)(
    'refuses the directory of another user, also within its own',
    async () => {
      const directory = await temporary();
      await mkdir(contentOf(directory));
      await chown(contentOf(directory), 4711, 4711);
      await refused(directory, 'content-v1 in it belongs to another user (4711)');
      await chown(directory, 4711, 4711);
      await refused(directory, 'it belongs to another user (4711)');
    },
  );

  it.runIf(process.getuid?.() !== 0)('refuses a directory that others may write to, or nobody', async () => {
    const directory = await temporary();
    await chmod(directory, 0o777);
    await refused(directory, 'other users may write to it; take that away with chmod go-w');
    await chmod(directory, 0o500);
    await refused(directory, 'it may not be written to');
    await chmod(directory, 0o700);
  });
});
