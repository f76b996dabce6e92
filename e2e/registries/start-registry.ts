import { join } from 'node:path';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { startService } from '../processes/start-service.ts';
import type { TemporaryDirectory } from '../processes/temporary-directory.ts';
import type { RunningRegistry } from './running-registry.ts';

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
  const start = (): Promise<BackgroundProcess> =>
    startService({
      name,
      file,
      args,
      logPath: join(directory.path, `${name}.log`),
      env: { OTEL_TRACES_EXPORTER: 'none' },
      isReady: () => httpAnswers(`http://${host}/v2/`),
    });
  let process = await start().catch(async (error: unknown) => {
    await directory.remove();
    throw error;
  });
  return {
    host,
    stop: async () => {
      await process.stop();
      await directory.remove();
    },
    interrupt: async () => {
      await process.stop();
      return async () => {
        process = await start();
      };
    },
  };
}
