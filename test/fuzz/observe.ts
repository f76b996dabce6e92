import { failureCatalogue } from '../../src/failures/catalogue.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import type { Failure } from '../../src/failures/failure.ts';

/** A refusal is for people: a few lines, whatever the input holds. Characters. */
const maxMessageLength = 2000;

/** What was read, or the refusal. @throws Error for anything that is no refusal of the catalogue. */
export function observe(read: () => unknown): string {
  try {
    return `read ${JSON.stringify(read())}`;
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    checkFailure(thrown);
    return `${thrown.code}: ${thrown.message}`;
  }
}

export function checkFailure({ code, message }: Failure): void {
  if (!Object.hasOwn(failureCatalogue, code)) throw new Error(`no code of the catalogue: ${code}`);
  if (code === 'InternalError') throw new Error(`a defect of ours: ${message}`);
  if (message.length > maxMessageLength)
    throw new Error(`a message of ${message.length} characters: ${code} ${message.slice(0, 300)}`);
}
