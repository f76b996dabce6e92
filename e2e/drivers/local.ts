import type { BackgroundProcess } from '../processes/background-process.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { Cluster, ClusterDriver } from './cluster-driver.ts';
import { awaitDefaultServiceAccount } from './create-namespace.ts';
import { makeKubectl } from './kubectl.ts';
import { compactEtcd, loopback, startApiServer, startControllerManager, startEtcd } from './control-plane.ts';
import { prepareControlPlane } from './prepare-control-plane.ts';

/**
 * A control plane of its own on loopback: etcd, kube-apiserver and kube-controller-manager, without any node.
 * An admitted pod stays Pending, which is all that admission needs.
 */
export const localDriver: ClusterDriver = {
  name: 'local',
  canRestartApiServer: true,
  start: startLocalCluster,
};

/** One whose store can be tampered with. */
export interface LocalCluster extends Cluster {
  /** etcd answers nothing until what this returns is called. */
  readonly pauseEtcd: () => () => void;
  /** Forgets every version but the newest, as etcd does every five minutes. */
  readonly compactEtcd: () => Promise<void>;
}

export async function startLocalCluster(): Promise<LocalCluster> {
  const directory = await makeTemporaryDirectory('cluster');
  const running: BackgroundProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of running.splice(0).reverse()) await process.stop();
    await directory.remove();
  };
  try {
    return await startIn(directory.path, running, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startIn(
  directory: string,
  running: BackgroundProcess[],
  stop: () => Promise<void>,
): Promise<LocalCluster> {
  const plane = await prepareControlPlane(directory, loopback);
  const kubectl = await makeKubectl(plane.kubeconfigPath, directory);
  const etcd = await startEtcd(plane);
  running.push(etcd);
  let apiServer = await startApiServer(plane);
  running.push(apiServer);
  running.push(await startControllerManager(plane));
  await awaitDefaultServiceAccount({ kubectl }, 'default');

  return {
    kubeconfigPath: plane.kubeconfigPath,
    webhookHost: loopback,
    kubectl,
    restartApiServer: async () => {
      // Killed, not asked: the harder case for whoever watches. etcd holds the state.
      await apiServer.kill();
      const restarted = await startApiServer(plane);
      running.splice(running.indexOf(apiServer), 1, restarted);
      apiServer = restarted;
    },
    pauseEtcd: () => {
      process.kill(etcd.pid, 'SIGSTOP');
      return () => {
        process.kill(etcd.pid, 'SIGCONT');
      };
    },
    compactEtcd: () => compactEtcd(plane),
    stop,
  };
}
