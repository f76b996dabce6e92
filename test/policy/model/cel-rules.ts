import type { CelRule } from '../../../src/policy/model/rules.ts';

type Predicate = (text: string) => boolean;

/** What the API server makes of rules over a text, as far as these consist of the terms below, joined by `||`. */
export function celRules(rules: readonly CelRule[]): Predicate {
  const parsed = rules.map(({ rule }) => rule.split(' || ').map(parseTerm));
  return (text) => parsed.every((terms) => terms.some((holds) => holds(text)));
}

function parseTerm(term: string): Predicate {
  const [, equal] = /^self == '(.*)'$/.exec(term) ?? [];
  if (equal !== undefined) return (text) => text === equal;
  const [, not, name, value] = /^(!?)self\.(matches|startsWith)\('(.*)'\)$/.exec(term) ?? [];
  if (value === undefined) throw new Error(`not understood: ${term}`);
  const expected = not !== '!';
  if (name === 'startsWith') return (text) => text.startsWith(value) === expected;
  const regex = new RegExp(value.replaceAll('\\\\', '\\'));
  return (text) => regex.test(text) === expected;
}
