import type { BackgroundProcess, BackgroundProcessOptions } from './background-process.ts';
import { startBackgroundProcess } from './background-process.ts';
import { waitUntil } from './wait-until.ts';

export interface ServiceOptions extends BackgroundProcessOptions {
  /** Answers `true` once the service can be used. */
  readonly isReady: () => Promise<true | undefined>;
  readonly timeoutMs?: number;
}

const READY_TIMEOUT_MS = 60_000;

/** Starts a process and waits until it can be used. If that fails, it is stopped and its log is in the error. */
export async function startService(options: ServiceOptions): Promise<BackgroundProcess> {
  const process = await startBackgroundProcess(options);
  try {
    await waitUntil(
      () => {
        process.assertRunning();
        return options.isReady();
      },
      { what: `${options.name} is ready`, timeoutMs: options.timeoutMs ?? READY_TIMEOUT_MS, intervalMs: 50 },
    );
    return process;
  } catch (error) {
    await process.kill();
    throw new Error(`${options.name} did not start. The end of its log:\n${process.logTail()}`, {
      cause: error,
    });
  }
}
