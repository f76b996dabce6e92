import type { Server as HttpsServer } from 'node:https';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { BaseLogger } from 'pino';
import type { FailureCode } from '../failures/catalogue.ts';
import { toFailure } from '../failures/failure.ts';
import { statusBody } from './status-body.ts';

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

/** One line for each status in this time, milliseconds. */
const loggedEveryMs = 10_000;

/** Answers what reaches no handler, and what a handler throws, with a `Status` and nothing of its cause. */
export function refuseWithSentences(app: FastifyInstance<HttpsServer>, options: RefusalOptions): void {
  const loggedMs = new Map<number, number>();
  const refuse = (reply: FastifyReply, status: number, code: FailureCode, message: string): FastifyReply => {
    options.refused(code);
    const nowMs = performance.now();
    // What is ours is logged with its cause.
    if (status !== 500 && nowMs - (loggedMs.get(status) ?? -Infinity) >= loggedEveryMs) {
      loggedMs.set(status, nowMs);
      options.log.warn({ code, status }, `A request was refused without a verdict: ${message}`);
    }
    return reply.code(status).send(statusBody(status, code, message));
  };
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    if (!options.paths.includes(path)) {
      return refuse(reply, 404, 'ReviewInvalid', `Nothing is here. ${options.hint}`);
    }
    reply.header('allow', options.method);
    return refuse(reply, 405, 'ReviewInvalid', `This method is not taken. ${options.hint}`);
  });
  app.setErrorHandler((error, _request, reply) => {
    if (isRequestError(error)) {
      const what = error.statusCode === 415 ? 'The content type is not application/json. ' : '';
      return refuse(reply, error.statusCode, 'ReviewInvalid', what + options.hint);
    }
    const { code, message } = toFailure(error);
    const status = statuses[code] ?? 500;
    if (status === 500) options.log.error({ cause: error }, 'A request failed');
    return refuse(reply, status, code, message);
  });
}

/** An error of the framework about the request, not about us. */
function isRequestError(error: unknown): error is { statusCode: number } {
  if (typeof error !== 'object' || error === null) return false;
  return (
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}
