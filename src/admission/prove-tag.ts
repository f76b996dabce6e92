import type { ImageReference } from '../image/reference.ts';
import { exceptPolicy } from '../policy/exceptions.ts';
import { selectsImage } from '../policy/match.ts';
import type { TagBesideDigest } from '../policy/match.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';
import type { JudgingMeans } from './judging-means.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * Whether the tag beside a digest is more than a claim: it means that digest now, as after pinning. Asked of the registry only
 * where a policy or an exception selects by the tag, and never in favour of the image when the registry does not say.
 */
export async function proveTag(
  { registry, repository, tag, digest }: ImageReference,
  policies: readonly CompiledPolicy[],
  { ports, access, exceptions, turn }: JudgingMeans,
): Promise<boolean> {
  if (tag === undefined || digest === undefined) return false;
  const image = { registry, repository, tag, digest };
  const decides = (policy: CompiledPolicy): boolean =>
    selectsImage(policy, image, 'proven') !== selectsImage(policy, image, 'claimed');
  const excepts = (policy: CompiledPolicy, worth: TagBesideDigest): number =>
    exceptPolicy(policy, exceptions, image, worth).exemptions.length;
  const decidesException = (policy: CompiledPolicy): boolean =>
    excepts(policy, 'proven') !== excepts(policy, 'claimed');
  const isAskedFor = (policy: CompiledPolicy): boolean => decides(policy) || decidesException(policy);
  if (!(await turn.some(policies, isAskedFor))) return false;
  try {
    const opened = await access();
    const tagged = await untilAborted(
      ports.artifacts.resolve({ registry, repository, tag }, opened),
      opened.signal,
    );
    return tagged.digest === digest;
  } catch {
    return false;
  }
}
