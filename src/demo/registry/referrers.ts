import { parseDigest } from '../../image/digest.ts';
import { ociIndex } from '../../oci/media-types.ts';
import { jsonAnswer, nextPageLink, noSuchEndpoint } from './answer.ts';
import type { Answer } from './answer.ts';
import type { StoredManifest } from './registry-store.ts';
import type { RouteContext } from './route-context.ts';

/** Bytes of descriptors in one page; clients read 4 MiB of an index. */
const maxPageBytes = 3 * 1024 * 1024;

/** `GET /v2/<name>/referrers/<digest>` (distribution-spec, "Listing Referrers"): pages by the last digest shown. */
export function listReferrers(context: RouteContext): Answer {
  const { query, repository, reference, store, mechanisms, referrersPageSize } = context;
  if (!mechanisms.referrers) return noSuchEndpoint;
  const subject = parseDigest(reference);
  const artifactType = query.get('artifactType');
  const last = query.get('last') ?? '';
  const rest = store
    .pointingAt(repository, subject, ['subject'])
    .filter((manifest) => artifactType === null || manifest.artifactType === artifactType)
    .filter(({ digest }) => digest > last);
  const page = firstPage(rest, referrersPageSize);
  const next = new URLSearchParams({
    ...(artifactType === null ? {} : { artifactType }),
    last: page.at(-1)?.digest ?? '',
  });
  return jsonAnswer(
    { schemaVersion: 2, mediaType: ociIndex, manifests: page },
    {
      'content-type': ociIndex,
      ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(page.length < rest.length
        ? { link: nextPageLink(`/v2/${repository}/referrers/${subject}`, next) }
        : {}),
    },
  );
}

type ReferrerDescriptor = Pick<StoredManifest, 'mediaType' | 'digest' | 'artifactType' | 'annotations'> & {
  readonly size: number;
};

/** At least one, so that paging always moves on. */
function firstPage(manifests: readonly StoredManifest[], maxCount: number): ReferrerDescriptor[] {
  const page: ReferrerDescriptor[] = [];
  let pageBytes = 0;
  for (const { mediaType, digest, bytes, artifactType, annotations } of manifests.slice(0, maxCount)) {
    const descriptor = {
      mediaType,
      digest,
      size: bytes.byteLength,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    pageBytes += Buffer.byteLength(JSON.stringify(descriptor));
    if (page.length > 0 && pageBytes > maxPageBytes) break;
    page.push(descriptor);
  }
  return page;
}
