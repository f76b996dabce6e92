import type { FailureCode } from '../../failures/catalogue.ts';
import { RefwardenError } from '../../failures/failure.ts';
import { DerFault } from './der.ts';

/**
 * Runs what reads DER.
 * @param what starts the message: `The timestamp`.
 * @throws RefwardenError of the code instead of DerFault, and whatever else is thrown.
 */
export function readDer<T>(code: FailureCode, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw explained(code, what, cause);
  }
}

/** As {@link readDer}, for what is so long that others get their turn meanwhile. */
export async function readDerInTurns<T>(
  code: FailureCode,
  what: string,
  parse: () => Promise<T>,
): Promise<T> {
  try {
    return await parse();
  } catch (cause) {
    throw explained(code, what, cause);
  }
}

const explained = (code: FailureCode, what: string, cause: unknown): unknown =>
  cause instanceof DerFault
    ? new RefwardenError(code, `${what} does not parse: it has ${cause.message}.`, cause)
    : cause;
