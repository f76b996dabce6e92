import type { Digest } from '../image/digest.ts';
import type { ImageReference } from '../image/reference.ts';
import { exceptionsOf, exceptPolicy } from '../policy/exceptions.ts';
import type { ExceptedPolicy } from '../policy/exceptions.ts';
import type { TagBesideDigest } from '../policy/match.ts';
import type { CompiledException, CompiledPolicy } from '../policy/snapshot.ts';
import type { JudgingMeans } from './judging-means.ts';
import { untilAborted } from './until-aborted.ts';

export type ExceptedPolicies = ReadonlyMap<CompiledPolicy, ExceptedPolicy>;

interface AppliedExceptions {
  readonly excepted: ExceptedPolicies;
  /** What the tag means, where that was asked for: all else is judged for this very digest. */
  readonly digest: Digest | undefined;
}

/**
 * What the exceptions of the namespace leave of policies for one image. The registry is asked only where an exception
 * names a digest and the workload none; without an answer that exception does not count.
 */
export async function applyExceptions(
  reference: ImageReference,
  tag: TagBesideDigest,
  policies: readonly CompiledPolicy[],
  means: JudgingMeans,
): Promise<AppliedExceptions> {
  const { exceptions, turn } = means;
  const relevant = new Set(policies.flatMap((policy) => exceptionsOf(policy, exceptions)));
  const digest = await digestAskedFor(reference, [...relevant], means);
  const [image, worth] =
    digest === undefined ? [reference, tag] : ([{ ...reference, digest }, 'proven'] as const);
  const excepted = new Map<CompiledPolicy, ExceptedPolicy>();
  await turn.each(policies, (policy) => {
    excepted.set(policy, exceptPolicy(policy, exceptions, image, worth));
  });
  return { excepted, digest };
}

async function digestAskedFor(
  reference: ImageReference,
  exceptions: readonly CompiledException[],
  { ports, access }: JudgingMeans,
): Promise<Digest | undefined> {
  const isAskedFor = exceptions.some(({ images }) =>
    images.some((pattern) => pattern.byDigest && pattern.matchesRepository(reference)),
  );
  if (reference.digest !== undefined || !isAskedFor) return undefined;
  try {
    const opened = await access();
    const { digest } = await untilAborted(ports.artifacts.resolve(reference, opened), opened.signal);
    return digest;
  } catch {
    return undefined;
  }
}
