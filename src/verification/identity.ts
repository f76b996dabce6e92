import { RE2JS } from 're2js';
import { RefwardenError } from '../failures/failure.ts';
import type { IdentityRule, TextRule } from '../policy/resolved-issuer.ts';
import { excerpt } from './excerpt.ts';
import type { SigningCertificate } from './signing-certificate.ts';

/** Longest pattern of an identity, in characters. */
const maxPatternLength = 1024;
/** Largest compiled pattern, in RE2 instructions: counted repeats multiply, and matching time follows. */
const maxPatternInstructions = 10_000;

/** A compiled pattern; it matches the whole text or not at all. */
export type WholeMatch = (text: string) => boolean;

/** @throws RefwardenError `IssuerInvalid` for what is no RE2 pattern, or too large a one. */
export function compilePattern(pattern: string): WholeMatch {
  if (pattern.length > maxPatternLength) {
    throw new RefwardenError('IssuerInvalid', `A pattern is longer than ${maxPatternLength} characters.`);
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (cause) {
    throw new RefwardenError(
      'IssuerInvalid',
      `The pattern ${JSON.stringify(excerpt(pattern))} is not RE2.`,
      cause,
    );
  }
  if (compiled.programSize() > maxPatternInstructions) {
    throw new RefwardenError(
      'IssuerInvalid',
      `The pattern ${JSON.stringify(excerpt(pattern))} repeats too much.`,
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
