import type { Readable } from 'node:stream';
import { RefwardenError } from '../failures/failure.ts';

export interface BodyLimits {
  /** Largest body, bytes. */
  readonly maxBytes: number;
  /** Largest sum of all bodies that are being read or judged, bytes. */
  readonly maxHeldBytes: number;
}

/** A body that is too large is still read to its end up to this multiple of the limit, so that its sender reads why. */
const discardFactor = 4;

/** Bodies of requests, bounded each and together: many half-sent reviews must not exhaust memory. */
export class RequestBodies {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /**
   * @returns the bytes, held until `release` is called; a failed read is released here.
   * @throws RefwardenError `ReviewTooLarge`, `Overloaded`, or `ReviewInvalid` when the sender stopped halfway.
   */
  async read(stream: Readable): Promise<HeldBody> {
    const chunks: Buffer[] = [];
    let heldBytes = 0;
    let totalBytes = 0;
    let refusal: RefwardenError | undefined;
    const release = (): void => {
      this.#heldBytes -= heldBytes;
      heldBytes = 0;
    };
    const refuse = (reason: RefwardenError): void => {
      refusal = reason;
      chunks.length = 0;
      release();
    };
    try {
      // Without destroyOnReturn the refusal could no longer be sent.
      for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        totalBytes += chunk.length;
        if (totalBytes > this.#limits.maxBytes * discardFactor) break;
        if (refusal !== undefined) continue;
        if (totalBytes > this.#limits.maxBytes) {
          refuse(
            new RefwardenError('ReviewTooLarge', `The body is larger than ${this.#limits.maxBytes} bytes.`),
          );
        } else if (this.#heldBytes + chunk.length > this.#limits.maxHeldBytes) {
          refuse(new RefwardenError('Overloaded', 'Too many reviews are being read.'));
        } else {
          this.#heldBytes += chunk.length;
          heldBytes += chunk.length;
          chunks.push(chunk);
        }
      }
    } catch (cause) {
      release();
      throw new RefwardenError('ReviewInvalid', 'The body ended before its time.', cause);
    }
    if (refusal !== undefined) throw refusal;
    return { bytes: Buffer.concat(chunks), release };
  }
}

export interface HeldBody {
  readonly bytes: Uint8Array;
  /** Gives the bytes back to the common limit; a second call does nothing. */
  release(): void;
}
