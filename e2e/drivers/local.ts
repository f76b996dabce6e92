import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { freePorts } from '../processes/free-ports.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { Cluster, ClusterDriver } from './cluster-driver.ts';
import { awaitDefaultServiceAccount } from './create-namespace.ts';
import { makeKubectl } from './kubectl.ts';
import type { ControlPlane } from './local-control-plane.ts';
import { startApiServer, startControllerManager, startEtcd } from './local-control-plane.ts';

/**
 * A control plane of its own on loopback: etcd, kube-apiserver and kube-controller-manager, without any node.
 * An admitted pod stays Pending, which is all that admission needs.
 */
export const localDriver: ClusterDriver = {
  name: 'local',
  canRestartApiServer: true,
  start: async () => {
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
  },
};

async function startIn(
  directory: string,
  running: BackgroundProcess[],
  stop: () => Promise<void>,
): Promise<Cluster> {
  const plane = await prepare(directory);
  const kubectl = await makeKubectl(plane.kubeconfigPath, directory);
  running.push(await startEtcd(plane));
  let apiServer = await startApiServer(plane);
  running.push(apiServer);
  running.push(await startControllerManager(plane));
  await awaitDefaultServiceAccount({ kubectl }, 'default');

  return {
    kubeconfigPath: plane.kubeconfigPath,
    webhookHost: '127.0.0.1',
    kubectl,
    restartApiServer: async () => {
      // Killed, not asked: the harder case for whoever watches. etcd holds the state.
      await apiServer.kill();
      const restarted = await startApiServer(plane);
      running.splice(running.indexOf(apiServer), 1, restarted);
      apiServer = restarted;
    },
    stop,
  };
}

async function prepare(directory: string): Promise<ControlPlane> {
  const [etcdPort, etcdPeerPort, apiServerPort, controllerManagerPort] = await freePorts(4);
  if (!etcdPort || !etcdPeerPort || !apiServerPort || !controllerManagerPort)
    throw new Error('no free ports');
  const plane: ControlPlane = {
    directory,
    etcdPort,
    etcdPeerPort,
    apiServerPort,
    controllerManagerPort,
    certificatesDirectory: join(directory, 'certificates'),
    tokensPath: join(directory, 'tokens.csv'),
    serviceAccountKeyPath: join(directory, 'service-account.key'),
    kubeconfigPath: join(directory, 'kubeconfig'),
  };
  const token = randomBytes(24).toString('hex');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = { mode: 0o600 };
  await mkdir(plane.certificatesDirectory);
  await writeFile(plane.tokensPath, `${token},admin,admin,"system:masters"\n`, secret);
  await writeFile(plane.serviceAccountKeyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }), secret);
  await writeFile(plane.kubeconfigPath, kubeconfig(plane, token), secret);
  return plane;
}

function kubeconfig(plane: ControlPlane, token: string): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'local',
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'admin' } }],
    clusters: [
      {
        name: 'local',
        canRestartApiServer: true,
        cluster: {
          server: `https://127.0.0.1:${plane.apiServerPort}`,
          // The API server makes this certificate at its first start.
          'certificate-authority': join(plane.certificatesDirectory, 'apiserver.crt'),
        },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
