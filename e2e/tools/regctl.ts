import { ensureComponent } from '../components/ensure-component.ts';
import type { CommandOptions } from '../processes/run-command.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';

/** Runs regctl without anyone's registry logins and returns what it printed; the host gets plain HTTP. */
export type Regctl = (
  host: string,
  args: readonly string[],
  options?: Pick<CommandOptions, 'stdin' | 'cwd'>,
) => Promise<string>;

export async function makeRegctl(home: string): Promise<Regctl> {
  const binary = await ensureComponent('regctl');
  const env = { HOME: home, DOCKER_CONFIG: home, REGCTL_CONFIG: `${home}/regctl.json` };
  return async (host, args, options = {}) => {
    const flags = [`--host=reg=${host},tls=disabled`];
    const result = await runCommandOrThrow(binary, [...flags, ...args], { ...options, env });
    return result.stdout.trim();
  };
}
