import type { Readable } from 'node:stream';
import { FairPlaces } from '../admission/fair-places.ts';
import { RefwardenError } from '../failures/failure.ts';

export interface BodyLimits {
  /** Largest body, bytes. */
  readonly maxBytes: number;
  /** Largest sum of all bodies that are being read or judged, bytes beyond the first 64 KiB of each; one address alone may have half. */
  readonly maxHeldBytes: number;
}

/** A body that is too large is still read to its end up to this multiple of the limit, so that its sender reads why. */
const discardFactor = 4;

/** The first bytes of each body, which are not counted: no flood of half-sent large ones keeps an ordinary review out. */
const freeBytes = 64 * 1024;

/** Bodies of requests, bounded each and together: many half-sent reviews must not exhaust memory. */
export class RequestBodies {
  readonly #limits: BodyLimits;
  readonly #held: FairPlaces;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#held = new FairPlaces(limits.maxHeldBytes);
  }

  /**
   * @param address of the sender.
   * @returns the bytes, held until `release` is called; a failed read is released here.
   * @throws RefwardenError `ReviewTooLarge`, `Overloaded`, or `ReviewInvalid` when the sender stopped halfway.
   */
  async read(stream: Readable, address: string): Promise<HeldBody> {
    const chunks: Buffer[] = [];
    const shares: (() => void)[] = [];
    let totalBytes = 0;
    let refusal: RefwardenError | undefined;
    const release = (): void => {
      for (const giveBack of shares.splice(0)) giveBack();
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
        } else {
          const counted = Math.min(chunk.length, Math.max(totalBytes - freeBytes, 0));
          const share = counted === 0 ? () => undefined : this.#held.take(address, counted);
          if (share === undefined) {
            refuse(new RefwardenError('Overloaded', 'Too many reviews are being read.'));
          } else {
            shares.push(share);
            chunks.push(chunk);
          }
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
