import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** Bytes of large artifacts that the whole process may hold at once. */
const maxHeldArtifactBytes = 256 * 1024 * 1024;
/** Artifacts up to this size never wait, so that no flood of large ones stands in the way of a signature. */
export const freeArtifactBytes = 512 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/** Lets large artifacts in as far as there is room, in the order of their asking. */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #waiting: Waiting[] = [];
  #heldBytes = 0;

  constructor(maxBytes = maxHeldArtifactBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @param bytes as the manifest states them; fetching holds each layer to its size.
   * @returns gives the room back; call it once.
   * @throws RefwardenError `DeadlineExceeded` when the signal ends the wait.
   */
  async reserve(bytes: number, signal: AbortSignal): Promise<() => void> {
    if (bytes <= freeArtifactBytes) return () => undefined;
    // Larger than the whole budget goes alone: its own bound is not this one's matter.
    const charged = Math.min(bytes, this.#maxBytes);
    if (this.#waiting.length > 0 || this.#heldBytes + charged > this.#maxBytes)
      await this.#wait(charged, signal);
    else this.#heldBytes += charged;
    return () => {
      this.#heldBytes -= charged;
      this.#admitNext();
    };
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(entry);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
      this.#admitNext();
    };
    const entry: Waiting = {
      bytes,
      admit: () => {
        signal.removeEventListener('abort', leave);
        resolve(undefined);
      },
    };
    this.#waiting.push(entry);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    return promise;
  }

  #admitNext(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#heldBytes + next.bytes > this.#maxBytes) return;
      this.#waiting.shift();
      this.#heldBytes += next.bytes;
      next.admit();
    }
  }
}
