/** A JSON text that keeps what JSON.parse loses: repeated keys, their spelling, and scalars as they are written. */
export type JsonTree =
  | { readonly entries: readonly JsonEntry[] }
  | { readonly items: readonly JsonTree[] }
  | { readonly raw: string };

/** A member of an object; the key is written as it stands in the text, with its quotes. */
export type JsonEntry = readonly [rawKey: string, value: JsonTree];

/** @throws SyntaxError for what JSON.parse refuses. */
export function parseTree(text: string): JsonTree {
  JSON.parse(text);
  // Valid from here on, so that strings, punctuation and other scalars are all there is.
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let at = 0;
  const read = (): JsonTree => {
    const token = tokens[at++] ?? '';
    if (token === '{') {
      const entries: JsonEntry[] = [];
      while (tokens[at] !== '}') {
        if (tokens[at] === ',') at++;
        const key = tokens[at] ?? '';
        at += 2;
        entries.push([key, read()]);
      }
      at++;
      return { entries };
    }
    if (token === '[') {
      const items: JsonTree[] = [];
      while (tokens[at] !== ']') {
        if (tokens[at] === ',') at++;
        items.push(read());
      }
      at++;
      return { items };
    }
    return { raw: token };
  };
  return read();
}

export function printTree(tree: JsonTree): string {
  if ('entries' in tree)
    return `{${tree.entries.map(([key, value]) => `${key}:${printTree(value)}`).join(',')}}`;
  if ('items' in tree) return `[${tree.items.map(printTree).join(',')}]`;
  return tree.raw;
}

export const keyOf = ([rawKey]: JsonEntry): string => JSON.parse(rawKey) as string;

export function sizeOf(tree: JsonTree): number {
  const children =
    'entries' in tree ? tree.entries.map(([, value]) => value) : 'items' in tree ? tree.items : [];
  return children.reduce((sum, child) => sum + sizeOf(child), 1);
}
