import { vi } from 'vitest';

/** Looks again and again, for as long as a busy machine may take. @returns what the assertion gives once it does not throw. */
export const until = <T>(assertion: () => T | Promise<T>, timeoutMs = 10_000): Promise<T> =>
  vi.waitFor(assertion, { timeout: timeoutMs, interval: 10 });
