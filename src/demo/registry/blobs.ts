import { parseDigest } from '../../image/digest.ts';
import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { RouteContext } from './route-context.ts';

/** `/v2/<name>/blobs/<digest>`: GET, HEAD and DELETE. */
export function serveBlob({ method, repository, reference, store }: RouteContext): Answer {
  const digest = parseDigest(reference);
  const bytes = store.blob(repository, digest);
  if (bytes === undefined)
    return errorAnswer(404, 'BLOB_UNKNOWN', `There is no blob ${digest} in ${repository}.`);
  if (method === 'DELETE') {
    store.deleteBlob(repository, digest);
    return { status: 202, headers: {} };
  }
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  return { status: 200, headers, body: bytes };
}
