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

/** As {@link failureOf}, of what is rejected. */
export async function rejectionOf(act: () => Promise<unknown>): Promise<string> {
  const outcome = await act().then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  );
  return failureOf(() => {
    if (outcome !== undefined) throw outcome.thrown;
  });
}
