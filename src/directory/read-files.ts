import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { RefwardenError } from '../failures/failure.ts';
import { directoryLimits } from './limits.ts';

/** Bytes of a file, or why it cannot be read. */
export type FileBytes = Buffer | RefwardenError;

const extensions: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

/**
 * The policy files of a directory in the order of their names: `*.yaml`, `*.yml` and `*.json` that are not hidden,
 * not those of subdirectories. Links are followed: a mounted ConfigMap consists of them.
 * @throws RefwardenError `ConfigurationInvalid` when the directory cannot be read or holds too much.
 */
export async function readPolicyFiles(path: string): Promise<Map<string, FileBytes>> {
  const names = await listDirectory(path);
  const selected = names.filter((name) => !name.startsWith('.') && extensions.has(extname(name))).sort();
  if (selected.length === 0) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The policy directory ${path} has no *.yaml, *.yml or *.json file: put policies there, or name another directory.`,
    );
  }
  if (selected.length > directoryLimits.maxFiles) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The policy directory ${path} has ${selected.length} policy files, more than ${directoryLimits.maxFiles}: put several policies in one file.`,
    );
  }
  const files = new Map<string, FileBytes>();
  let totalBytes = 0;
  for (const name of selected) {
    const bytes = await readBounded(join(path, name), name);
    if (Buffer.isBuffer(bytes)) totalBytes += bytes.length;
    if (totalBytes > directoryLimits.maxTotalBytes) {
      throw new RefwardenError(
        'ConfigurationInvalid',
        `The policy directory ${path} holds more than ${directoryLimits.maxTotalBytes} bytes of policy files.`,
      );
    }
    files.set(name, bytes);
  }
  return files;
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The policy directory ${path} cannot be read: ${reason(cause)}.`,
      cause,
    );
  }
}

async function readBounded(path: string, name: string): Promise<FileBytes> {
  try {
    const { size, isFile } = await stat(path).then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
    if (!isFile) {
      return new RefwardenError(
        'ConfigurationInvalid',
        `${name}: is not a regular file: rename or remove it.`,
      );
    }
    const bytes = size > directoryLimits.maxFileBytes ? undefined : await readFile(path);
    if (bytes !== undefined && bytes.length <= directoryLimits.maxFileBytes) return bytes;
    return new RefwardenError(
      'ConfigurationInvalid',
      `${name}: is larger than ${directoryLimits.maxFileBytes} bytes: split it.`,
    );
  } catch (cause) {
    return new RefwardenError('ConfigurationInvalid', `${name}: cannot be read: ${reason(cause)}.`, cause);
  }
}

/** What to look at, for the usual causes; the rest by its code. */
function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'it does not exist, check the path';
    case 'ENOTDIR':
      return 'it is not a directory, name the directory that holds the policy files';
    case 'EACCES':
    case 'EPERM':
      return 'permission is denied, make it readable for the user of this process';
    default:
      return typeof code === 'string' ? code : 'an unknown error';
  }
}
