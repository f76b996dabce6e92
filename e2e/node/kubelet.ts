import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { ControlPlane } from '../drivers/control-plane.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { startBackgroundProcess } from '../processes/background-process.ts';
import { nodeAddress, nodeName } from './addresses.ts';
import { containerdFiles } from './containerd.ts';

export async function startKubelet({ directory, kubeconfigPath }: ControlPlane): Promise<BackgroundProcess> {
  const at = (name: string): string => join(directory, 'kubelet', name);
  await mkdir(at('root'), { recursive: true });
  await writeFile(at('resolv.conf'), '');
  await writeFile(
    at('config.json'),
    JSON.stringify(kubeletConfiguration(directory, at('resolv.conf'), at('logs'))),
  );
  return startBackgroundProcess({
    name: 'kubelet',
    file: await ensureComponent('kubelet'),
    args: [
      `--config=${at('config.json')}`,
      `--kubeconfig=${kubeconfigPath}`,
      `--root-dir=${at('root')}`,
      `--cert-dir=${at('certificates')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${nodeAddress}`,
    ],
    logPath: join(directory, 'kubelet.log'),
  });
}

/** kubelet.config.k8s.io/v1beta1; set is what this kind of machine does not have, or a test does not wait for. */
const kubeletConfiguration = (directory: string, resolvConf: string, podLogsDir: string): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  failSwapOn: false,
  enforceNodeAllocatable: [],
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  containerRuntimeEndpoint: `unix://${containerdFiles(directory).socket}`,
  resolvConf,
  podLogsDir,
  evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  nodeStatusUpdateFrequency: '2s',
  syncFrequency: '5s',
  registryPullQPS: 0,
});
