import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { shortDigest } from '../image/digest.ts';
import type { Platform } from '../oci/descriptor.ts';
import { formatPlatform, isMeantFor, mayRunOn } from '../oci/platform.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { CompiledPolicy, EvidenceRequirement } from '../policy/snapshot.ts';
import { notPassed, passed } from './checks.ts';
import { explainFailure, missesFor, worstGap } from './explain-failure.ts';
import type { Findings } from './findings-ledger.ts';
import type { ChildFindings, ChildrenFindings } from './gather-children.ts';
import type { Check, Miss } from './verdict.ts';

/** What was found about an image, and about the children of an index where a requirement asks for those. */
export interface ImageFindings {
  readonly digest: Digest;
  readonly own: Findings;
  readonly children?: ChildrenFindings | Failure;
}

/** One requirement on one image: by the image itself, or, for an index, by its children where policy says so. */
export function judgeRequirement(
  policy: CompiledPolicy,
  requirement: EvidenceRequirement,
  { digest, own, children }: ImageFindings,
  nowMs: number,
): Check {
  const byItself = judgeFindings(requirement, own, digest, nowMs);
  if (byItself.outcome === 'passed' || requirement.platforms === undefined || children === undefined)
    return toCheck(policy, requirement, byItself);
  if ('code' in children)
    return toCheck(policy, requirement, { outcome: 'inconclusive', why: children, misses: [] });
  return toCheck(policy, requirement, judgeChildren(requirement, requirement.platforms, children, nowMs));
}

type Judgement =
  | { readonly outcome: 'passed'; readonly evidence: readonly Evidence[] }
  | { readonly outcome: 'failed' | 'inconclusive'; readonly why: Failure; readonly misses: readonly Miss[] };

function judgeFindings(
  requirement: EvidenceRequirement,
  findings: Findings,
  digest: Digest,
  nowMs: number,
): Judgement {
  const evaluation = evaluateRequirement(requirement, findings.evidence, digest, nowMs);
  if (evaluation.satisfied) return { outcome: 'passed', evidence: evaluation.evidence };
  const misses = missesFor(findings, requirement);
  const gap = worstGap(findings.gaps);
  return gap === undefined
    ? { outcome: 'failed', why: explainFailure(requirement, evaluation.failure, misses), misses }
    : { outcome: 'inconclusive', why: gap, misses };
}

/** Every child that a node of the platforms might run must satisfy; the first that does not is named. */
function judgeChildren(
  requirement: EvidenceRequirement,
  platforms: NonNullable<EvidenceRequirement['platforms']>,
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
  return {
    outcome: 'passed',
    evidence: all.flatMap((judgement) => (judgement.outcome === 'passed' ? judgement.evidence : [])),
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

function toCheck(policy: CompiledPolicy, requirement: EvidenceRequirement, judgement: Judgement): Check {
  const { name, kind } = requirement;
  if (judgement.outcome === 'passed') {
    const { evidence } = judgement;
    const issuers = [...new Set(evidence.map(({ issuer }) => issuer))].join(', ');
    return { ...passed(policy, name, `${kind} by ${issuers}`), evidence };
  }
  const { outcome, why, misses } = judgement;
  return Object.assign(notPassed(policy, name, outcome, why), { misses });
}
