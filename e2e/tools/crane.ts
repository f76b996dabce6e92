import { ensureComponent } from '../components/ensure-component.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';

/** Runs crane without anyone's registry logins and returns what it printed. Loopback hosts get plain HTTP. */
export type Crane = (args: readonly string[], stdin?: string) => Promise<string>;

export async function makeCrane(home: string): Promise<Crane> {
  const binary = await ensureComponent('crane');
  const env = { HOME: home, DOCKER_CONFIG: home };
  return async (args, stdin) => {
    const result = await runCommandOrThrow(binary, args, { env, ...(stdin === undefined ? {} : { stdin }) });
    return result.stdout.trim();
  };
}
