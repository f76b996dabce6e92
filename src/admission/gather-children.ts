import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Platform } from '../oci/descriptor.ts';
import { mayRun } from '../oci/manifest.ts';
import type { Findings } from './findings-ledger.ts';
import { gatherForVerdict } from './gather-for-verdict.ts';
import type { Inquiry } from './inquiry.ts';
import { mapBounded } from './map-bounded.ts';
import type { RegistryAccess } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** Children of one index that are judged: more than images have platforms. */
const maxChildren = 64;
/** Of these, at the same time. */
const childConcurrency = 4;

/** What was found about one child of an index. */
export interface ChildFindings {
  readonly digest: Digest;
  /** Of each entry that names it; undefined for an entry without. */
  readonly platforms: readonly (Platform | undefined)[];
  readonly findings: Findings;
}

export type ChildrenFindings = readonly ChildFindings[];

/**
 * What refers to the children of an index, for the requirements that may be met by them. Undefined where the image is no
 * index; a failure where that cannot be told. Never throws.
 */
export async function gatherChildren(
  ports: VerifyPorts,
  inquiry: Inquiry,
  access: RegistryAccess,
): Promise<ChildrenFindings | Failure | undefined> {
  const { image, context } = inquiry;
  try {
    const document = await untilAborted(ports.artifacts.fetchParsed(image, access), access.signal);
    if (document.kind !== 'index') return undefined;
    const children = Map.groupBy(document.manifests.filter(mayRun), ({ digest }) => digest);
    if (children.size > maxChildren) {
      const message = `The index holds ${children.size} images; at most ${maxChildren} are judged.`;
      return failure('TooManyReferrers', message);
    }
    const { registry, repository } = image;
    return await mapBounded([...children], childConcurrency, async ([digest, entries]) => {
      const child: Inquiry = {
        ...inquiry,
        image: { registry, repository, digest },
        context: { ...context, image: { ...context.image, digest } },
      };
      const findings = await gatherForVerdict(ports, child, access);
      return { digest, platforms: entries.map(({ platform }) => platform), findings };
    });
  } catch (error) {
    return toFailure(error);
  }
}
