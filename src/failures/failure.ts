import { failureCatalogue } from './catalogue.ts';
import type { FailureCode, FailureKind } from './catalogue.ts';

/** A failure as a value: what a check, a verdict or a report carries. */
export interface Failure {
  readonly code: FailureCode;
  /** One or two sentences for people; no stack, no registry body, no secret. */
  readonly message: string;
  /** Somebody who pushes can bring it about, whatever its code: no policy waives it. */
  readonly isOfContent?: true;
  /** What lies behind it: for the log (redacted) only. Not enumerable, so that nothing else ever shows it. */
  readonly cause?: unknown;
}

/** The one error class. Edges throw it; `admission/` turns it into a {@link Failure} once. */
export class RefwardenError extends Error implements Failure {
  override readonly name = 'RefwardenError';
  readonly code: FailureCode;

  /** @param cause logged (redacted), never shown to a user. */
  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function failure(code: FailureCode, message: string): Failure {
  return { code, message };
}

export function failureKind(code: FailureCode): FailureKind {
  return failureCatalogue[code].kind;
}

/** Anything thrown becomes a named failure; what is not ours is `InternalError` and tells nothing of itself. */
export function toFailure(thrown: unknown): Failure {
  return thrown instanceof RefwardenError
    ? withCause(failure(thrown.code, thrown.message), thrown.cause)
    : withCause(failure('InternalError', failureCatalogue.InternalError.summary), thrown);
}

/** The same value with a cause that is not enumerable: neither JSON nor a spread carries it on. */
export function withCause<T extends object>(value: T, cause: unknown): T {
  return cause === undefined ? value : Object.defineProperty(value, 'cause', { value: cause });
}
