import type { IncomingMessage } from 'node:http';
import { RefwardenError } from '../../failures/failure.ts';
import { errorAnswer, jsonAnswer, noSuchEndpoint } from './answer.ts';
import type { Answer } from './answer.ts';
import { RegistryAuth, tokenPath } from './auth.ts';
import type { AccessNeed, AuthOptions } from './auth.ts';
import { findRoute } from './find-route.ts';
import type { RegistryStore } from './registry-store.ts';
import type { Mechanisms } from './route-context.ts';
import { UploadSessions } from './upload-sessions.ts';

export interface AnswererOptions {
  readonly mechanisms: Mechanisms;
  readonly auth?: AuthOptions;
  readonly referrersPageSize?: number;
  readonly inlineDataBytes?: number;
  readonly store: RegistryStore;
}

const defaultReferrersPageSize = 100;
const maxRepositoryLength = 255;
const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** From a request to its answer: access first, then the route of the resource. Never rejects for what a client sends. */
export function makeAnswerer(options: AnswererOptions): (request: IncomingMessage) => Promise<Answer> {
  const { store, mechanisms, referrersPageSize = defaultReferrersPageSize, inlineDataBytes = 0 } = options;
  const auth = options.auth === undefined ? undefined : new RegistryAuth(options.auth);
  const uploads = new UploadSessions();
  return async (request) => {
    const method = request.method ?? '';
    const [path, query] = splitTarget(request.url ?? '');
    if (path === tokenPath && method === 'GET') return auth?.issueToken(request, query) ?? noSuchEndpoint;
    const found = findRoute(method, path);
    if (found === undefined && path !== '/v2/' && path !== '/v2') return noSuchEndpoint;
    if (found !== undefined && !isRepositoryName(found.repository)) {
      return errorAnswer(400, 'NAME_INVALID', 'The repository name does not follow the grammar.');
    }
    const refused = auth?.refuse(request, { repository: found?.repository, action: actionOf(method) });
    if (refused !== undefined) return refused;
    if (found === undefined) return jsonAnswer({});
    const { repository, reference, route } = found;
    if (route === undefined) return errorAnswer(405, 'UNSUPPORTED', `${method} is not for this resource.`);
    const mayPull = (from: string): boolean =>
      auth?.refuse(request, { repository: from, action: 'pull' }) === undefined;
    const context = {
      request,
      method,
      query,
      repository,
      reference,
      store,
      uploads,
      mechanisms,
      referrersPageSize,
      inlineDataBytes,
    };
    try {
      return await route({ ...context, mayPull });
    } catch (error) {
      return answerForError(error);
    }
  };
}

export function isRepositoryName(name: string): boolean {
  return name.length <= maxRepositoryLength && repositoryPattern.test(name);
}

function actionOf(method: string): AccessNeed['action'] {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

function answerForError(error: unknown): Answer {
  if (error instanceof RefwardenError && error.code === 'DigestUnsupported') {
    return errorAnswer(400, 'DIGEST_INVALID', error.message);
  }
  if (error instanceof RefwardenError && error.code === 'ArtifactTooLarge') {
    // The rest of the body is not read: the connection cannot be used again.
    return errorAnswer(413, 'SIZE_INVALID', error.message, { connection: 'close' });
  }
  return errorAnswer(500, 'UNKNOWN', 'The embedded registry failed.');
}

function splitTarget(target: string): [path: string, query: URLSearchParams] {
  const at = target.indexOf('?');
  return at === -1
    ? [target, new URLSearchParams()]
    : [target.slice(0, at), new URLSearchParams(target.slice(at + 1))];
}
