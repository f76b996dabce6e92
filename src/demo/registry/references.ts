import { errorAnswer, jsonAnswer, noSuchEndpoint } from './answer.ts';
import type { Answer } from './answer.ts';
import { manifestDigest, manifestUnknown } from './manifests.ts';
import { listedData } from './referrers-page.ts';
import type { RouteContext } from './route-context.ts';

/**
 * `GET /v2/<name>/manifests/<tag|digest>/references`, as image-spec #827 proposed it: the manifests of the
 * repository that refer to this one, parent indexes included. The whole manifest is named even when the
 * `reference` stands on a descriptor within; no paging, no filter. A digest need not exist: references may dangle.
 */
export function listReferences(context: RouteContext): Answer {
  const { repository, reference, store, mechanisms, inlineDataBytes } = context;
  if (!mechanisms.references) return noSuchEndpoint;
  if (!store.hasRepository(repository))
    return errorAnswer(404, 'NAME_UNKNOWN', `There is no repository ${repository}.`);
  const target = manifestDigest(store, repository, reference);
  if (target === undefined) return manifestUnknown(repository, reference);
  const manifests = store
    .pointingAt(repository, target, ['reference', 'subject', 'child'])
    .map(({ mediaType, bytes, digest }) => ({
      mediaType,
      size: bytes.byteLength,
      digest,
      ...listedData(bytes, inlineDataBytes),
    }));
  return jsonAnswer({ manifests });
}
