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
    if (!(cause instanceof DerFault)) throw cause;
    throw new RefwardenError(code, `${what} does not parse: it has ${cause.message}.`, cause);
  }
}
