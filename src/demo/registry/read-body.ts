import type { IncomingMessage } from 'node:http';
import { RefwardenError } from '../../failures/failure.ts';

/** Reads a whole body. @throws RefwardenError `ArtifactTooLarge` as soon as it overruns. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes)
      throw new RefwardenError('ArtifactTooLarge', `The body is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
