import { failure, failureKind, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { failureCatalogue } from '../failures/catalogue.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import { describeSigner } from '../policy/evidence.ts';
import { selectsImage } from '../policy/match.ts';
import type {
  CompiledPolicy,
  CompiledRequirement,
  EvidenceRequirement,
  NoMatch,
} from '../policy/snapshot.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { Findings, GatherPorts } from './gather-evidence.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, CheckOutcome, ImageVerdict, Miss } from './verdict.ts';
import type { WorkloadImage } from './workload.ts';

/** A deny stands on a listing no older than this. */
export const maxListingAgeForDenyMs = 10_000;

/** The policies that apply to a workload before its images are looked at. */
export interface PolicyScope {
  readonly inScope: readonly CompiledPolicy[];
  /** Policies of which it is not known whether they apply, and why. */
  readonly undetermined: readonly CompiledPolicy[];
  readonly why?: Failure;
}

/** Judges one image by the policies in scope: resolves it once, gathers evidence once, evaluates every requirement. */
export async function judgeImage(
  image: WorkloadImage,
  { inScope, undetermined, why }: PolicyScope,
  noMatch: NoMatch,
  ports: GatherPorts,
  access: RegistryAccess,
): Promise<ImageVerdict> {
  let reference: ImageReference;
  try {
    reference = parseImageReference(image.image);
  } catch (error) {
    // What cannot be named cannot be matched: every policy in scope fails on it.
    const checks = [
      ...checkAll(inScope, 'failed', toFailure(error)),
      ...checkAll(undetermined, 'inconclusive', why),
    ];
    if (inScope.length === 0) checks.push(...unmatched(noMatch, why));
    return imageVerdict(image, undefined, undefined, checks);
  }
  const selecting = (policies: readonly CompiledPolicy[]): readonly CompiledPolicy[] =>
    policies.filter((policy) => selectsImage(policy, reference));
  const matching = selecting(inScope);
  const open = checkAll(selecting(undetermined), 'inconclusive', why);
  if (matching.length === 0) {
    const none = unmatched(noMatch, open.length === 0 ? undefined : why);
    return imageVerdict(image, reference, reference.digest, [...open, ...none]);
  }

  const evidenceRequirements = matching.flatMap(({ requirements }) => requirements.filter(needsEvidence));
  let digest = reference.digest;
  let findings: Findings | Failure = { evidence: [], misses: [], gaps: [], listingAgeMs: 0 };
  if (evidenceRequirements.length > 0) {
    try {
      digest ??= (await untilAborted(ports.artifacts.resolve(reference, access), access.signal)).digest;
      const gathering = gatherForVerdict(ports, { ...reference, digest }, evidenceRequirements, access);
      findings = await untilAborted(gathering, access.signal);
    } catch (error) {
      findings = access.signal.aborted && !isNamed(error) ? timeout() : toFailure(error);
    }
  }
  const nowMs = ports.clock.nowMs();
  const checks = matching.flatMap((policy) =>
    policy.requirements.map((requirement) => judge(policy, requirement, reference, digest, findings, nowMs)),
  );
  return imageVerdict(image, reference, digest, [...checks, ...open]);
}

