import { ensureComponent } from '../components/ensure-component.ts';
import type { CommandOptions, CommandResult } from '../processes/run-command.ts';
import { runCommand, runCommandOrThrow } from '../processes/run-command.ts';

export interface Cosign {
  /** Rejects, with everything that cosign said, unless it ends well. */
  readonly run: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
  /** The result whatever the exit code. */
  readonly attempt: (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
}

/**
 * cosign that knows nothing of the person running it: home, registry logins and TUF cache are in `home`,
 * and every key has an empty password.
 */
export async function makeCosign(home: string): Promise<Cosign> {
  const binary = await ensureComponent('cosign');
  const env = {
    HOME: home,
    DOCKER_CONFIG: home,
    TUF_ROOT: `${home}/tuf`,
    COSIGN_PASSWORD: '',
    SIGSTORE_NO_CACHE: 'true',
  };
  return {
    run: (args, options) => runCommandOrThrow(binary, args, { ...options, env: { ...env, ...options?.env } }),
    attempt: (args, options) => runCommand(binary, args, { ...options, env: { ...env, ...options?.env } }),
  };
}
