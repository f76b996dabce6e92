import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import { selectsImage } from '../policy/match.ts';
import type {
  CompiledPolicy,
  CompiledRequirement,
  EvidenceRequirement,
  NoMatch,
} from '../policy/snapshot.ts';
import { checkAll, notPassed, passed, unmatched } from './checks.ts';
import { explainFailure, missesFor, worstGap } from './explain-failure.ts';
import { gatherEvidence } from './gather-evidence.ts';
import type { Findings } from './findings-ledger.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, CheckOutcome, ImageVerdict } from './verdict.ts';
import type { VerifyPorts } from './verify-candidate.ts';
import type { WorkloadImage } from './workload.ts';

/** A deny stands on a listing no older than this. */
export const maxListingAgeForDenyMs = 10_000;

/** The policies that apply to a workload before its images are looked at. */
export interface PolicyScope {
  readonly inScope: readonly CompiledPolicy[];
  /** Policies of which it is not known whether they apply, with why. */
  readonly undetermined: readonly CompiledPolicy[];
  /**
   * Policies that keep an image from counting as unmatched: cluster policies only, or a tenant's own policy would
   * lift the installation's noMatch. Those for other workload kinds are among them.
   */
  readonly covering: readonly CompiledPolicy[];
  readonly maybeCovering: readonly CompiledPolicy[];
  readonly why: Failure;
  readonly noMatch: NoMatch;
}

/** @param registry of the image; undefined for what is no image reference, which may be of any. */
export type ScopeForRegistry = (registry: string | undefined) => PolicyScope;

/** Judges one image by the policies in scope: resolves it once, gathers evidence once, evaluates every requirement. */
export async function judgeImage(
  image: WorkloadImage,
  scopeFor: ScopeForRegistry,
  ports: VerifyPorts,
  openAccess: () => Promise<RegistryAccess>,
): Promise<ImageVerdict> {
  let reference: ImageReference;
  try {
    reference = parseImageReference(image.image);
  } catch (error) {
    const scope = scopeFor(undefined);
    // What cannot be named cannot be matched: every policy in scope fails on it, and none covers it.
    const isOpen = scope.maybeCovering.length > 0;
    const checks = [
      ...checkAll(scope.inScope, 'failed', toFailure(error)),
      ...checkAll(scope.undetermined, 'inconclusive', scope.why),
      ...unmatched(scope.noMatch, isOpen ? scope.why : undefined),
    ];
    return imageVerdict(image, undefined, undefined, checks);
  }
  const scope = scopeFor(reference.registry);
  const selecting = (policies: readonly CompiledPolicy[]): readonly CompiledPolicy[] =>
    policies.filter((policy) => selectsImage(policy, reference));
  const matching = selecting(scope.inScope);
  const { digest, checks } = await checkImage(reference, matching, ports, openAccess);
  return imageVerdict(image, reference, digest, [
    ...checks,
    ...checkAll(selecting(scope.undetermined), 'inconclusive', scope.why),
    ...checkCoverage(reference, scope),
  ]);
}

function checkCoverage(reference: ImageReference, scope: PolicyScope): Check[] {
  const covers = (policy: CompiledPolicy): boolean => selectsImage(policy, reference);
  if (scope.covering.some(covers)) return [];
  return unmatched(scope.noMatch, scope.maybeCovering.some(covers) ? scope.why : undefined);
}

async function checkImage(
  reference: ImageReference,
  matching: readonly CompiledPolicy[],
  ports: VerifyPorts,
  openAccess: () => Promise<RegistryAccess>,
): Promise<{ digest: Digest | undefined; checks: Check[] }> {
  const wanted = matching.flatMap(({ mode, requirements }) =>
    requirements
      .filter(needsEvidence)
      .map((requirement): WantedRequirement => ({ requirement, blocks: mode === 'Enforce' })),
  );
  let { digest } = reference;
  let findings: Findings | Failure = { evidence: [], misses: [], gaps: [], listingAgeMs: 0 };
  if (wanted.length > 0) {
    try {
      const access = await openAccess();
      digest ??= (await untilAborted(ports.artifacts.resolve(reference, access), access.signal)).digest;
      findings = await gatherForVerdict(ports, { ...reference, digest }, wanted, access);
    } catch (error) {
      findings = toFailure(error);
    }
  }
  const nowMs = ports.clock.nowMs();
  const checks = matching.flatMap((policy) =>
    policy.requirements.map((requirement) => judge(policy, requirement, reference, digest, findings, nowMs)),
  );
  return { digest, checks };
}

interface WantedRequirement {
  readonly requirement: EvidenceRequirement;
  /** A failure of it would stand in the way of the workload. */
  readonly blocks: boolean;
}

/** Never denies from an old listing: before that, everything is asked again. */
async function gatherForVerdict(
  ports: VerifyPorts,
  image: ImageReference & { digest: Digest },
  wanted: readonly WantedRequirement[],
  access: RegistryAccess,
): Promise<Findings> {
  const requirements = wanted.map(({ requirement }) => requirement);
  const inquiry = { image, requirements, elsewhere: [], indexTags: [] };
  const first = await gatherEvidence(ports, inquiry, access);
  const nowMs = ports.clock.nowMs();
  const wouldDeny = wanted.some(
    ({ requirement, blocks }) =>
      blocks && !evaluateRequirement(requirement, first.evidence, image.digest, nowMs).satisfied,
  );
  const isCertain = first.gaps.length === 0;
  if (!wouldDeny || !isCertain || first.listingAgeMs <= maxListingAgeForDenyMs) return first;
  const again = { ...access, maxListingAgeMs: maxListingAgeForDenyMs };
  const second = await gatherEvidence(ports, inquiry, again);
  // A second pass that saw all replaces the first; one that was cut short takes nothing away that is proven.
  return second.gaps.length === 0 ? second : { ...second, evidence: [...second.evidence, ...first.evidence] };
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
  const { name } = requirement;
  if (requirement.notReady !== undefined) return notPassed(policy, name, 'failed', requirement.notReady);
  if (requirement.kind === 'pinned') {
    return reference.digest !== undefined
      ? passed(policy, name, `named by ${shortDigest(reference.digest)}`)
      : notPassed(
          policy,
          name,
          'failed',
          failure('NotPinned', 'asks for a digest, and the image is named by tag'),
        );
  }
  if ('code' in findings) return notPassed(policy, name, 'inconclusive', findings);
  if (digest === undefined) {
    return notPassed(policy, name, 'inconclusive', failure('InternalError', 'the image was not resolved'));
  }
  const evaluation = evaluateRequirement(requirement, findings.evidence, digest, nowMs);
  if (evaluation.satisfied) {
    const issuers = [...new Set(evaluation.evidence.map(({ issuer }) => issuer))].join(', ');
    return {
      ...passed(policy, name, `${requirement.kind} by ${issuers}`),
      evidence: evaluation.evidence,
    };
  }
  const misses = missesFor(findings, requirement);
  const gap = worstGap(findings.gaps);
  const check =
    gap === undefined
      ? notPassed(policy, name, 'failed', explainFailure(requirement, evaluation.failure, misses))
      : notPassed(policy, name, 'inconclusive', gap);
  return Object.assign(check, { misses });
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
