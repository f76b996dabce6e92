import { LRUCache } from 'lru-cache';

/** What a cache did since the process began, and what it holds. Names are ours and few: they become metric labels. */
export interface CacheCounts {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
  /** Entries that had to make room for others. */
  readonly evictions: number;
  readonly entries: number;
  /** Undefined for a cache that is bounded by its entries. */
  readonly bytes: number | undefined;
}

export type CacheBound<V> =
  { readonly maxEntries: number } | { readonly maxBytes: number; readonly sizeOf: (value: V) => number };

/** A bounded cache, least recently used out first, that counts what it is asked. */
export class MeteredCache<V extends object | number | true> {
  readonly #name: string;
  readonly #entries: LRUCache<string, V>;
  readonly #isBoundedByBytes: boolean;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(name: string, bound: CacheBound<V>) {
    const dispose = (_value: V, _key: string, reason: LRUCache.DisposeReason): void => {
      if (reason === 'evict') this.#evictions++;
    };
    this.#name = name;
    this.#isBoundedByBytes = 'maxBytes' in bound;
    this.#entries =
      'maxBytes' in bound
        ? new LRUCache({ maxSize: bound.maxBytes, sizeCalculation: (value) => bound.sizeOf(value), dispose })
        : new LRUCache({ max: bound.maxEntries, dispose });
  }

  /**
   * The value, when there is one that can be used now; anything else counts as a miss.
   * @param isUsable whether it is still believed: how long depends on who asks.
   */
  read(key: string, isUsable: (value: V) => boolean = () => true): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined && isUsable(value)) {
      this.#hits++;
      return value;
    }
    this.#misses++;
    return undefined;
  }

  /** The value, used or not: neither counted nor moved. */
  peek(key: string): V | undefined {
    return this.#entries.peek(key);
  }

  /** What is larger than the whole cache is not kept, and takes a former value with it. */
  set(key: string, value: V): void {
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  counts(): CacheCounts {
    return {
      name: this.#name,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      entries: this.#entries.size,
      bytes: this.#isBoundedByBytes ? this.#entries.calculatedSize : undefined,
    };
  }
}
