import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Ends the error message: "waited 5000 ms in vain: <what>". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/**
 * Asks `probe` again and again until it answers with something other than `undefined`.
 * A probe that throws ends the waiting at once: a process that died will not come up by waiting.
 */
export async function waitUntil<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) {
      throw new Error(`waited ${options.timeoutMs} ms in vain: ${options.what}`);
    }
    await sleep(options.intervalMs ?? 100);
  }
}
