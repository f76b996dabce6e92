import { failure, failureKind } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { shortDigest } from '../image/digest.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Platform } from '../oci/descriptor.ts';
import { formatPlatform, isMeantFor, mayRunOn } from '../oci/platform.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import type { Evidence } from '../policy/evidence.ts';
import type {
  AnyOfRequirement,
  CompiledPolicy,
  CompiledRequirement,
  CrossCheckRequirement,
  EvidenceRequirement,
  SingleRequirement,
} from '../policy/snapshot.ts';
import { notPassed, passed } from './checks.ts';
import { explainFailure, missesFor, noneOf, worstGap } from './explain-failure.ts';
import type { Findings } from './findings-ledger.ts';
import type { ChildFindings, ChildrenFindings } from './gather-children.ts';
import type { Check, Miss } from './verdict.ts';

/** What was found about an image, and about the children of an index where a requirement asks for those. */
export interface ImageFindings {
  readonly digest: Digest;
  readonly own: Findings;
  readonly children?: ChildrenFindings | Failure;
}

type Judgement =
  | { readonly outcome: 'passed'; readonly message: string; readonly evidence: readonly Evidence[] }
  | { readonly outcome: 'failed' | 'inconclusive'; readonly why: Failure; readonly misses: readonly Miss[] };

/** Requirements that what was found decides. */
type FoundRequirement = EvidenceRequirement | CrossCheckRequirement;

/**
 * One requirement on one image: by how it is named, by what was found for itself, or, for an index, for its children where
 * policy says so.
 * @param found why nothing was looked for, where that is so.
 */
export function judgeRequirement(
  policy: CompiledPolicy,
  requirement: CompiledRequirement,
  reference: ImageReference,
  found: ImageFindings | Failure,
  nowMs: number,
): Check {
  const { name } = requirement;
  const judgement =
    requirement.kind === 'anyOf'
      ? judgeAnyOf(requirement, reference, found, nowMs)
      : judge(requirement, reference, found, nowMs);
  if (judgement.outcome === 'passed') {
    const { message, evidence } = judgement;
    return { ...passed(policy, name, message), evidence };
  }
  const { outcome, why, misses } = judgement;
  return Object.assign(notPassed(policy, name, outcome, why), { misses });
}

function judge(
  requirement: SingleRequirement | CrossCheckRequirement,
  reference: ImageReference,
  found: ImageFindings | Failure,
  nowMs: number,
): Judgement {
  switch (requirement.kind) {
    case 'unready':
      return { outcome: 'failed', why: requirement.notReady, misses: [] };
    case 'pinned':
      return judgePinned(reference);
    default:
      return 'code' in found
        ? { outcome: 'inconclusive', why: found, misses: [] }
        : judgeFound(requirement, found, nowMs);
  }
}

function judgePinned({ digest }: ImageReference): Judgement {
  if (digest !== undefined)
    return { outcome: 'passed', message: `named by ${shortDigest(digest)}`, evidence: [] };
  const why = failure('NotPinned', 'asks for a digest, and the image is named by tag');
  return { outcome: 'failed', why, misses: [] };
}

/** Any one that passes is enough; as long as one is open, none has failed for certain. */
function judgeAnyOf(
  { alternatives }: AnyOfRequirement,
  reference: ImageReference,
  found: ImageFindings | Failure,
  nowMs: number,
): Judgement {
  const judged = alternatives.map((alternative) => judge(alternative, reference, found, nowMs));
  const first = judged.find(({ outcome }) => outcome === 'passed');
  if (first !== undefined) return first;
  const against = judged.filter((judgement) => judgement.outcome !== 'passed');
  const misses = [...new Set(against.flatMap((judgement) => judgement.misses))];
  const open = against.filter(({ outcome }) => outcome === 'inconclusive').map(({ why }) => why);
  const gap = worstGap(open);
  if (gap !== undefined) return { outcome: 'inconclusive', why: gap, misses };
  return { outcome: 'failed', why: noneOf(against.map(({ why }) => why)), misses };
}

/** By the image itself, or, for an index, by its children. */
function judgeFound(
  requirement: FoundRequirement,
  { digest, own, children }: ImageFindings,
  nowMs: number,
): Judgement {
  const byItself = judgeFindings(requirement, own, digest, nowMs);
  if (byItself.outcome === 'passed' || requirement.platforms === undefined || children === undefined)
    return byItself;
  return 'code' in children
    ? { outcome: 'inconclusive', why: children, misses: [] }
    : judgeChildren(requirement, requirement.platforms, children, nowMs);
}

