import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { ClusterDriver } from './cluster-driver.ts';
import { makeKubectl } from './kubectl.ts';

/**
 * An existing cluster, as its administrator. Needed in the environment:
 * - `KUBECONFIG`: one file, whose current context is the cluster to test against
 * - `REFWARDEN_E2E_WEBHOOK_HOST`: a name or address of this machine that the API server can reach
 */
export const kubeconfigDriver: ClusterDriver = {
  name: 'kubeconfig',
  canRestartApiServer: false,
  start: async () => {
    const kubeconfigPath = required(
      'KUBECONFIG',
      'the path of the kubeconfig of the cluster to test against',
    );
    const webhookHost = required(
      'REFWARDEN_E2E_WEBHOOK_HOST',
      'a host name or address of this machine that the API server of that cluster can reach',
    );
    const directory = await makeTemporaryDirectory('kubeconfig');
    const kubectl = await makeKubectl(kubeconfigPath, directory.path);
    const ready = await kubectl(['get', '--raw', '/readyz']);
    if (ready.code !== 0) {
      await directory.remove();
      throw new Error(`the cluster of KUBECONFIG does not answer: ${ready.stderr.trim()}`);
    }
    return {
      kubeconfigPath,
      webhookHost,
      kubectl,
      restartApiServer: () =>
        Promise.reject(new Error('the API server of an existing cluster is not ours to restart')),
      stop: () => directory.remove(),
    };
  },
};

function required(variable: string, meaning: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') {
    throw new Error(`REFWARDEN_E2E_DRIVER=kubeconfig needs ${variable}: ${meaning}`);
  }
  return value;
}
