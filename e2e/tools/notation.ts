import { ensureComponent } from '../components/ensure-component.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';

/**
 * Runs our program over the Notary Project's libraries (`tools/notation`) and returns what it printed:
 * `make`, `verify` and `keys` with a directory, `sign` with flags and a reference.
 */
export type Notation = (args: readonly string[]) => Promise<string>;

/** @param home a directory for it alone: it reads nobody's trust policy or registry logins. */
export async function makeNotation(home: string): Promise<Notation> {
  const binary = await ensureComponent('notation');
  const env = { HOME: home, XDG_CONFIG_HOME: home, DOCKER_CONFIG: home };
  return async (args) => (await runCommandOrThrow(binary, args, { env })).stdout.trim();
}
