import { join } from 'node:path';
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
  try {
    const process = await startService({
      name,
      file,
      args,
      logPath: join(directory.path, `${name}.log`),
      env: { OTEL_TRACES_EXPORTER: 'none' },
      isReady: () => httpAnswers(`http://${host}/v2/`),
    });
    const stop = async (): Promise<void> => {
      await process.stop();
      await directory.remove();
    };
    return { host, stop };
  } catch (error) {
    await directory.remove();
    throw error;
  }
}
