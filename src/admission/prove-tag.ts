import type { ImageReference } from '../image/reference.ts';
import { selectsImage } from '../policy/match.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/**
 * Whether the tag beside a digest is more than a claim: it means that digest now, as after pinning. Asked of the registry only
 * where a policy selects by the tag, and never in favour of the image when the registry does not say.
 */
export async function proveTag(
  { registry, repository, tag, digest }: ImageReference,
  policies: readonly CompiledPolicy[],
  { artifacts }: VerifyPorts,
  access: () => Promise<RegistryAccess>,
): Promise<boolean> {
  if (tag === undefined || digest === undefined) return false;
  const image = { registry, repository, tag, digest };
  const decides = (policy: CompiledPolicy): boolean =>
    selectsImage(policy, image, 'proven') !== selectsImage(policy, image, 'claimed');
  if (!policies.some(decides)) return false;
  try {
    const opened = await access();
    const tagged = await untilAborted(
      artifacts.resolve({ registry, repository, tag }, opened),
      opened.signal,
    );
    return tagged.digest === digest;
  } catch {
    return false;
  }
}
