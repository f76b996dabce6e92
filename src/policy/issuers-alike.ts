import { createPublicKey } from 'node:crypto';
import type { RE2JS } from 're2js';
import { compileRe2, maxIdentityInstructions } from './re2.ts';
import type { IdentityRule, ResolvedIssuer, TextRule } from './resolved-issuer.ts';

/** A compiled pattern, by its text; undefined for what is none. */
type Patterns = Map<string, RE2JS | undefined>;

/**
 * The first that somebody satisfies who satisfies the issuer, too, as far as it can be told: the same key, the same identity word for
 * word, or one that a pattern of the other matches. Of two different patterns nothing is said. Pauses before each pair of identities.
 */
export function* findAlike(
  issuer: ResolvedIssuer,
  others: Iterable<ResolvedIssuer>,
): Generator<void, ResolvedIssuer | undefined> {
  const own: Patterns = new Map();
  for (const other of others) {
    yield;
    if (issuer.kind !== 'keyless' || other.kind !== 'keyless') {
      if (namesTheSame(issuer, other)) return other;
      continue;
    }
    const theirs: Patterns = new Map();
    for (const rule of issuer.identities) {
      for (const another of other.identities) {
        yield;
        if (rulesOverlap(rule, another, own, theirs)) return other;
      }
    }
  }
  return undefined;
}

function namesTheSame(one: ResolvedIssuer, other: ResolvedIssuer): boolean {
  if (one.kind === 'key' && other.kind === 'key') return keyOf(one.pem) === keyOf(other.pem);
  return (
    one.kind === 'notation' &&
    other.kind === 'notation' &&
    other.trustedIdentities.some((identity) => one.trustedIdentities.includes(identity))
  );
}

/** Every part that both name has to allow for the same text, and there has to be such a part. */
function rulesOverlap(one: IdentityRule, other: IdentityRule, own: Patterns, theirs: Patterns): boolean {
  if (one.issuer !== other.issuer) return false;
  const parts = partsOf(other);
  const shared = [...partsOf(one)].flatMap(([name, rule]) => {
    const another = parts.get(name);
    return another === undefined ? [] : [textsOverlap(rule, another, own, theirs)];
  });
  return shared.length > 0 && shared.every(Boolean);
}

const partsOf = ({ subject, extensions }: IdentityRule): ReadonlyMap<string, TextRule> =>
  new Map([
    ...(subject === undefined ? [] : [['subject', subject] as const]),
    ...extensions.map(({ name, rule }) => [name, rule] as const),
  ]);

function textsOverlap(one: TextRule, other: TextRule, own: Patterns, theirs: Patterns): boolean {
  if ('exact' in one) {
    return 'exact' in other ? one.exact === other.exact : matches(other.pattern, theirs, one.exact);
  }
  return 'exact' in other ? matches(one.pattern, own, other.exact) : one.pattern === other.pattern;
}

function matches(pattern: string, patterns: Patterns, text: string): boolean {
  if (!patterns.has(pattern)) patterns.set(pattern, compiled(pattern));
  return patterns.get(pattern)?.matches(text) === true;
}

function compiled(pattern: string): RE2JS | undefined {
  try {
    return compileRe2(pattern, maxIdentityInstructions);
  } catch {
    return undefined;
  }
}

const keyOf = (pem: string): string => {
  try {
    return createPublicKey(pem).export({ format: 'der', type: 'spki' }).toString('base64');
  } catch {
    return pem;
  }
};
