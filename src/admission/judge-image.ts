import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, parseImageReference, repositoryName } from '../image/reference.ts';
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
import { gatherChildren } from './gather-children.ts';
import { gatherForVerdict } from './gather-for-verdict.ts';
import { judgeRequirement } from './judge-requirement.ts';
import type { ImageFindings } from './judge-requirement.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, CheckOutcome, ImageVerdict } from './verdict.ts';
import type { VerifyPorts } from './verify-candidate.ts';
import type { WorkloadImage } from './workload.ts';

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
  let { digest } = reference;
  const findings = new Map<CompiledPolicy, ImageFindings>();
  let fault: Failure | undefined;
  const asking = matching.filter(({ requirements }) => requirements.some(needsEvidence));
  if (asking.length > 0) {
    try {
      const access = await openAccess();
      const resolved =
        digest ?? (await untilAborted(ports.artifacts.resolve(reference, access), access.signal)).digest;
      digest = resolved;
      const image = { ...reference, digest: resolved };
      await Promise.all(
        groupByPlaces(asking).map(async (policies) => {
          const found = await gatherForPolicies(ports, image, policies, access);
          for (const policy of policies) findings.set(policy, found);
        }),
      );
    } catch (error) {
      fault = toFailure(error);
    }
  }
  const nowMs = ports.clock.nowMs();
  const checks = matching.flatMap((policy) =>
    policy.requirements.map((requirement) => {
      if (!needsEvidence(requirement)) return judgeByReference(policy, requirement, reference);
      const found = findings.get(policy);
      if (found !== undefined) return judgeRequirement(policy, requirement, found, nowMs);
      const why = fault ?? failure('InternalError', 'the image was not resolved');
      return notPassed(policy, requirement.name, 'inconclusive', why);
    }),
  );
  return { digest, checks };
}

/**
 * Policies that look in the same places share one search. Others have one of their own, so that a fault of a
 * repository that only one policy names leaves the checks of the others as they are (threat 24).
 */
function groupByPlaces(policies: readonly CompiledPolicy[]): CompiledPolicy[][] {
  const placesOf = ({ evidenceRepositories, indexTags }: CompiledPolicy): string =>
    JSON.stringify([evidenceRepositories.map(repositoryName).toSorted(), indexTags.toSorted()]);
  return [...Map.groupBy(policies, placesOf).values()];
}

/** Gathers evidence once for all requirements of policies that look in the same places. */
async function gatherForPolicies(
  ports: VerifyPorts,
  image: ImageReference & { digest: Digest },
  policies: readonly CompiledPolicy[],
  access: RegistryAccess,
): Promise<ImageFindings> {
  const { digest } = image;
  const requirements = policies.flatMap((policy) => policy.requirements.filter(needsEvidence));
  const enforced = new Set<CompiledRequirement>(
    policies.filter(({ mode }) => mode === 'Enforce').flatMap((policy) => policy.requirements),
  );
  const blocking = (requirement: EvidenceRequirement): boolean => enforced.has(requirement);
  const [first] = policies;
  const inquiry = {
    ...{ image, requirements },
    elsewhere: first?.evidenceRepositories ?? [],
    indexTags: first?.indexTags ?? [],
  };
  const own = await gatherForVerdict(ports, inquiry, blocking, access);
  const nowMs = ports.clock.nowMs();
  const byChildren = requirements.filter(
    (requirement) =>
      requirement.platforms !== undefined &&
      !evaluateRequirement(requirement, own.evidence, digest, nowMs).satisfied,
  );
  if (byChildren.length === 0) return { digest, own };
  const children = await gatherChildren(ports, { ...inquiry, requirements: byChildren }, blocking, access);
  return { digest, own, ...(children === undefined ? {} : { children }) };
}

const needsEvidence = (requirement: CompiledRequirement): requirement is EvidenceRequirement =>
  requirement.kind !== 'pinned' && requirement.notReady === undefined;

/** What is judged without asking a registry. */
function judgeByReference(
  policy: CompiledPolicy,
  requirement: Exclude<CompiledRequirement, EvidenceRequirement>,
  reference: ImageReference,
): Check {
  const { name } = requirement;
  if (requirement.kind === 'unready') return notPassed(policy, name, 'failed', requirement.notReady);
  if (reference.digest !== undefined)
    return passed(policy, name, `named by ${shortDigest(reference.digest)}`);
  const why = failure('NotPinned', 'asks for a digest, and the image is named by tag');
  return notPassed(policy, name, 'failed', why);
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
