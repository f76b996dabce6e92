import { constants } from 'node:fs';
import { open, opendir, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { fileTooLarge, overBound, systemCode, unreadable } from './layout-fault.ts';
import { layoutPath } from './layout-files.ts';
import type { LayoutFile, LayoutFiles } from './layout-files.ts';
import type { LayoutLimits } from './limits.ts';
import { readAt } from './read-at.ts';

/** Neither a link nor a pipe is followed or waited for. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const blobName = { sha256: /^[0-9a-f]{64}$/, sha512: /^[0-9a-f]{128}$/ } as const;
const algorithms = ['sha256', 'sha512'] as const;

/** A layout in a directory. The directory may be a link; nothing within it is followed. */
export async function openDirectoryFiles(path: string, limits: LayoutLimits): Promise<LayoutFiles> {
  const root = await realpath(path);
  return {
    path,
    read: async (file, maxBytes) => {
      try {
        await using opened = await openWithin(root, file, path);
        return opened === undefined ? undefined : await readBounded(opened, path, file, maxBytes);
      } catch (cause) {
        throw unreadable(path, layoutPath(file), cause);
      }
    },
    blobs: async () => {
      const found: Digest[] = [];
      for (const algorithm of algorithms) {
        for await (const name of namesIn(join(root, 'blobs', algorithm), path)) {
          if (!blobName[algorithm].test(name)) continue;
          if (found.length >= limits.maxBlobs) throw overBound(path, 'blobs', limits.maxBlobs);
          found.push(parseDigest(`${algorithm}:${name}`));
        }
      }
      return found;
    },
    close: () => Promise.resolve(),
  };
}

/** Undefined when there is no such file. */
async function openWithin(root: string, file: LayoutFile, path: string): Promise<FileHandle | undefined> {
  const place = join(root, layoutPath(file));
  const directory = dirname(place);
  try {
    // The last part is not followed by the flags; those before it are directories of the layout, or not its own.
    if ((await realpath(directory)) !== directory)
      throw unreadable(path, layoutPath(file), 'blobs is a link');
    return await open(place, readFlags);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw unreadable(path, layoutPath(file), 'it is a link');
    // What nobody listens at: a socket, or a pipe that was opened for writing.
    if (code === 'ENXIO') throw unreadable(path, layoutPath(file), 'it is no regular file');
    throw cause;
  }
}

async function readBounded(
  file: FileHandle,
  path: string,
  name: LayoutFile,
  maxBytes: number,
): Promise<Uint8Array> {
  const { size, isFile } = await file.stat().then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
  if (!isFile) throw unreadable(path, layoutPath(name), 'it is no regular file');
  if (size > maxBytes) throw fileTooLarge(path, name, maxBytes);
  return await readAt(file, 0, size);
}

async function* namesIn(directory: string, path: string): AsyncGenerator<string> {
  try {
    if ((await realpath(directory)) !== directory) throw unreadable(path, 'blobs', 'it is a link');
    for await (const { name } of await opendir(directory)) yield name;
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw unreadable(path, 'blobs', cause);
  }
}
