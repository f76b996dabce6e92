import { join } from 'node:path';
import { startBackgroundProcess } from '../processes/background-process.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import type { TemporaryDirectory } from '../processes/temporary-directory.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { RunningRegistry } from './running-registry.ts';

const READY_TIMEOUT_MS = 15_000;

export interface RegistryProcess {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly host: string;
  /** Removed when the registry stops. */
  readonly directory: TemporaryDirectory;
}

/** Starts a registry program and waits until it answers at `/v2/`. */
export async function startRegistry(registry: RegistryProcess): Promise<RunningRegistry> {
  const { name, file, args, host, directory } = registry;
  const process = await startBackgroundProcess({
    name,
    file,
    args,
    logPath: join(directory.path, `${name}.log`),
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const stop = async (): Promise<void> => {
    await process.stop();
    await directory.remove();
  };
  try {
    await waitUntil(
      () => {
        process.assertRunning();
        return httpAnswers(`http://${host}/v2/`);
      },
      { what: `${name} answers`, timeoutMs: READY_TIMEOUT_MS, intervalMs: 50 },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, stop };
}
