import { open } from 'node:fs/promises';
import { RefwardenError } from '../failures/failure.ts';

/**
 * A file of the operator.
 * @param what starts the message: `The registry settings FILE`.
 * @throws RefwardenError `ConfigurationInvalid` when it cannot be read or is larger than that.
 */
export async function readBounded(path: string, maxBytes: number, what: string): Promise<Buffer> {
  const refuse = (why: string, cause?: unknown): RefwardenError =>
    new RefwardenError('ConfigurationInvalid', `${what} cannot be read: ${why}.`, cause);
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile()) throw refuse('it is no regular file');
    if (stats.size > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error';
    throw refuse(code === 'ENOENT' ? 'it does not exist' : code, cause);
  }
}
