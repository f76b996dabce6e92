import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { CommandResult } from '../processes/run-command.ts';
import { runCommand } from '../processes/run-command.ts';

export type Kubectl = (args: readonly string[], stdin?: string) => Promise<CommandResult>;

const TIMEOUT_MS = 60_000;

/** kubectl bound to one kubeconfig, with a discovery cache of its own in `directory`. */
export async function makeKubectl(kubeconfigPath: string, directory: string): Promise<Kubectl> {
  const binary = await ensureComponent('kubectl');
  const common = ['--kubeconfig', kubeconfigPath, '--cache-dir', join(directory, 'kubectl-cache')];
  const env = { KUBECTL_KUBERC: 'false' };
  return (args, stdin) =>
    runCommand(binary, [...common, ...args], {
      env,
      timeoutMs: TIMEOUT_MS,
      ...(stdin === undefined ? {} : { stdin }),
    });
}
