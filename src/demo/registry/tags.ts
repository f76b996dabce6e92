import { errorAnswer, jsonAnswer, nextPageLink } from './answer.ts';
import type { Answer } from './answer.ts';
import type { RouteContext } from './route-context.ts';

/** `GET /v2/<name>/tags/list?n=&last=` (distribution-spec, "Listing Tags"). */
export function listTags({ repository, query, store }: RouteContext): Answer {
  if (!store.hasRepository(repository))
    return errorAnswer(404, 'NAME_UNKNOWN', `There is no repository ${repository}.`);
  const last = query.get('last');
  const n = query.get('n');
  const rest = store.tags(repository).filter((tag) => last === null || tag > last);
  if (n !== null && !/^\d{1,9}$/.test(n)) return errorAnswer(400, 'UNSUPPORTED', 'n is no count.');
  const page = n === null ? rest : rest.slice(0, Number(n));
  const lastShown = page.at(-1);
  const link =
    lastShown === undefined || n === null || page.length === rest.length
      ? {}
      : { link: nextPageLink(`/v2/${repository}/tags/list`, new URLSearchParams({ n, last: lastShown })) };
  return jsonAnswer({ name: repository, tags: page }, link);
}
