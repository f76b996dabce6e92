import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { ControlPlane } from '../drivers/control-plane.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { startBackgroundProcess } from '../processes/background-process.ts';

export async function startScheduler({
  directory,
  kubeconfigPath,
}: ControlPlane): Promise<BackgroundProcess> {
  return startBackgroundProcess({
    name: 'kube-scheduler',
    file: await ensureComponent('kube-scheduler'),
    args: [`--kubeconfig=${kubeconfigPath}`, '--leader-elect=false', '--bind-address=127.0.0.1'],
    logPath: join(directory, 'kube-scheduler.log'),
  });
}
