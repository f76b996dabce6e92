import type { ClusterDriver } from './cluster-driver.ts';
import { kubeconfigDriver } from './kubeconfig.ts';
import { localDriver } from './local.ts';
import { nodeDriver } from './node.ts';

const drivers: readonly ClusterDriver[] = [localDriver, nodeDriver, kubeconfigDriver];

/** The driver that `REFWARDEN_E2E_DRIVER` names: `local` (the default), `node` or `kubeconfig`. */
export function chooseClusterDriver(): ClusterDriver {
  const name = process.env['REFWARDEN_E2E_DRIVER'] || localDriver.name;
  const driver = drivers.find((candidate) => candidate.name === name);
  if (driver === undefined) {
    const known = drivers.map((candidate) => candidate.name).join(' or ');
    throw new Error(`REFWARDEN_E2E_DRIVER is "${name}"; it can be ${known}`);
  }
  return driver;
}
