import type { FileHandle } from 'node:fs/promises';
import { parseDigest } from '../image/digest.ts';
import { fileTooLarge, overBound, unreadable } from './layout-fault.ts';
import { layoutPath } from './layout-files.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutLimits } from './limits.ts';
import { readAt } from './read-at.ts';
import { readTarEntries } from './tar-entries.ts';

const blobPath = /^blobs\/(sha256\/[0-9a-f]{64}|sha512\/[0-9a-f]{128})$/;

/** A layout in a tar: read where it stands, never unpacked. Closes the file that it was given. */
export async function openTarFiles(
  file: FileHandle,
  path: string,
  limits: LayoutLimits,
): Promise<LayoutFiles> {
  const entries = await readTarEntries(file, path, limits);
  return {
    path,
    read: async (name, maxBytes) => {
      const entry = entries.get(layoutPath(name));
      if (entry === undefined) return undefined;
      if (entry.size > maxBytes) throw fileTooLarge(path, name, maxBytes);
      try {
        return await readAt(file, entry.position, entry.size);
      } catch (cause) {
        throw unreadable(path, layoutPath(name), cause);
      }
    },
    blobs: () => {
      const named = [...entries.keys()].flatMap((name) => blobPath.exec(name)?.[1] ?? []);
      if (named.length > limits.maxBlobs) throw overBound(path, 'blobs', limits.maxBlobs);
      return Promise.resolve(named.map((name) => parseDigest(name.replace('/', ':'))));
    },
    close: () => file.close(),
  };
}
