import { join } from 'node:path';
import { KUBERNETES_VERSION } from '../components/component.ts';
import { ensureComponent } from '../components/ensure-component.ts';
import type { CommandResult } from '../processes/run-command.ts';
import { runCommand } from '../processes/run-command.ts';

/** Runs helm with no one's repositories or plug-ins. An exit code other than 0 is a result, not an error. */
export type Helm = (args: readonly string[], stdin?: string) => Promise<CommandResult>;

/** The chart of this tree. */
export const chartPath = join(import.meta.dirname, '..', '..', 'charts', 'refwarden');

/** helm without a cluster takes an old one for granted. */
export const asKubernetes = ['--kube-version', KUBERNETES_VERSION];

const timeoutMs = 300_000;

/** @param kubeconfigPath absent for what asks no cluster. */
export async function makeHelm(home: string, kubeconfigPath?: string): Promise<Helm> {
  const binary = await ensureComponent('helm');
  const env = {
    HOME: home,
    KUBECONFIG: kubeconfigPath ?? join(home, 'no-kubeconfig'),
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    HELM_NAMESPACE: undefined,
  };
  return (args, stdin) =>
    runCommand(binary, args, { env, timeoutMs, ...(stdin === undefined ? {} : { stdin }) });
}
