import type { ContentStore, TagList } from '../admission/content-store.ts';
import type { RegistryAccess, ResolvedImage, Subject } from '../admission/ports.ts';
import { toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import { isIndexType } from '../oci/media-types.ts';

/** Tags made of digests: they hold what refers to an image, and no indexes. */
const digestTag = /^sha(?:256|512)-[0-9a-f]{16}/;
/** Tags asked for at the same time. */
const tagsAtOnce = 16;

/** What may be indexes, and why that is not known of further tags. */
export interface TaggedIndexes {
  readonly entries: readonly ListedArtifact[];
  readonly failures: readonly Failure[];
}

/**
 * What the tags hold, as far as it may be an index: the registry's word on the type spares fetching the others. A tag that
 * cannot be read hides no other.
 */
export async function indexesUnderTags(
  store: ContentStore,
  { registry, repository, digest }: Subject,
  tags: readonly string[],
  access: RegistryAccess,
): Promise<TaggedIndexes> {
  const entries: ListedArtifact[] = [];
  const failures: Failure[] = [];
  for (let from = 0; from < tags.length; from += tagsAtOnce) {
    const batch = tags.slice(from, from + tagsAtOnce);
    const asked = batch.map((tag) => store.resolveTag({ registry, repository, tag }, access));
    for (const result of await Promise.allSettled(asked)) {
      if (result.status === 'rejected') {
        const why = toFailure(result.reason);
        if (why.code !== 'ImageNotFound') failures.push(why);
      } else if (result.value.digest !== digest && mayBeIndex(result.value)) {
        entries.push({ digest: result.value.digest });
      }
    }
  }
  return { entries, failures };
}

const mayBeIndex = ({ mediaType }: ResolvedImage): boolean =>
  mediaType === undefined || isIndexType(mediaType);

/** `latest` first, then from the end of the alphabet, where versions mostly grow; `isWhole` is false when some are left out. */
export function tagsToScan(list: TagList, maxTags: number): { tags: readonly string[]; isWhole: boolean } {
  const candidates = list.tags.filter((tag) => !digestTag.test(tag)).toSorted((a, b) => (a < b ? 1 : -1));
  const tags = [
    ...candidates.filter((tag) => tag === 'latest'),
    ...candidates.filter((tag) => tag !== 'latest'),
  ].slice(0, maxTags);
  return { tags, isWhole: list.isWhole && tags.length === candidates.length };
}