function judgeFindings(
  requirement: FoundRequirement,
  findings: Findings,
  digest: Digest,
  nowMs: number,
): Judgement {
  if (requirement.kind === 'crossCheck') return judgeCrossCheck(requirement, findings);
  const evaluation = evaluateRequirement(requirement, findings.evidence, digest, nowMs);
  if (evaluation.satisfied) {
    const { evidence } = evaluation;
    const issuers = [...new Set(evidence.map(({ issuer }) => issuer))].join(', ');
    return { outcome: 'passed', message: `${requirement.kind} by ${issuers}`, evidence };
  }
  const misses = missesFor(findings, requirement);
  return unmet(explainFailure(requirement, evaluation.failure, misses), findings, misses);
}

function judgeCrossCheck(requirement: CrossCheckRequirement, findings: Findings): Judgement {
  const result = findings.crossChecks.get(requirement);
  if (result === undefined) return unmet(worstGap(findings.gaps) ?? notEvaluated, findings, []);
  return result.holds
    ? { outcome: 'passed', message: 'every expression is true', evidence: [] }
    : unmet(result.failure, findings, []);
}

const notEvaluated = failure('InternalError', 'the expressions were not evaluated');

/** What was not seen might have met it; what could not be judged has not failed. */
function unmet(why: Failure, { gaps }: Findings, misses: readonly Miss[]): Judgement {
  const isOpen = failureKind(why.code) === 'inconclusive' || failureKind(why.code) === 'internal';
  const gap = worstGap(isOpen ? [why, ...gaps] : gaps);
  return gap === undefined
    ? { outcome: 'failed', why, misses }
    : { outcome: 'inconclusive', why: gap, misses };
}

/** Every child that a node of the platforms might run must satisfy; the first that does not is named. */
function judgeChildren(
  requirement: FoundRequirement,
  platforms: NonNullable<FoundRequirement['platforms']>,
  children: ChildrenFindings,
  nowMs: number,
): Judgement {
  const wanted = platforms === 'All' ? [undefined] : platforms;
  const judged = new Map<Digest, Judgement>();
  for (const platform of wanted) {
    const due = children.filter((child) => runsOn(child, platform));
    if (!due.some((child) => isFor(child, platform))) {
      const what = platform === undefined ? 'nothing that runs' : `nothing for ${formatPlatform(platform)}`;
      return { outcome: 'failed', why: failure('PlatformMissing', `the index holds ${what}`), misses: [] };
    }
    for (const child of due) {
      judged.set(
        child.digest,
        nameChild(judgeFindings(requirement, child.findings, child.digest, nowMs), child),
      );
    }
  }
  const all = [...judged.values()];
  const worst =
    all.find(({ outcome }) => outcome === 'failed') ?? all.find(({ outcome }) => outcome === 'inconclusive');
  if (worst !== undefined) return worst;
  const passing = all.filter((judgement) => judgement.outcome === 'passed');
  return {
    outcome: 'passed',
    message: [...new Set(passing.map(({ message }) => message))].join('; '),
    evidence: passing.flatMap(({ evidence }) => evidence),
  };
}

/** What has no platform may be run on any. */
function runsOn({ platforms }: ChildFindings, wanted: Platform | undefined): boolean {
  return (
    wanted === undefined || platforms.some((platform) => platform === undefined || mayRunOn(wanted, platform))
  );
}

/** What a node might run instead of its own does not make up for that missing. */
function isFor({ platforms }: ChildFindings, wanted: Platform | undefined): boolean {
  return (
    wanted === undefined ||
    platforms.some((platform) => platform === undefined || isMeantFor(wanted, platform))
  );
}

function nameChild(judgement: Judgement, { digest, platforms }: ChildFindings): Judgement {
  if (judgement.outcome === 'passed') return judgement;
  const [platform] = platforms;
  const name = platform === undefined ? 'without platform' : formatPlatform(platform);
  const { why } = judgement;
  return { ...judgement, why: { ...why, message: `child ${shortDigest(digest)} (${name}): ${why.message}` } };
}
