import { constants } from 'node:fs';
import { mkdir, open, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RefwardenError } from '../failures/failure.ts';

/** What is kept stands in directories of our own, named for their format. */
export type CacheDirectoryName = 'content-v1' | 'tuf-v1';
const privateMode = 0o700;
const writableByOthers = 0o022;
const root = 0;

/**
 * Makes a cache directory ready.
 * @param path made when it is missing. It must be ours or root's, as volumes are: whoever owns it could put anything in
 *   our place.
 * @returns the directory of that name in it: ours, of mode 0700, no symbolic link.
 * @throws RefwardenError `ConfigurationInvalid`, saying what is wrong with it.
 */
export async function prepareCacheDirectory(path: string, name: CacheDirectoryName): Promise<string> {
  const refuse = (why: string, cause?: unknown): RefwardenError =>
    new RefwardenError('ConfigurationInvalid', `The cache directory ${path} cannot be used: ${why}.`, cause);
  try {
    await mkdir(path, { recursive: true, mode: privateMode });
    const home = await realpath(path);
    const { uid, mode } = await stat(home);
    const own = process.getuid?.() ?? uid;
    if (uid !== own && uid !== root) throw refuse(`it belongs to another user (${uid})`);
    if (uid === own && own !== root && (mode & writableByOthers) !== 0) {
      throw refuse('other users may write to it; take that away with chmod go-w');
    }
    const content = join(home, name);
    await mkdir(content, { mode: privateMode }).catch(unlessExists);
    await using directory = await open(
      content,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    const found = await directory.stat();
    if (found.uid !== own) throw refuse(`${name} in it belongs to another user (${found.uid})`);
    // Volumes are opened to their group each time that they are mounted.
    if ((found.mode & 0o777) !== privateMode) await directory.chmod(privateMode);
    await proveWritable(content);
    return content;
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    throw refuse(reason(cause), cause);
  }
}

async function proveWritable(directory: string): Promise<void> {
  const probe = join(directory, `probe-${process.pid}.tmp`);
  await rm(probe, { force: true });
  await using file = await open(probe, 'wx', 0o600);
  await file.write('x');
  await rm(probe);
}

function unlessExists(cause: unknown): void {
  if (errorCode(cause) !== 'EEXIST') throw cause;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'it may not be written to',
  EPERM: 'it may not be written to',
  EROFS: 'it is on a file system that is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'it is no directory',
  ENOTDIR: 'it is no directory, or a symbolic link stands in it',
  ELOOP: 'a symbolic link stands in it',
};

function reason(cause: unknown): string {
  const code = errorCode(cause) ?? 'unknown error';
  return reasons[code] ?? code;
}

export function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}
