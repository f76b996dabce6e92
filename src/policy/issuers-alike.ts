import { createPublicKey } from 'node:crypto';
import { compileRe2, maxIdentityInstructions } from './re2.ts';
import type { IdentityRule, ResolvedIssuer, TextRule } from './resolved-issuer.ts';

/**
 * Whether somebody satisfies both, as far as it can be told: the same key, the same identity word for word, or one that a pattern of
 * the other matches. Of two different patterns nothing is said.
 */
export function issuersAlike(one: ResolvedIssuer, other: ResolvedIssuer): boolean {
  if (one.kind === 'key' && other.kind === 'key') return keyOf(one.pem) === keyOf(other.pem);
  if (one.kind === 'keyless' && other.kind === 'keyless') {
    return one.identities.some((rule) => other.identities.some((another) => rulesOverlap(rule, another)));
  }
  return (
    one.kind === 'notation' &&
    other.kind === 'notation' &&
    other.trustedIdentities.some((identity) => one.trustedIdentities.includes(identity))
  );
}

/** Every part that both name has to allow for the same text, and there has to be such a part. */
function rulesOverlap(one: IdentityRule, other: IdentityRule): boolean {
  if (one.issuer !== other.issuer) return false;
  const parts = partsOf(other);
  const shared = [...partsOf(one)].flatMap(([name, rule]) => {
    const another = parts.get(name);
    return another === undefined ? [] : [textsOverlap(rule, another)];
  });
  return shared.length > 0 && shared.every(Boolean);
}

const partsOf = ({ subject, extensions }: IdentityRule): ReadonlyMap<string, TextRule> =>
  new Map([
    ...(subject === undefined ? [] : [['subject', subject] as const]),
    ...extensions.map(({ name, rule }) => [name, rule] as const),
  ]);

function textsOverlap(one: TextRule, other: TextRule): boolean {
  if ('exact' in one) return 'exact' in other ? one.exact === other.exact : matches(other.pattern, one.exact);
  return 'exact' in other ? matches(one.pattern, other.exact) : one.pattern === other.pattern;
}

function matches(pattern: string, text: string): boolean {
  try {
    return compileRe2(pattern, maxIdentityInstructions).matches(text);
  } catch {
    return false;
  }
}

const keyOf = (pem: string): string => {
  try {
    return createPublicKey(pem).export({ format: 'der', type: 'spki' }).toString('base64');
  } catch {
    return pem;
  }
};
