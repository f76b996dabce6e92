import { ensureComponent } from '../components/ensure-component.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';

export interface OrasOptions {
  /** oras names layers by the paths it is given: run it where the files are. */
  readonly cwd?: string;
  readonly stdin?: string;
}

/** Runs oras without anyone's registry logins and returns what it printed. */
export type Oras = (args: readonly string[], options?: OrasOptions) => Promise<string>;

export async function makeOras(home: string): Promise<Oras> {
  const binary = await ensureComponent('oras');
  const env = { HOME: home, DOCKER_CONFIG: home };
  return async (args, options = {}) => {
    const result = await runCommandOrThrow(binary, args, { env, ...options });
    return result.stdout.trim();
  };
}
