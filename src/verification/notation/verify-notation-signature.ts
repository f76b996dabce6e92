import { failure, failureKind, RefwardenError } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import type { Signer, VerifiedEvidence } from '../../policy/evidence.ts';
import type { NotationIssuer, NotationValidation } from '../../policy/resolved-issuer.ts';
import { excerpt } from '../excerpt.ts';
import { canonicalKey, keyFingerprint } from '../keys.ts';
import type { Rejection, VerificationOutcome } from '../verification.ts';
import { readName } from './certificate-name.ts';
import { nameOf } from './certificate-rules.ts';
import { integrityChecks, trustChecks } from './checks.ts';
import type { Check } from './checks.ts';
import type { CompiledIssuers } from './compiled-issuer.ts';
import { formatDistinguishedName } from './distinguished-name.ts';
import { Examination } from './examination.ts';
import type { Signed, Surroundings } from './examination.ts';

/** Most issuers that one message names. */
const maxNamedIssuers = 3;

type Validations = readonly [NotationValidation, readonly Check<Examination>[]][];
const validations = Object.entries(trustChecks) as unknown as Validations;

/** Why an issuer does not take a signature, and how many validations it had passed: the furthest is what people read. */
interface Refusal {
  readonly failure: Failure;
  readonly passed: number;
}

/** Puts one signature before every issuer. Never throws for what it holds. */
export async function verifyNotationSignature(
  signed: Signed,
  issuers: readonly NotationIssuer[],
  compiled: CompiledIssuers,
  around: Surroundings,
): Promise<VerificationOutcome> {
  const flaw = await firstFailure(integrityChecks, signed);
  if (flaw !== undefined) return rejected({ ...flaw, signer: `claimed ${nameOf(signed.chain[0])}` });
  const signer = signerOf(signed);
  const evidence: VerifiedEvidence[] = [];
  const refusals: Refusal[] = [];
  for (const issuer of issuers) {
    const result = await examine(signed, issuer, compiled, around);
    if ('passed' in result) refusals.push(result);
    else
      evidence.push({
        ...result,
        kind: 'signature',
        issuer: issuer.name,
        signer,
        format: 'NotationSignature',
      });
  }
  if (evidence.length > 0) return { evidence, rejections: [] };
  return rejected({ ...nearest(refusals, issuers), signer: nameOf(signed.chain[0]) });
}

type Accepted = Pick<VerifiedEvidence, 'subject' | 'signedAtMs' | 'validUntilMs' | 'tolerated'>;

async function examine(
  signed: Signed,
  issuer: NotationIssuer,
  compiled: CompiledIssuers,
  around: Surroundings,
): Promise<Accepted | Refusal> {
  let examination: Examination;
  try {
    examination = new Examination(signed, compiled.of(issuer), around);
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    return { failure: thrown, passed: 0 };
  }
  const { actions } = examination.issuer;
  const tolerated: Failure[] = [];
  for (const [passed, [validation, checks]] of validations.entries()) {
    if (actions[validation] === 'skip') continue;
    const problem = await firstFailure(checks, examination);
    if (problem === undefined) examination.held(validation);
    else if (actions[validation] === 'log') tolerated.push(problem);
    else return { failure: problem, passed };
  }
  const { subject } = signed;
  if (subject === undefined)
    throw new RefwardenError('InternalError', 'A signature over nothing was accepted.');
  const { trustedTimeMs } = examination;
  const validUntilMs = await validUntil(examination);
  return {
    subject,
    ...(trustedTimeMs === undefined ? {} : { signedAtMs: trustedTimeMs }),
    ...(validUntilMs === Infinity ? {} : { validUntilMs }),
    ...(tolerated.length === 0 ? {} : { tolerated }),
  };
}

async function firstFailure<Examined>(
  checks: readonly Check<Examined>[],
  examined: Examined,
): Promise<Failure | undefined> {
  for (const { code, when, problem } of checks) {
    if (when?.(examined) === false) continue;
    try {
      const message = await problem(examined);
      if (message !== undefined) return failure(code, message);
    } catch (thrown) {
      // A defect is no property of the signature: whatever the level, it is not tolerated.
      if (!(thrown instanceof RefwardenError) || failureKind(thrown.code) === 'internal') throw thrown;
      return failure(failureKind(thrown.code) === 'inconclusive' ? thrown.code : code, thrown.message);
    }
  }
  return undefined;
}

/** The earliest time at which an enforced validation may no longer hold. */
async function validUntil(examination: Examination): Promise<number> {
  const { issuer, envelope, chain, isOfAuthority, isTimestampDue } = examination;
  const { expiry, authenticTimestamp, revocation } = issuer.actions;
  const ends: number[] = [];
  if (expiry === 'enforce') ends.push(envelope.attributes.expiryMs ?? Infinity);
  // Without a trusted time of signing it counts as long as the certificates.
  if (authenticTimestamp === 'enforce' && !isOfAuthority && !isTimestampDue) {
    ends.push(...chain.map(({ notAfterMs }) => notAfterMs));
  }
  if (authenticTimestamp === 'enforce' && isTimestampDue) {
    ends.push((await examination.timestampRevocation()).validUntilMs ?? Infinity);
  }
  if (revocation === 'enforce') ends.push((await examination.revocation()).validUntilMs ?? Infinity);
  return Math.min(Infinity, ...ends);
}

function signerOf({ chain: [leaf] }: Signed): Signer & { readonly kind: 'notation' } {
  return {
    kind: 'notation',
    subject: formatDistinguishedName(readName(leaf.subject)),
    certificateFingerprint: leaf.fingerprint,
    keyFingerprint: keyFingerprint(canonicalKey(leaf.key)),
  };
}

const rejected = (rejection: Rejection): VerificationOutcome => ({ evidence: [], rejections: [rejection] });

function nearest(refusals: readonly Refusal[], issuers: readonly NotationIssuer[]): Failure {
  const [best] = refusals.toSorted((a, b) => b.passed - a.passed);
  if (best === undefined)
    return failure('SignerNotTrusted', 'No issuer of Notation signatures is trusted here.');
  const { code, message } = best.failure;
  return failure(
    code,
    code === 'SignerNotTrusted' ? `${message} Policy trusts ${describeIssuers(issuers)}.` : message,
  );
}

function describeIssuers(issuers: readonly NotationIssuer[]): string {
  const named = issuers
    .slice(0, maxNamedIssuers)
    .map(({ name, trustedIdentities: [first = ''] }) => `${name}: ${excerpt(first)}`);
  const more = issuers.length - named.length;
  return `${named.join('; ')}${more > 0 ? ` and ${more} more` : ''}`;
}
