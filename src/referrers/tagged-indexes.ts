import type { ContentStore, TagList } from '../admission/content-store.ts';
import type { RegistryAccess, ResolvedImage, Subject } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import { isIndexType } from '../oci/media-types.ts';

/** Tags made of digests: they hold what refers to an image, and no indexes. */
const digestTag = /^sha(?:256|512)-[0-9a-f]{16}/;
/** Tags asked for at the same time. */
const tagsAtOnce = 16;

/** What the tags hold, as far as it may be an index: the registry's word on the type spares fetching the others. */
export async function indexesUnderTags(
  store: ContentStore,
  { registry, repository, digest }: Subject,
  tags: readonly string[],
  access: RegistryAccess,
): Promise<ListedArtifact[]> {
  const found: ListedArtifact[] = [];
  for (let from = 0; from < tags.length; from += tagsAtOnce) {
    const batch = tags.slice(from, from + tagsAtOnce);
    const images = await Promise.all(
      batch.map((tag) => resolveIfThere(store, { registry, repository, tag }, access)),
    );
    for (const image of images) {
      if (image === undefined || image.digest === digest) continue;
      if (image.mediaType === undefined || isIndexType(image.mediaType)) found.push({ digest: image.digest });
    }
  }
  return found;
}

async function resolveIfThere(
  store: ContentStore,
  tagged: Parameters<ContentStore['resolveTag']>[0],
  access: RegistryAccess,
): Promise<ResolvedImage | undefined> {
  try {
    return await store.resolveTag(tagged, access);
  } catch (thrown) {
    if (thrown instanceof RefwardenError && thrown.code === 'ImageNotFound') return undefined;
    throw thrown;
  }
}

/** `latest` first, then from the end of the alphabet, where versions mostly grow; `isWhole` is false when some are left out. */
export function tagsToScan(list: TagList, maxTags: number): { tags: readonly string[]; isWhole: boolean } {
  const candidates = list.tags.filter((tag) => !digestTag.test(tag)).toSorted((a, b) => (a < b ? 1 : -1));
  const tags = [
    ...candidates.filter((tag) => tag === 'latest'),
    ...candidates.filter((tag) => tag !== 'latest'),
  ].slice(0, maxTags);
  return { tags, isWhole: list.isWhole && tags.length === candidates.length };
}
