import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { openDirectoryFiles } from './directory-files.ts';
import { invalid, systemCode } from './layout-fault.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutLimits } from './limits.ts';
import { readAt } from './read-at.ts';
import { openTarFiles } from './tar-files.ts';

const gzipMagic = 0x1f8b;
const zstdMagic = 0x28b5;

/** @throws RefwardenError `LayoutInvalid` for what is neither directory nor tar, `LayoutTooLarge`. */
export async function openLayoutFiles(path: string, limits: LayoutLimits): Promise<LayoutFiles> {
  const file = await openAny(path);
  let isHandedOver = false;
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) return await openDirectoryFiles(path, limits);
    // A pipe cannot be read from where a blob stands.
    if (!stats.isFile()) throw invalid(path, 'it is neither a directory nor a tar file');
    const magic = await readAt(file, 0, 2);
    if (magic.length < 2) throw invalid(path, 'the file is empty');
    if ([gzipMagic, zstdMagic].includes(magic.readUInt16BE()))
      throw invalid(path, 'it is compressed: unpack it to a plain tar first (gunzip, zstd -d)');
    const files = await openTarFiles(file, path, limits);
    isHandedOver = true;
    return files;
  } finally {
    if (!isHandedOver) await file.close();
  }
}

/** The user named it, so that a link is followed here; a pipe is not waited for. */
async function openAny(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = systemCode(cause) ?? 'it cannot be opened';
    throw invalid(path, code === 'ENOENT' ? 'it does not exist' : code, cause);
  }
}
