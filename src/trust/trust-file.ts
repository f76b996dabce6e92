import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { failure, RefwardenError } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';

/** @throws RefwardenError `ConfigurationInvalid` when the directory is none: every issuer that names a file would fail. */
export function requireTrustDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new RefwardenError('ConfigurationInvalid', `The trust directory ${path} is no directory.`);
  }
}

/** Largest trust file read, in bytes; as large as a ConfigMap may be. */
export const maxTrustFileBytes = 1024 * 1024;
const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/;

/**
 * Text of a file directly in the trust directory. Symbolic links are followed: a mounted ConfigMap is made of them.
 * @param name without separators; it comes from a policy author.
 */
export function readTrustFile(directory: string, name: string): string | Failure {
  if (!namePattern.test(name)) {
    return failure(
      'TrustMaterialMissing',
      `Trust file ${JSON.stringify(name.slice(0, 100))} is no plain file name.`,
    );
  }
  let descriptor: number;
  try {
    // Non-blocking, or a named pipe would hold the process.
    descriptor = openSync(join(directory, name), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return failure('TrustMaterialMissing', `Trust file ${name} cannot be read from the trust directory.`);
  }
  try {
    const status = fstatSync(descriptor);
    const { size } = status;
    if (!status.isFile()) return failure('TrustMaterialMissing', `Trust file ${name} is no regular file.`);
    if (size > maxTrustFileBytes) {
      return failure('TrustMaterialInvalid', `Trust file ${name} is larger than ${maxTrustFileBytes} bytes.`);
    }
    const bytes = Buffer.alloc(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read)
      read = readSync(descriptor, bytes, length, size - length, length);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    return failure('TrustMaterialInvalid', `Trust file ${name} is not readable UTF-8 text.`);
  } finally {
    closeSync(descriptor);
  }
}
