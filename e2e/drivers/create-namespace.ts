import { waitUntil } from '../processes/wait-until.ts';
import type { Cluster } from './cluster-driver.ts';

const SERVICE_ACCOUNT_TIMEOUT_MS = 60_000;

/** Makes a namespace and waits until pods can be made in it. */
export async function createNamespace(
  cluster: Pick<Cluster, 'kubectl'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  const result = await cluster.kubectl(['create', '-f', '-'], JSON.stringify(namespace));
  if (result.code !== 0) throw new Error(`namespace ${name}: ${result.stderr.trim()}`);
  await awaitDefaultServiceAccount(cluster, name);
}

/** The controller manager makes it; until then the API server refuses every pod of the namespace. */
export async function awaitDefaultServiceAccount(
  cluster: Pick<Cluster, 'kubectl'>,
  namespace: string,
): Promise<void> {
  await waitUntil(
    async () => {
      const { code } = await cluster.kubectl(['get', 'serviceaccount', 'default', '-n', namespace]);
      return code === 0 ? true : undefined;
    },
    { what: `ServiceAccount default of ${namespace} exists`, timeoutMs: SERVICE_ACCOUNT_TIMEOUT_MS },
  );
}
