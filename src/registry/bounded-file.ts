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
    const chunks: Buffer[] = [];
    // One byte more than is allowed tells that there is more; a size that is stated says nothing of a pipe.
    for await (const chunk of file.createReadStream({ end: maxBytes, autoClose: false })) {
      chunks.push(chunk as Buffer);
    }
    const bytes = Buffer.concat(chunks);
    if (bytes.byteLength > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`);
    return bytes;
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error';
    throw refuse(code === 'ENOENT' ? 'it does not exist' : code, cause);
  }
}
