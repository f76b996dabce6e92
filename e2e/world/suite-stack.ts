import { afterAll } from 'vitest';

/** What is put on it ends after the suite, the last first, even if the suite did not get ready. */
export function suiteStack(): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  afterAll(() => stack.disposeAsync());
  return stack;
}
