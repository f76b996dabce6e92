import { RefwardenError } from '../../src/failures/failure.ts';

/** `code: message` of what is thrown; a thrown defect stays one. */
export function failureOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof RefwardenError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return 'nothing was thrown';
}
