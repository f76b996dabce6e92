/**
 * Maps with at most `width` under way at once, so that one workload of many images does not fill every queue.
 * The results keep the order of the items; the first rejection rejects.
 */
export async function mapBounded<T, U>(
  items: readonly T[],
  width: number,
  map: (item: T) => Promise<U>,
): Promise<U[]> {
  const results = new Array<U>(items.length);
  const remaining = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of remaining) results[i] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
