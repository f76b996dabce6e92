import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Platform } from '../oci/descriptor.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { assertionSet } from './assertions.ts';
import type { AskedContent, Assertion, CheckedExpression, ExpressionScope } from './assertions.ts';
import { allPlatforms } from './model/requirement.ts';
import type { Alternative, Requirement } from './model/requirement.ts';
import { evidenceRequirements } from './requirements.ts';
import type { ResolvedIssuer } from './resolved-issuer.ts';
import type {
  CompiledRequirement,
  EvidenceRequirement,
  SingleRequirement,
  UnreadyRequirement,
} from './snapshot.ts';

/** Whether an expression compiles and names only what is known where it stands. */
export type CheckExpression = (expression: string, scope: ExpressionScope) => CheckedExpression | Failure;

/** Every TrustedIssuer by name, or why it cannot be used. */
export type KnownIssuers = ReadonlyMap<string, ResolvedIssuer | Failure>;

export const unready = (name: string, notReady: Failure): UnreadyRequirement => ({
  kind: 'unready',
  name,
  notReady,
});

export function compileRequirement(
  { name, anyOf, ...alone }: Requirement,
  known: KnownIssuers,
  checkExpression: CheckExpression,
): CompiledRequirement {
  const [first, ...others] = (anyOf ?? []).map((each) => compileSingle(name, each, known, checkExpression));
  return first === undefined
    ? compileSingle(name, alone, known, checkExpression)
    : { kind: 'anyOf', name, alternatives: [first, ...others] };
}

function compileSingle(
  name: string,
  { signature, sbom, attestation, pinned }: Alternative,
  known: KnownIssuers,
  checkExpression: CheckExpression,
): SingleRequirement {
  if (pinned === true) return { kind: 'pinned', name };
  if (signature !== undefined) {
    const issuers = findIssuers(signature.issuers, known);
    if ('code' in issuers) return unready(name, issuers);
    const { minimumIssuers, inheritFromIndex } = signature;
    const platforms = platformsOf(signature.platforms);
    return { kind: 'signature', name, minimumIssuers, inheritFromIndex, ...platforms, issuers };
  }
  const asked = sbom ?? attestation;
  if (asked === undefined) return unready(name, failure('PolicyNotReady', 'It asks for nothing.'));
  const issuers = findIssuers(asked.issuers, known);
  if ('code' in issuers) return unready(name, issuers);
  const of: AskedContent =
    sbom === undefined
      ? { kind: 'attestation', predicateType: attestation?.predicateType ?? '' }
      : { kind: 'sbom', formats: sbom.formats };
  if (asked.maxAge !== undefined && issuers.every(({ kind }) => kind !== 'keyless')) {
    const names = issuers.map((issuer) => issuer.name).join(', ');
    const message = `maxAge: only a keyless issuer can meet it, and none of ${names} is one: nothing says when a key signed.`;
    return unready(name, failure('PolicyInvalid', message));
  }
  const checked = checkExpressions('assert', asked.assert ?? [], checkExpression);
  if ('code' in checked) return unready(name, checked);
  return {
    ...of,
    name,
    ...age(asked.maxAge),
    ...platformsOf(asked.platforms),
    ...(checked.length === 0 ? {} : { assertions: assertionSet(of, checked) }),
    issuers,
  };
}

/** @returns the expressions with what each names, or why the first of them that cannot be used cannot. */
function checkExpressions(
  scope: ExpressionScope,
  assertions: readonly Assertion[],
  checkExpression: CheckExpression,
): readonly (Assertion & CheckedExpression)[] | Failure {
  const field = scope === 'assert' ? 'assert' : 'crossChecks';
  const checked: (Assertion & CheckedExpression)[] = [];
  for (const [index, assertion] of assertions.entries()) {
    const result = checkExpression(assertion.expression, scope);
    if ('code' in result) return failure(result.code, `${field}[${index}]: ${result.message}`);
    checked.push({ ...assertion, ...result });
  }
  return checked;
}

/** Its name can be that of no requirement: those are in lower case. */
const crossChecksName = 'crossChecks';

export function compileCrossChecks(
  checks: readonly Assertion[],
  requirements: readonly CompiledRequirement[],
  checkExpression: CheckExpression,
): CompiledRequirement {
  const checked = checkExpressions('crossCheck', checks, checkExpression);
  if ('code' in checked) return unready(crossChecksName, checked);
  const over = requirements
    .map((requirement) => ({
      alternatives: evidenceRequirements(requirement),
      orPinned:
        requirement.kind === 'anyOf' && requirement.alternatives.some(({ kind }) => kind === 'pinned'),
    }))
    .filter(({ alternatives }) => alternatives.length > 0);
  const platforms = joinPlatforms(over.flatMap(({ alternatives }) => alternatives));
  return {
    kind: 'crossCheck',
    name: crossChecksName,
    checks: checked.map(({ expression, message }) => ({ expression, message })),
    uses: [...new Set(checked.flatMap(({ uses }) => uses))],
    over,
    ...(platforms === undefined ? {} : { platforms }),
  };
}

function findIssuers(
  names: readonly string[],
  known: KnownIssuers,
): EvidenceRequirement['issuers'] | Failure {
  const found: ResolvedIssuer[] = [];
  for (const name of names) {
    const issuer = known.get(name);
    if (issuer === undefined) return failure('PolicyNotReady', `There is no TrustedIssuer ${name}.`);
    if ('code' in issuer) return failure('PolicyNotReady', issuer.message);
    found.push(issuer);
  }
  const [first, ...others] = found;
  return first === undefined ? failure('PolicyNotReady', 'It lists no issuer.') : [first, ...others];
}

/** A name that is none matches no child, so that the requirement fails. */
function platformsOf(names: readonly string[] | undefined): { platforms?: 'All' | readonly Platform[] } {
  if (names === undefined) return {};
  if (names.includes(allPlatforms)) return { platforms: allPlatforms };
  return { platforms: names.map((name) => parsePlatform(name) ?? { os: name, architecture: '' }) };
}

/** Those that any of the requirements names. */
function joinPlatforms(requirements: readonly EvidenceRequirement[]): EvidenceRequirement['platforms'] {
  const named = new Map<string, Platform>();
  let any = false;
  for (const { platforms } of requirements) {
    if (platforms === allPlatforms) return allPlatforms;
    for (const platform of platforms ?? []) named.set(formatPlatform(platform), platform);
    any ||= platforms !== undefined;
  }
  return any ? [...named.values()] : undefined;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function age(text: string | undefined): { maxAgeMs?: number } {
  if (text === undefined) return {};
  return { maxAgeMs: Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs] };
}
