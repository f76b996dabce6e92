import { parseDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { orasArtifactManifest } from '../../oci/media-types.ts';
import { errorAnswer, jsonAnswer, nextPageLink, noSuchEndpoint } from './answer.ts';
import type { Answer } from './answer.ts';
import { listedData, pageOf } from './referrers-page.ts';
import type { RouteContext } from './route-context.ts';

/** `GET /oras/artifacts/v1/<name>/manifests/<digest>/referrers?n=&artifactType=` (ORAS artifacts-spec draft.1). */
export function listOrasDraft(context: RouteContext): Answer {
  const { repository, reference, mechanisms } = context;
  if (mechanisms.oras?.includes('draft') !== true) return noSuchEndpoint;
  const subject = parseDigest(reference);
  const path = `/oras/artifacts/v1/${repository}/manifests/${subject}/referrers`;
  return listPage(context, subject, { key: 'references', path, query: {}, headers: {} });
}

/** `GET /v2/<name>/_oras/artifacts/referrers?digest=&n=&artifactType=` (ORAS artifacts-spec rc.1, rc.2). */
export function listOrasReferrers(context: RouteContext): Answer {
  const { repository, query, mechanisms } = context;
  if (mechanisms.oras?.includes('rc') !== true) return noSuchEndpoint;
  const subject = parseDigest(query.get('digest') ?? '');
  return listPage(context, subject, {
    key: 'referrers',
    path: `/v2/${repository}/_oras/artifacts/referrers`,
    query: { digest: subject },
    headers: { 'oras-api-version': 'oras/1.0' },
  });
}

/** In what the two paths differ. */
interface OrasForm {
  readonly key: 'references' | 'referrers';
  readonly path: string;
  /** What the next page has to be asked with, beside the paging. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Descriptors without annotations; pages by the last digest shown, which is opaque to clients. */
function listPage(context: RouteContext, subject: Digest, form: OrasForm): Answer {
  const { query, repository, store, referrersPageSize, inlineDataBytes } = context;
  const n = query.get('n');
  if (n !== null && !/^[1-9]\d{0,8}$/.test(n)) return errorAnswer(400, 'UNSUPPORTED', 'n is no count.');
  const artifactType = query.get('artifactType');
  const last = query.get('nextToken') ?? '';
  const rest = store
    .pointingAt(repository, subject, ['subject'])
    // The only manifests that registries listed there.
    .filter((manifest) => manifest.mediaType === orasArtifactManifest)
    .filter((manifest) => artifactType === null || manifest.artifactType === artifactType)
    .filter(({ digest }) => digest > last);
  const maxCount = n === null ? referrersPageSize : Math.min(Number(n), referrersPageSize);
  const page = pageOf(
    rest.slice(0, maxCount).map(({ mediaType, digest, bytes, artifactType: type = '' }) => ({
      mediaType,
      digest,
      size: bytes.byteLength,
      artifactType: type,
      ...listedData(bytes, inlineDataBytes),
    })),
  );
  const next = new URLSearchParams({
    ...form.query,
    ...(n === null ? {} : { n }),
    ...(artifactType === null ? {} : { artifactType }),
    nextToken: rest[page.length - 1]?.digest ?? '',
  });
  const link = page.length < rest.length ? { link: nextPageLink(form.path, next) } : {};
  return jsonAnswer({ [form.key]: page }, { ...form.headers, ...link });
}
