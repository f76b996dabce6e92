/** Yields results in the order in which they come; whoever stops early leaves the rest to itself. */
export async function* asTheyArrive<T>(work: readonly Promise<T>[]): AsyncGenerator<T> {
  const pending = new Map(
    work.map((promise, index) => [index, promise.then((value) => ({ index, value }))] as const),
  );
  // Of those that nobody waits for any more.
  for (const promise of pending.values()) promise.catch(() => undefined);
  while (pending.size > 0) {
    const { index, value } = await Promise.race(pending.values());
    pending.delete(index);
    yield value;
  }
}
