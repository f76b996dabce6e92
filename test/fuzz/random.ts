/** Pseudo-random choices that a seed repeats (mulberry32). */
export interface Random {
  /** From 0 up to but not including the bound. */
  below(bound: number): number;
  /** @throws RangeError for an empty list. */
  pick<T>(from: readonly T[]): T;
  /** True once in so many times, on average. */
  oneIn(times: number): boolean;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
  return {
    below,
    pick<T>(from: readonly T[]): T {
      const index = below(from.length);
      if (index >= from.length) throw new RangeError('nothing to pick from');
      return from[index] as T;
    },
    oneIn: (times) => below(times) === 0,
  };
}
