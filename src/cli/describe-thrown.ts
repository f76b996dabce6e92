import { failureCatalogue } from '../failures/catalogue.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { toFailure } from '../failures/failure.ts';
import { sanitize } from '../admission/answer.ts';

/** What a command prints of an error: its code, what happened and what to do; never a stack. */
export function describeThrown(error: unknown): { code: FailureCode; message: string; remedy: string } {
  const { code, message } = toFailure(error);
  return { code, message: sanitize(message), remedy: failureCatalogue[code].remedy };
}
