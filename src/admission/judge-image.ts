import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { selectsImage } from '../policy/match.ts';
import type { CompiledPolicy, NoMatch } from '../policy/snapshot.ts';
import { checkAll, unmatched } from './checks.ts';
import { asksForEvidence, gatherForPolicies } from './gather-for-policies.ts';
import type { WorkloadContext } from './gather-for-policies.ts';
import { judgeRequirement } from './judge-requirement.ts';
import type { Findings } from './findings-ledger.ts';
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
  about: WorkloadContext,
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
  const { digest, checks, lookedAt } = await checkImage(reference, matching, about, ports, openAccess);
  const verdict = imageVerdict(image, reference, digest, [
    ...checks,
    ...checkAll(selecting(scope.undetermined), 'inconclusive', scope.why),
    ...checkCoverage(reference, scope),
  ]);
  return lookedAt === undefined ? verdict : { ...verdict, lookedAt };
}

function checkCoverage(reference: ImageReference, scope: PolicyScope): Check[] {
  const covers = (policy: CompiledPolicy): boolean => selectsImage(policy, reference);
  if (scope.covering.some(covers)) return [];
  return unmatched(scope.noMatch, scope.maybeCovering.some(covers) ? scope.why : undefined);
}

async function checkImage(
  reference: ImageReference,
  matching: readonly CompiledPolicy[],
  about: WorkloadContext,
  ports: VerifyPorts,
  openAccess: () => Promise<RegistryAccess>,
): Promise<Pick<ImageVerdict, 'lookedAt'> & { digest: Digest | undefined; checks: Check[] }> {
  let { digest } = reference;
  let findings: ReadonlyMap<CompiledPolicy, ImageFindings> = new Map();
  let fault = failure('InternalError', 'the image was not resolved');
  const asking = matching.filter((policy) => asksForEvidence(policy, reference));
  if (asking.length > 0) {
    try {
      const access = await openAccess();
      const resolved =
        digest ?? (await untilAborted(ports.artifacts.resolve(reference, access), access.signal)).digest;
      digest = resolved;
      findings = await gatherForPolicies(ports, { reference, digest: resolved }, asking, about, access);
    } catch (error) {
      fault = toFailure(error);
    }
  }
  const nowMs = ports.clock.nowMs();
  const checks = matching.flatMap((policy) =>
    policy.requirements.map((requirement) =>
      judgeRequirement(policy, requirement, reference, findings.get(policy) ?? fault, nowMs),
    ),
  );
  return { digest, checks, ...lookedAtFor([...findings.values()]) };
}

/** Policies mostly share what was found: each search is told of once. */
function lookedAtFor(images: readonly ImageFindings[]): Pick<ImageVerdict, 'lookedAt'> {
  if (images.length === 0) return {};
  const ofChildren = ({ children = [] }: ImageFindings): Findings[] =>
    'code' in children ? [] : children.map(({ findings }) => findings);
  const all = [...new Set(images)].flatMap((image) => [image.own, ...ofChildren(image)]);
  return {
    lookedAt: {
      evidence: all.flatMap(({ evidence }) => evidence),
      misses: all.flatMap(({ misses }) => misses),
      passedOver: all.flatMap(({ passedOver }) => passedOver),
      gaps: all.flatMap(({ gaps }) => gaps),
    },
  };
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
