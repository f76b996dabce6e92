import { anonymousScope } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import { isHtml } from '../network/http-answer.ts';
import type { HttpAnswer } from '../network/http-exchange.ts';
import type { Work } from './wire.ts';

const maxCodes = 16;

/** Statuses that never say anything about what was asked for; undefined for the others. */
export function refusalOf(
  answer: HttpAnswer,
  target: Repository,
  what: string,
  work: Work,
): RefwardenError | undefined {
  const { status } = answer;
  if (status === 401 || status === 403) {
    const hasCredentials = work.credentials.scope(target.registry, target.repository) !== anonymousScope;
    return new RefwardenError(
      'RegistryUnauthorized',
      `${target.registry} refused access to ${what} (${status}), asked ${hasCredentials ? 'with the credentials given' : 'without credentials'}.`,
    );
  }
  if (status === 429) {
    return new RefwardenError(
      'RegistryRateLimited',
      `${target.registry} limits the rate of requests (429) for ${what}.`,
    );
  }
  if (status >= 500 && status !== 501) {
    return new RefwardenError('RegistryUnavailable', `${target.registry} answered ${status} for ${what}.`);
  }
  return undefined;
}

/** An answer that fits nothing of the protocol. */
export function oddAnswer(answer: HttpAnswer, what: string): RefwardenError {
  const kind = isHtml(answer) ? 'a web page' : 'an unexpected answer';
  return new RefwardenError('RegistryProtocolError', `${what}: ${kind} (${answer.status}).`);
}

/** Error codes of an OCI error answer (distribution-spec "Error Codes"); none for anything else. */
export function errorCodes(answer: HttpAnswer): string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(answer.body).toString('utf8'));
    const errors: unknown =
      typeof parsed === 'object' && parsed !== null && 'errors' in parsed ? parsed.errors : [];
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, maxCodes).flatMap((error: unknown) => {
      const code: unknown =
        typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
      return typeof code === 'string' ? [code] : [];
    });
  } catch {
    return [];
  }
}
