import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { ControlPlane } from '../drivers/control-plane.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { startBackgroundProcess } from '../processes/background-process.ts';
import { nodeName, podNetwork } from './addresses.ts';

export async function startKubeProxy({
  directory,
  kubeconfigPath,
}: ControlPlane): Promise<BackgroundProcess> {
  return startBackgroundProcess({
    name: 'kube-proxy',
    file: await ensureComponent('kube-proxy'),
    args: [
      `--kubeconfig=${kubeconfigPath}`,
      `--hostname-override=${nodeName}`,
      `--cluster-cidr=${podNetwork}`,
      '--proxy-mode=iptables',
      '--conntrack-max-per-core=0',
      '--conntrack-tcp-timeout-established=0s',
      '--conntrack-tcp-timeout-close-wait=0s',
      '--iptables-min-sync-period=0s',
    ],
    logPath: join(directory, 'kube-proxy.log'),
  });
}
