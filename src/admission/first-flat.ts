/** As `flatMap(...).slice(0, max)`, without looking at what is not shown: a verdict may have a hundred thousand checks. */
export function firstFlat<Item, Result>(
  items: Iterable<Item>,
  results: (item: Item) => readonly Result[],
  max: number,
): Result[] {
  const first: Result[] = [];
  for (const item of items) {
    for (const result of results(item)) {
      if (first.length >= max) return first;
      first.push(result);
    }
  }
  return first;
}
