const tokenPattern = /[()]|[^\s()]+/g;
const operators: ReadonlySet<string> = new Set(['AND', 'OR', 'and', 'or']);
const withOperators: ReadonlySet<string> = new Set(['WITH', 'with']);
/** What SPDX says where nothing is said. */
const saysNothing: ReadonlySet<string> = new Set(['', 'NONE', 'NOASSERTION']);

/**
 * The licences that a text names: the ids of an SPDX licence expression (SPDX 2.3, annex D), each by itself and without
 * its exception, so that `MIT AND AGPL-3.0-only` is found by whoever looks for the AGPL. Parentheses do not matter for
 * that. Any other text is one name, whole.
 */
export function licensesOf(text: string): readonly string[] {
  const whole = text.trim();
  const ids: string[] = [];
  let expected: 'id' | 'exception' | 'operator' = 'id';
  for (const [token] of whole.matchAll(tokenPattern)) {
    if (token === '(' || token === ')') continue;
    if (expected !== 'operator') {
      if (expected === 'id') ids.push(token);
      expected = 'operator';
    } else if (operators.has(token)) {
      expected = 'id';
    } else if (withOperators.has(token)) {
      expected = 'exception';
    } else {
      return [whole];
    }
  }
  return (expected === 'operator' ? ids : [whole]).filter((id) => !saysNothing.has(id));
}
