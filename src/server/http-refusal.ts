import type { Server as HttpsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import type { BaseLogger } from 'pino';
import type { FailureCode } from '../failures/catalogue.ts';
import { failure, RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';

/** HTTP status of what is refused before there is a review to answer. Other codes are ours: 500. */
const statuses: Partial<Record<FailureCode, number>> = {
  ReviewInvalid: 400,
  ReviewTooLarge: 413,
  Overloaded: 503,
};

export interface RefusalOptions {
  /** What is served, and by which method. */
  readonly paths: readonly string[];
  readonly method: string;
  /** Says what to send instead, for whoever called another path. */
  readonly hint: string;
  readonly refused: (code: FailureCode) => void;
  readonly log: BaseLogger;
}

/** Answers what reaches no handler, and what a handler throws, with `{code, message}` and nothing of its cause. */
export function refuseWithSentences(app: FastifyInstance<HttpsServer>, options: RefusalOptions): void {
  const refused = (code: FailureCode, message: string): Failure => {
    options.refused(code);
    return failure(code, message);
  };
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    if (!options.paths.includes(path)) {
      return reply.code(404).send(refused('ReviewInvalid', `Nothing is here. ${options.hint}`));
    }
    reply.header('allow', options.method);
    return reply.code(405).send(refused('ReviewInvalid', `This method is not taken. ${options.hint}`));
  });
  app.setErrorHandler((error, _request, reply) => {
    if (isRequestError(error)) {
      const what = error.statusCode === 415 ? 'The content type is not application/json. ' : '';
      return reply.code(error.statusCode).send(refused('ReviewInvalid', what + options.hint));
    }
    const { code, message } = toFailure(error);
    const status = statuses[code] ?? 500;
    if (status === 500) options.log.error({ cause: error }, 'A request failed');
    return reply.code(status).send(refused(code, message));
  });
}

/** An error of the framework about the request, not about us. */
function isRequestError(error: unknown): error is { statusCode: number } {
  if (error instanceof RefwardenError || typeof error !== 'object' || error === null) return false;
  return (
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}
