import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { matchesDigestInTurns } from '../image/bytes-in-turns.ts';
import type { Digest } from '../image/digest.ts';
import { errorCode } from './cache-directory.ts';

/** Bytes that hash to a digest, with the media type that the registry stated. */
export interface StoredContent {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/** Two lines of text, then the bytes: the format, and the media type or nothing. */
const format = 'refwarden content 1';
const maxHeaderBytes = 512;
const mediaType = /^[a-z0-9!#$&^_.+/-]{0,255}$/;
const privateMode = 0o600;
/** Neither a link nor a pipe is waited for or followed. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Ends the name of what is not whole yet. */
export const unfinishedSuffix = '.tmp';

/**
 * Reads a file and proves it against the digest; it then counts as used now.
 * @returns `absent`, or `spoilt` for what is not the content in our form: altered, cut short, a link, somebody else's.
 */
export async function readContentFile(
  path: string,
  digest: Digest,
  maxBytes: number,
): Promise<StoredContent | 'absent' | 'spoilt'> {
  let file: FileHandle;
  try {
    file = await open(path, readFlags);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT') return 'absent';
    if (code === 'ELOOP') return 'spoilt';
    throw cause;
  }
  await using opened = file;
  const { size, nlink, uid, ...kind } = await opened.stat().then((found) => ({
    size: found.size,
    nlink: found.nlink,
    uid: found.uid,
    isFile: found.isFile(),
  }));
  if (!kind.isFile || nlink !== 1 || uid !== (process.getuid?.() ?? uid)) return 'spoilt';
  if (size > maxBytes + maxHeaderBytes) return 'absent';
  const content = decode(await readUpTo(opened, size));
  if (content === undefined || !(await matchesDigestInTurns(content.bytes, digest))) return 'spoilt';
  const now = new Date();
  await opened.utimes(now, now);
  return content;
}

/** Writes beside and renames: a reader sees a whole file or none. */
export async function writeContentFile(path: string, content: StoredContent): Promise<void> {
  const unfinished = `${path}.${randomUUID()}${unfinishedSuffix}`;
  try {
    {
      await using file = await open(unfinished, 'wx', privateMode);
      await file.writeFile(header(content));
      await file.writeFile(content.bytes);
    }
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw cause;
  }
}

/** A media type outside of the grammar is not written: it could be read back as something else. */
export const isStorable = ({ contentType = '' }: StoredContent): boolean => mediaType.test(contentType);

const header = ({ contentType = '' }: StoredContent): string => `${format}\n${contentType}\n`;

function decode(text: Buffer): StoredContent | undefined {
  const start = `${format}\n`;
  if (text.subarray(0, start.length).toString('latin1') !== start) return undefined;
  const end = text.subarray(0, maxHeaderBytes).indexOf('\n', start.length);
  if (end === -1) return undefined;
  const contentType = text.subarray(start.length, end).toString('latin1');
  if (!mediaType.test(contentType)) return undefined;
  return { bytes: text.subarray(end + 1), contentType: contentType === '' ? undefined : contentType };
}

async function readUpTo(file: FileHandle, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
