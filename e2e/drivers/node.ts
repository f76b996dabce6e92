import { isInsideNode, lacksForNode } from '../node/enter-namespaces.ts';
import { nodeAddress, nodeName } from '../node/addresses.ts';
import { allowPlainHttp, importImage, killContainers, startContainerd } from '../node/containerd.ts';
import { startKubeProxy } from '../node/kube-proxy.ts';
import { startKubelet } from '../node/kubelet.ts';
import { startScheduler } from '../node/scheduler.ts';
import { leaveNoTrace } from '../node/leave-no-trace.ts';
import { forgetPodNetwork, makeNodeNetwork } from '../node/network.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { waitUntil } from '../processes/wait-until.ts';
import type { Cluster, ClusterDriver } from './cluster-driver.ts';
import { loopback, startApiServer, startControllerManager, startEtcd } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { awaitDefaultServiceAccount } from './create-namespace.ts';
import { makeKubectl } from './kubectl.ts';
import { prepareControlPlane } from './prepare-control-plane.ts';

/** A cluster of one node that runs Pods. */
export interface NodeCluster extends Cluster {
  /** Makes the images of an OCI image layout (tar) known to the node. */
  readonly importImage: (archive: string) => Promise<void>;
  /** Has images of this registry pulled without TLS. */
  readonly allowPlainHttp: (host: string) => Promise<void>;
  /** Ends every process at once and starts what a machine starts: what was on disk is there, and nothing else. */
  readonly reboot: () => Promise<void>;
}

/** A whole node in namespaces of its own: control plane, containerd, kubelet and kube-proxy. */
export const nodeDriver: ClusterDriver = {
  name: 'node',
  canRestartApiServer: true,
  start: startNode,
};

const readyTimeoutMs = 120_000;

export async function startNode(): Promise<NodeCluster> {
  if (!isInsideNode()) throw new Error('A node is started by npm run e2e with REFWARDEN_E2E_DRIVER=node.');
  const lacks = lacksForNode();
  if (lacks.length > 0) throw new Error(lacks.join('\n'));
  const removeCgroups = await leaveNoTrace();
  const directory = await makeTemporaryDirectory('node');
  const node = new RunningNode(await prepareControlPlane(directory.path, nodeAddress));
  const stop = async (): Promise<void> => {
    await node.kill();
    await removeCgroups();
    await directory.remove();
  };
  const kubectl = await makeKubectl(node.plane.kubeconfigPath, directory.path);
  const awaitReady = (): Promise<unknown> =>
    waitUntil(
      async () => {
        node.assertRunning();
        const args = [
          'get',
          'node',
          nodeName,
          '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}',
        ];
        return (await kubectl(args)).stdout === 'True' ? true : undefined;
      },
      { what: 'the node is Ready', timeoutMs: readyTimeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(node.logTails(), { cause });
    });
  try {
    await makeNodeNetwork();
    await node.start();
    await awaitReady();
    await awaitDefaultServiceAccount({ kubectl }, 'default');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfigPath: node.plane.kubeconfigPath,
    // Registries, webhooks and the API server share the node's loopback.
    webhookHost: loopback,
    kubectl,
    restartApiServer: () => node.restartApiServer(),
    importImage: (archive) => importImage(directory.path, archive),
    allowPlainHttp: (host) => allowPlainHttp(directory.path, host),
    reboot: async () => {
      await node.kill();
      await node.start();
      await awaitReady();
    },
    stop,
  };
}

class RunningNode {
  readonly plane: ControlPlane;
  #running: BackgroundProcess[] = [];
  #apiServer: BackgroundProcess | undefined;

  constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  /** In the order in which they need each other. */
  async start(): Promise<void> {
    const { plane } = this;
    this.#running.push(await startEtcd(plane));
    this.#apiServer = await startApiServer(plane);
    this.#running.push(await startContainerd(plane.directory));
    for (const start of [startControllerManager, startScheduler, startKubelet, startKubeProxy]) {
      this.#running.push(await start(plane));
    }
  }

  assertRunning(): void {
    for (const process of this.#processes()) process.assertRunning();
  }

  async restartApiServer(): Promise<void> {
    await this.#apiServer?.kill();
    this.#apiServer = await startApiServer(this.plane);
  }

  /** Ends everything at once, and forgets what a machine forgets. */
  async kill(): Promise<void> {
    for (const process of this.#processes()) await process.kill();
    this.#running = [];
    this.#apiServer = undefined;
    await killContainers(this.plane.directory);
    await forgetPodNetwork();
  }

  logTails(): string {
    return this.#processes()
      .map((process) => `== ${process.name}\n${process.logTail()}`)
      .join('\n');
  }

  #processes(): BackgroundProcess[] {
    return [...(this.#apiServer === undefined ? [] : [this.#apiServer]), ...this.#running];
  }
}
