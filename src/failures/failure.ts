import { failureCatalogue } from './catalogue.ts';
import type { FailureCode, FailureKind } from './catalogue.ts';

/** A failure as a value: what a check, a verdict or a report carries. */
export interface Failure {
  readonly code: FailureCode;
  /** One or two sentences for people; no stack, no registry body, no secret. */
  readonly message: string;
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
  if (thrown instanceof RefwardenError) return failure(thrown.code, thrown.message);
  return failure('InternalError', failureCatalogue.InternalError.summary);
}
