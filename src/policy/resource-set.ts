import { toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Resource } from './model/resource.ts';

/**
 * The resources that a source last read, by where each came from. A version that does not parse never drops
 * out: the last good one stays in force, and without one the set is not usable and says why.
 */
export class ResourceSet {
  readonly #entries = new Map<string, { good?: readonly Resource[]; failure?: Failure }>();

  /**
   * @param origin a file or an object of the API server.
   * @param parse reads every resource of it, or throws; then nothing of it replaces what was good.
   */
  apply(origin: string, parse: () => readonly Resource[]): void {
    const last = this.#entries.get(origin)?.good;
    try {
      this.#entries.set(origin, { good: parse() });
    } catch (error) {
      this.#entries.set(origin, { ...(last === undefined ? {} : { good: last }), failure: toFailure(error) });
    }
  }

  remove(origin: string): void {
    this.#entries.delete(origin);
  }

  origins(): string[] {
    return [...this.#entries.keys()];
  }

  resources(): readonly Resource[] {
    return [...this.#entries.values()].flatMap(({ good }) => good ?? []);
  }

  /** Origins whose newest version does not parse, an older one being in force. */
  stale(): readonly { origin: string; failure: Failure }[] {
    return this.#failures(({ good }) => good !== undefined);
  }

  /** Origins of which no version ever parsed: as long as there are any, nobody knows what policy asks. */
  unusable(): readonly { origin: string; failure: Failure }[] {
    return this.#failures(({ good }) => good === undefined);
  }

  #failures(
    keep: (entry: { good?: readonly Resource[] }) => boolean,
  ): { origin: string; failure: Failure }[] {
    return [...this.#entries].flatMap(([origin, entry]) =>
      entry.failure !== undefined && keep(entry) ? [{ origin, failure: entry.failure }] : [],
    );
  }
}
