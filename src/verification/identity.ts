import { RefwardenError } from '../failures/failure.ts';
import { compileRe2, maxIdentityInstructions, PatternRefused } from '../policy/re2.ts';
import type { IdentityRule, TextRule } from '../policy/resolved-issuer.ts';
import { excerpt } from './excerpt.ts';
import type { SigningCertificate } from './signing-certificate.ts';

/** A compiled pattern; it matches the whole text or not at all. */
export type WholeMatch = (text: string) => boolean;

/** @throws RefwardenError `IssuerInvalid` for what is no RE2 pattern, or too large a one. */
export function compilePattern(pattern: string): WholeMatch {
  let compiled: ReturnType<typeof compileRe2>;
  try {
    compiled = compileRe2(pattern, maxIdentityInstructions);
  } catch (cause) {
    const why = cause instanceof PatternRefused ? cause.why : 'is not RE2';
    throw new RefwardenError(
      'IssuerInvalid',
      `The pattern ${JSON.stringify(excerpt(pattern))} ${excerpt(why)}.`,
      cause,
    );
  }
  return (text) => compiled.matches(text);
}

/**
 * Whether the certificate is of one of the identities: every part of a rule must hold. The certificate may have several
 * subjects; any one may match.
 */
export function matchesIdentity(
  certificate: SigningCertificate,
  rules: readonly IdentityRule[],
  pattern: (text: string) => WholeMatch,
): boolean {
  const holds = (rule: TextRule, text: string): boolean =>
    'exact' in rule ? rule.exact === text : pattern(rule.pattern)(text);
  return rules.some(
    ({ issuer, subject, extensions }) =>
      certificate.issuer === issuer &&
      (subject === undefined || certificate.subjects.some((text) => holds(subject, text))) &&
      extensions.every(({ name, rule }) => {
        const value = certificate.extensions[name];
        return value !== undefined && holds(rule, value);
      }),
  );
}

/** The identity for people: what it asks for, shortened. */
export function describeIdentity({ issuer, subject, extensions }: IdentityRule): string {
  const parts = [
    ...(subject === undefined ? [] : [describeRule(subject)]),
    ...extensions.map(({ name, rule }) => `${name} ${describeRule(rule)}`),
  ];
  return `${parts.join(', ')} (${issuer})`.trimStart();
}

const describeRule = (rule: TextRule): string => ('exact' in rule ? rule.exact : `/${rule.pattern}/`);