const isNamed = (error: unknown): boolean => toFailure(error).code !== 'InternalError';
const timeout = (): Failure => failure('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary);

/** Never denies from an old listing: before that, everything is asked again. */
async function gatherForVerdict(
  ports: GatherPorts,
  image: ImageReference & { digest: Digest },
  requirements: readonly EvidenceRequirement[],
  access: RegistryAccess,
): Promise<Findings> {
  const findings = await gatherEvidence(ports, image, requirements, access);
  const nowMs = ports.clock.nowMs();
  const satisfied = requirements.every(
    (requirement) => evaluateRequirement(requirement, findings.evidence, image.digest, nowMs).satisfied,
  );
  if (satisfied || findings.listingAgeMs <= maxListingAgeForDenyMs) return findings;
  return gatherEvidence(ports, image, requirements, { ...access, maxListingAgeMs: maxListingAgeForDenyMs });
}

const needsEvidence = (requirement: CompiledRequirement): requirement is EvidenceRequirement =>
  requirement.kind !== 'pinned' && requirement.notReady === undefined;

function judge(
  policy: CompiledPolicy,
  requirement: CompiledRequirement,
  reference: ImageReference,
  digest: Digest | undefined,
  findings: Findings | Failure,
  nowMs: number,
): Check {
  if (requirement.notReady !== undefined)
    return check(policy, requirement.name, 'failed', requirement.notReady);
  if (requirement.kind === 'pinned') {
    if (reference.digest !== undefined)
      return passed(policy, requirement.name, `named by ${shortDigest(reference.digest)}`);
    return check(policy, requirement.name, 'failed', failure('NotPinned', 'the image is named by tag'));
  }
  if ('code' in findings) return check(policy, requirement.name, 'inconclusive', findings);
  if (digest === undefined) {
    return check(
      policy,
      requirement.name,
      'inconclusive',
      failure('InternalError', 'the image was not resolved'),
    );
  }
  const evaluation = evaluateRequirement(requirement, findings.evidence, digest, nowMs);
  if (evaluation.satisfied) {
    const issuers = [...new Set(evaluation.evidence.map(({ issuer }) => issuer))].join(', ');
    return {
      ...passed(policy, requirement.name, `${requirement.kind} by ${issuers}`),
      evidence: evaluation.evidence,
    };
  }
  const misses = missesFor(findings, requirement);
  const gap = findings.gaps[0];
  if (gap !== undefined) return { ...check(policy, requirement.name, 'inconclusive', gap), misses };
  return {
    ...check(policy, requirement.name, 'failed', explain(requirement, evaluation.failure, misses)),
    misses,
  };
}

/** What was found beats "nothing was found": the closest miss names the failure. */
function explain(requirement: EvidenceRequirement, found: Failure, misses: readonly Miss[]): Failure {
  const asks = `${describeRequirement(requirement)} by ${requirement.issuers.map(({ name }) => name).join(' or ')}`;
  const closest = misses[0];
  const nothing =
    found.code === 'SignatureMissing' || found.code === 'SbomMissing' || found.code === 'AttestationMissing';
  if (!nothing || closest === undefined) return failure(found.code, `asks for ${asks}: ${found.message}`);
  const signers = [...new Set(misses.flatMap(({ signer }) => (signer === undefined ? [] : [signer])))];
  const shown =
    signers.length === 0 ? closest.message : `${signers.slice(0, 3).join(', ')}. ${closest.message}`;
  return failure(closest.code, `asks for ${asks}. Found ${misses.length}: ${shown}`);
}

function describeRequirement(requirement: EvidenceRequirement): string {
  switch (requirement.kind) {
    case 'signature':
      return 'a signature';
    case 'sbom':
      return `an SBOM (${requirement.formats.join(' or ')})`;
    case 'attestation':
      return `an attestation ${requirement.predicateType}`;
  }
}

/** From almost right to not readable at all. */
const closeness: readonly string[] = [
  'EvidenceTooOld',
  'TransparencyLogMissing',
  'CertificateTransparencyMissing',
  'TrustedTimeMissing',
  'SignerNotTrusted',
  'SubjectMismatch',
  'SignatureInvalid',
  'CertificateInvalid',
];

/** What was found for this kind of requirement, evidence of issuers that it does not list included. */
function missesFor({ evidence, misses }: Findings, requirement: EvidenceRequirement): readonly Miss[] {
  const about = requirement.kind === 'signature' ? 'signature' : 'attestation';
  const names = new Set(requirement.issuers.map(({ name }) => name));
  const byOthers = evidence
    .filter(({ kind, issuer }) => kind === about && !names.has(issuer))
    .map(({ artifact, mechanism, signer }): Miss => ({
      code: 'SignerNotTrusted',
      message: failureCatalogue.SignerNotTrusted.summary,
      about,
      artifact,
      mechanism,
      signer: describeSigner(signer),
    }));
  const rank = ({ code }: Miss): number => {
    const at = closeness.indexOf(code);
    return at === -1 ? closeness.length : at;
  };
  return [...misses.filter((miss) => miss.about === undefined || miss.about === about), ...byOthers].toSorted(
    (a, b) => rank(a) - rank(b),
  );
}

function check(
  policy: CompiledPolicy,
  requirement: string,
  outcome: 'failed' | 'inconclusive',
  why: Failure,
): Check {
  // Only what could not be judged may be waved through by onInconclusive; a defect of ours never is.
  const admitted =
    outcome === 'inconclusive' &&
    policy.onInconclusive === 'Admit' &&
    failureKind(why.code) === 'inconclusive';
  return {
    ...identify(policy, requirement),
    outcome,
    blocks: policy.mode === 'Enforce' && !admitted,
    code: why.code,
    message: why.message,
    evidence: [],
    misses: [],
  };
}

function passed(policy: CompiledPolicy, requirement: string, message: string): Check {
  return {
    ...identify(policy, requirement),
    outcome: 'passed',
    blocks: false,
    message,
    evidence: [],
    misses: [],
  };
}

const identify = (
  { name, namespace, mode }: CompiledPolicy,
  requirement: string,
): Pick<Check, 'policy' | 'policyNamespace' | 'mode' | 'requirement'> => ({
  policy: name,
  ...(namespace === undefined ? {} : { policyNamespace: namespace }),
  mode,
  requirement,
});

/** The same answer for every requirement of these policies. */
const checkAll = (
  policies: readonly CompiledPolicy[],
  outcome: 'failed' | 'inconclusive',
  why: Failure = toFailure(new Error('an undetermined policy without a reason')),
): Check[] =>
  policies.flatMap((policy) => policy.requirements.map(({ name }) => check(policy, name, outcome, why)));

/**
 * The installation's own rule for images without a policy, shown as a check of no policy.
 * @param why it is not known whether a policy applies; then the rule may not be passed over either.
 */
function unmatched(noMatch: NoMatch, why?: Failure): Check[] {
  if (noMatch === 'Admit') return [];
  return [
    {
      policy: '(none)',
      mode: noMatch === 'Deny' ? 'Enforce' : 'Warn',
      requirement: 'noMatch',
      outcome: why === undefined ? 'failed' : 'inconclusive',
      blocks: noMatch === 'Deny',
      code: why?.code ?? 'NoPolicyMatches',
      message: why?.message ?? failureCatalogue.NoPolicyMatches.summary,
      evidence: [],
      misses: [],
    },
  ];
}

function imageVerdict(
  { image, fields }: WorkloadImage,
  reference: ImageReference | undefined,
  digest: Digest | undefined,
  checks: readonly Check[],
): ImageVerdict {
  return {
    image,
    fields,
    ...(reference === undefined ? {} : { reference: formatImageReference(reference) }),
    ...(digest === undefined ? {} : { digest }),
    outcome: worst(checks),
    checks,
  };
}

function worst(checks: readonly Check[]): CheckOutcome {
  if (checks.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return checks.some(({ outcome }) => outcome === 'inconclusive') ? 'inconclusive' : 'passed';
}
