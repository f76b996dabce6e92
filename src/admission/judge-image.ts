import { failureCatalogue } from '../failures/catalogue.ts';
import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { formatImageReference, parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { selectsImage } from '../policy/match.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';
import { applyExceptions } from './apply-exceptions.ts';
import type { ExceptedPolicies } from './apply-exceptions.ts';
import { checkAll, excepted, notPassed, unmatched } from './checks.ts';
import { asksForEvidence, gatherForPolicies } from './gather-for-policies.ts';
import type { WorkloadContext } from './gather-for-policies.ts';
import { judgeRequirement } from './judge-requirement.ts';
import type { Findings } from './findings-ledger.ts';
import type { ImageFindings } from './judge-requirement.ts';
import type { JudgingMeans } from './judging-means.ts';
import { proveTag } from './prove-tag.ts';
import type { PolicyScope, ScopeForRegistry } from './scope-policies.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, CheckOutcome, ImageVerdict } from './verdict.ts';
import type { WorkloadImage } from './workload.ts';

/** Judges one image by the policies in scope: resolves it once, gathers evidence once, evaluates every requirement. */
export async function judgeImage(
  image: WorkloadImage,
  scopeFor: ScopeForRegistry,
  about: WorkloadContext,
  means: JudgingMeans,
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
  try {
    return await judgeReference(image, reference, scope, about, means);
  } catch (error) {
    const why = toFailure(error);
    if (why.code !== 'DeadlineExceeded') throw error;
    // There was no time to tell which policies select it: it is open for each, under its own mode.
    const checks = checkAll([...scope.inScope, ...scope.undetermined], 'inconclusive', why);
    return imageVerdict(image, reference, undefined, [...checks, ...unmatched(scope.noMatch, why)]);
  }
}

async function judgeReference(
  image: WorkloadImage,
  reference: ImageReference,
  scope: PolicyScope,
  about: WorkloadContext,
  means: JudgingMeans,
): Promise<ImageVerdict> {
  const { inScope, undetermined, covering, maybeCovering } = scope;
  const asked = [...inScope, ...undetermined, ...covering, ...maybeCovering];
  const tag = (await proveTag(reference, asked, means)) ? 'proven' : 'claimed';
  const selected = await means.turn.filter(new Set(asked), (policy) => selectsImage(policy, reference, tag));
  const selects = (policy: CompiledPolicy): boolean => selected.has(policy);
  const matching = inScope.filter(selects);
  const open = undetermined.filter(selects);
  const { excepted: exceptions, digest: known } = await applyExceptions(
    reference,
    tag,
    [...matching, ...open],
    means,
  );
  const { digest, fault, checks, lookedAt } = await checkImage(
    { reference, digest: reference.digest ?? known },
    restOf(matching, exceptions),
    about,
    means,
  );
  const unpinned =
    means.mustBePinned && reference.digest === undefined
      ? policiesAskingForPinning(matching, exceptions)
      : [];
  const whyNot = unpinned.length === 0 ? undefined : await whyNotPinned(reference, digest, fault, means);
  const verdict = imageVerdict(image, reference, digest, [
    ...checks,
    ...exceptedChecks(exceptions),
    ...(whyNot === undefined ? [] : checkPinned(whyNot, unpinned, checks)),
    ...checkAll(restOf(open, exceptions), 'inconclusive', scope.why),
    ...checkCoverage(scope, selects),
  ]);
  return lookedAt === undefined ? verdict : { ...verdict, lookedAt };
}

const restOf = (policies: readonly CompiledPolicy[], exceptions: ExceptedPolicies): CompiledPolicy[] =>
  policies.flatMap((policy) => exceptions.get(policy)?.rest ?? []);

const exceptedChecks = (exceptions: ExceptedPolicies): Check[] =>
  [...exceptions].flatMap(([policy, { exemptions }]) =>
    exemptions.map((exemption) => excepted(policy, exemption)),
  );

const policiesAskingForPinning = (
  policies: readonly CompiledPolicy[],
  exceptions: ExceptedPolicies,
): CompiledPolicy[] =>
  policies.filter((policy) => policy.mode === 'Enforce' && exceptions.get(policy)?.asksForPinning !== false);

function checkCoverage(scope: PolicyScope, selects: (policy: CompiledPolicy) => boolean): Check[] {
  if (scope.covering.some(selects)) return [];
  return unmatched(scope.noMatch, scope.maybeCovering.some(selects) ? scope.why : undefined);
}

/** Why a Pod came by tag: nobody could tell what it means, or it was not pinned all the same. */
async function whyNotPinned(
  reference: ImageReference,
  digest: Digest | undefined,
  fault: Failure | undefined,
  { ports, access }: JudgingMeans,
): Promise<Failure> {
  const notPinned = failure('ImageNotPinned', failureCatalogue.ImageNotPinned.summary);
  if (digest !== undefined) return notPinned;
  if (fault !== undefined) return fault;
  try {
    const opened = await access();
    await untilAborted(ports.artifacts.resolve(reference, opened), opened.signal);
    return notPinned;
  } catch (error) {
    return toFailure(error);
  }
}

/** What runs is what was judged: a tag may mean something else by the time that a node pulls it. */
function checkPinned(
  whyNot: Failure,
  policies: readonly CompiledPolicy[],
  checks: readonly Check[],
): Check[] {
  const isSaid = ({ policy, code, blocks }: Check): boolean =>
    checks.some((check) => check.policy === policy && check.code === code && check.blocks === blocks);
  return policies
    .map((policy) => notPassed(policy, 'pinning', 'inconclusive', whyNot))
    .filter((check) => !isSaid(check));
}

interface CheckedImage extends Pick<ImageVerdict, 'lookedAt'> {
  readonly digest: Digest | undefined;
  /** Why nothing is known of it. */
  readonly fault: Failure | undefined;
  readonly checks: readonly Check[];
}

const notResolved = failure('InternalError', 'the image was not resolved');

async function checkImage(
  { reference, digest: known }: { readonly reference: ImageReference; readonly digest: Digest | undefined },
  matching: readonly CompiledPolicy[],
  about: WorkloadContext,
  { ports, access: openAccess, turn }: JudgingMeans,
): Promise<CheckedImage> {
  let digest = known;
  let findings: ReadonlyMap<CompiledPolicy, ImageFindings> = new Map();
  let fault: Failure | undefined;
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
  const checks: Check[] = [];
  await turn.each(matching, (policy) => {
    const found = findings.get(policy) ?? fault ?? notResolved;
    for (const requirement of policy.requirements) {
      checks.push(judgeRequirement(policy, requirement, reference, found, nowMs));
    }
  });
  return { digest, fault, checks, ...lookedAtFor([...findings.values()]) };
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
