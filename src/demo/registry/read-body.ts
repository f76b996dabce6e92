import type { IncomingMessage } from 'node:http';
import { RefwardenError } from '../../failures/failure.ts';

/** Reads a whole body. @throws RefwardenError `ArtifactTooLarge` as soon as it overruns. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Destroying the request on the way out would take the connection along, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes)
      throw new RefwardenError('ArtifactTooLarge', `The body is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
