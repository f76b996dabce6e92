import { digestAlgorithm, matchesDigest, parseDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { readBody } from './read-body.ts';
import type { RouteContext } from './route-context.ts';
import { maxBlobBytes } from './upload-sessions.ts';

/** `POST /v2/<name>/blobs/uploads/`: a whole blob, a mount, or the start of an upload (distribution-spec, "Push"). */
export async function startUpload(context: RouteContext): Promise<Answer> {
  const { request, query, repository, store, uploads, mayPull } = context;
  const mount = query.get('mount');
  const from = query.get('from');
  if (mount !== null && from !== null && mayPull(from)) {
    const digest = parseDigest(mount);
    if (store.mountBlob(from, repository, digest)) return blobCreated(repository, digest);
  }
  const wanted = query.get('digest');
  if (wanted !== null) return storeBlob(context, await readBody(request, maxBlobBytes), parseDigest(wanted));
  const id = uploads.open(repository);
  return { status: 202, headers: progressHeaders(repository, id, 0) };
}

/** `/v2/<name>/blobs/uploads/<id>`: progress, the next chunk, the end, or giving up. */
export async function continueUpload(context: RouteContext): Promise<Answer> {
  const { request, method, query, repository, reference: id, uploads } = context;
  const size = uploads.size(repository, id);
  if (size === undefined) return errorAnswer(404, 'BLOB_UPLOAD_UNKNOWN', 'There is no such upload.');
  if (method === 'DELETE') {
    uploads.close(id);
    return { status: 204, headers: {} };
  }
  if (method === 'GET') return { status: 204, headers: progressHeaders(repository, id, size) };

  const outOfOrder = { status: 416, headers: progressHeaders(repository, id, size) };
  const range = request.headers['content-range'];
  const bounds = range === undefined ? undefined : /^(\d{1,15})-(\d{1,15})$/.exec(range);
  if (bounds === null || (bounds !== undefined && Number(bounds[1]) !== size)) return outOfOrder;
  const chunk = await readBody(request, maxBlobBytes);
  // Another request may have moved the upload on while this body arrived.
  if (uploads.size(repository, id) !== size) return outOfOrder;
  if (bounds !== undefined && Number(bounds[2]) - Number(bounds[1]) + 1 !== chunk.byteLength)
    return outOfOrder;
  if (method === 'PATCH') {
    uploads.append(id, chunk);
    return { status: 202, headers: progressHeaders(repository, id, size + chunk.byteLength) };
  }
  const wanted = query.get('digest');
  if (wanted === null)
    return errorAnswer(400, 'DIGEST_INVALID', 'The last request of an upload needs ?digest=.');
  const digest = parseDigest(wanted);
  uploads.append(id, chunk);
  return storeBlob(context, uploads.close(id), digest);
}

function storeBlob({ repository, store }: RouteContext, bytes: Uint8Array, digest: Digest): Answer {
  if (!matchesDigest(bytes, digest)) {
    return errorAnswer(400, 'DIGEST_INVALID', `The content does not hash to ${digest}.`);
  }
  store.putBlob(repository, bytes, digestAlgorithm(digest));
  return blobCreated(repository, digest);
}

function blobCreated(repository: string, digest: Digest): Answer {
  return {
    status: 201,
    headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest },
  };
}

function progressHeaders(repository: string, id: string, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(size - 1, 0)}`,
    'docker-upload-uuid': id,
  };
}
