import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';
import { FairPlaces } from './fair-places.ts';

/** Bytes of large artifacts that the whole process may hold at once, half of them of one tenant alone. */
const maxHeldArtifactBytes = 256 * 1024 * 1024;
/** Artifacts up to this size never wait, so that no flood of large ones stands in the way of a signature. */
export const freeArtifactBytes = 512 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly tenant: string;
  readonly admit: (release: () => void) => void;
}

/** Lets large artifacts in as far as there is room, in the order of their asking; a tenant that has much leaves room for others. */
export class ByteBudget {
  readonly #largestBytes: number;
  readonly #places: FairPlaces;
  readonly #waiting = new Set<Waiting>();

  constructor(maxBytes = maxHeldArtifactBytes) {
    this.#largestBytes = Math.floor(maxBytes / 2);
    this.#places = new FairPlaces(maxBytes);
  }

  /**
   * @param bytes as the manifest states them; fetching holds each layer to its size.
   * @param tenant on whose account they are held.
   * @returns gives the room back; call it once.
   * @throws RefwardenError `DeadlineExceeded` when the signal ends the wait.
   */
  async reserve(bytes: number, tenant: string, signal: AbortSignal): Promise<() => void> {
    if (bytes <= freeArtifactBytes) return () => undefined;
    // Larger than a tenant's part goes alone: its own bound is not this one's matter.
    const charged = Math.min(bytes, this.#largestBytes);
    const isQueued = this.#waiting.values().some((waiting) => waiting.tenant === tenant);
    const release =
      (isQueued ? undefined : this.#places.take(tenant, charged)) ??
      (await this.#wait(charged, tenant, signal));
    return () => {
      release();
      this.#admitWaiting();
    };
  }

  #wait(bytes: number, tenant: string, signal: AbortSignal): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const leave = (): void => {
      if (!this.#waiting.delete(entry)) return;
      reject(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
      this.#admitWaiting();
    };
    const entry: Waiting = {
      bytes,
      tenant,
      admit: (release) => {
        signal.removeEventListener('abort', leave);
        resolve(release);
      },
    };
    this.#waiting.add(entry);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    return promise;
  }

  /** In the order of asking, those of a tenant in theirs: what is large is not overtaken by its own tenant's small ones. */
  #admitWaiting(): void {
    const passedOver = new Set<string>();
    for (const entry of this.#waiting) {
      const release = passedOver.has(entry.tenant) ? undefined : this.#places.take(entry.tenant, entry.bytes);
      if (release === undefined) {
        passedOver.add(entry.tenant);
        continue;
      }
      this.#waiting.delete(entry);
      entry.admit(release);
    }
  }
}
