import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manifest } from '../demo/registry/documents.ts';
import { outline } from '../referrers/start-source.ts';
import { expectFailure } from '../registry/registry-access.ts';
import { blobPath, bundle, open, plainLayout, temporaryDirectory, writeDirectory } from './sample-layout.ts';

const app = manifest('app');
const signature = bundle(app);

const write = (): Promise<string> => writeDirectory(plainLayout(app, signature));

/** The blob of the signature, replaced by something else. */
async function replaceBlob(replace: (path: string, original: string) => Promise<void>): Promise<string> {
  const directory = await write();
  const path = join(directory, blobPath(signature.digest));
  const original = join(await temporaryDirectory(), 'original');
  await rename(path, original);
  await replace(path, original);
  return directory;
}

describe('a directory with what is no plain file', () => {
  it('T28 a link is not followed, even to what would be right: what it leads to stays open', async () => {
    const directory = await replaceBlob((path, original) => symlink(original, path));
    const { discover } = await open(directory);
    const events = await discover(app.digest);
    expect(outline(events)).toEqual(['incomplete LayoutUnreadable']);
    expect(events[0]).toMatchObject({
      failures: [{ message: `${directory}: ${blobPath(signature.digest)} cannot be read: it is a link.` }],
    });
  });

  it.each([
    ['a pipe', (path: string) => Promise.resolve(void execFileSync('mkfifo', [path]))],
    ['a directory', (path: string) => mkdir(path).then(() => undefined)],
    [
      'a socket',
      (path: string) =>
        new Promise<void>((resolve) => {
          const server = createServer().listen(path, resolve);
          onTestFinished(() => void server.close());
        }),
    ],
  ])('T28 %s is neither waited for nor read', async (_, make) => {
    const directory = await writeDirectory(plainLayout(app));
    const shared = join(directory, 'index.json');
    await rm(shared);
    await make(shared);
    await expectFailure(
      open(directory),
      'LayoutUnreadable',
      /: index\.json cannot be read: it is no regular file\.$/,
    );
  });

  it.each(['blobs', 'blobs/sha256'])('a link in place of %s leads nowhere', async (name) => {
    const directory = await write();
    const elsewhere = join(await temporaryDirectory(), 'blobs');
    await rename(join(directory, name), elsewhere);
    await symlink(elsewhere, join(directory, name));
    const { discover } = await open(directory);
    expect(outline(await discover(app.digest))).toEqual(['incomplete LayoutUnreadable']);
  });

  it('a link to the directory itself is the word of the user', async () => {
    const directory = await write();
    const link = join(await temporaryDirectory(), 'link');
    await symlink(directory, link);
    const { discover } = await open(link);
    expect(outline(await discover(app.digest))).toEqual([`candidate Layout ${signature.digest}`, 'complete']);
  });

  it('T12 a blob that changes after the layout was opened is not believed', async () => {
    const directory = await write();
    const { discover } = await open(directory);
    await writeFile(join(directory, blobPath(signature.digest)), 'something else');
    expect(outline(await discover(app.digest))).toEqual(['unusable Layout DigestMismatch', 'complete']);
  });
});

describe('a path', () => {
  it('that does not exist, or is neither a directory nor a tar, is no layout', async () => {
    const directory = await temporaryDirectory();
    const path = (name: string): string => join(directory, name);
    await expectFailure(
      open(path('gone')),
      'LayoutInvalid',
      `${path('gone')} is no OCI image layout: it does not exist.`,
    );
    execFileSync('mkfifo', [path('pipe')]);
    await expectFailure(open(path('pipe')), 'LayoutInvalid', /it is neither a directory nor a tar file\.$/);
    await writeFile(path('empty'), '');
    await expectFailure(open(path('empty')), 'LayoutInvalid', /the file is empty\.$/);
    await writeFile(path('text'), 'no tar at all');
    await expectFailure(open(path('text')), 'LayoutInvalid', /the tar is cut short\.$/);
    await writeFile(path('gz'), Buffer.from('1f8b0800', 'hex'));
    await expectFailure(
      open(path('gz')),
      'LayoutInvalid',
      /it is compressed: unpack it to a plain tar first/,
    );
  });
});
