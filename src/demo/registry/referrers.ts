import { parseDigest } from '../../image/digest.ts';
import { ociIndex } from '../../oci/media-types.ts';
import { jsonAnswer, nextPageLink, noSuchEndpoint } from './answer.ts';
import type { Answer } from './answer.ts';
import { listedData, pageOf } from './referrers-page.ts';
import type { StoredManifest } from './registry-store.ts';
import type { RouteContext } from './route-context.ts';

/** `GET /v2/<name>/referrers/<digest>` (distribution-spec, "Listing Referrers"): pages by the last digest shown. */
export function listReferrers(context: RouteContext): Answer {
  const { query, repository, reference, store, mechanisms, referrersPageSize, inlineDataBytes } = context;
  if (!mechanisms.referrers) return noSuchEndpoint;
  const subject = parseDigest(reference);
  const artifactType = query.get('artifactType');
  const last = query.get('last') ?? '';
  const rest = store
    .pointingAt(repository, subject, ['subject'])
    .filter((manifest) => artifactType === null || manifest.artifactType === artifactType)
    .filter(({ digest }) => digest > last);
  const page = pageOf(
    rest.slice(0, referrersPageSize).map((manifest) => describe(manifest, inlineDataBytes)),
  );
  const next = new URLSearchParams({
    ...(artifactType === null ? {} : { artifactType }),
    last: rest[page.length - 1]?.digest ?? '',
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

function describe(
  { mediaType, digest, bytes, artifactType, annotations }: StoredManifest,
  inlineDataBytes: number,
): object {
  return {
    mediaType,
    digest,
    size: bytes.byteLength,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...listedData(bytes, inlineDataBytes),
  };
}
