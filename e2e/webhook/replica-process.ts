import { join } from 'node:path';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { startService } from '../processes/start-service.ts';
import { releaseNamespace } from '../world/trust.ts';
import { refwardenCommand } from './refwarden-command.ts';

export interface ReplicaOptions {
  readonly kubeconfigPath: string;
  readonly name: string;
  readonly port: number;
  readonly operationsPort: number;
  /** File of `--webhooks`. */
  readonly webhooksPath: string;
  /** Secret that it keeps its certificates in; a directory with `tls.crt`, `tls.key` and `ca.crt` where somebody else makes them. */
  readonly secretName?: string;
  readonly certificates?: string;
  readonly directory: string;
  readonly plainHttp: readonly string[];
  /** `Live` does not wait until it is ready. */
  readonly awaits?: 'Live' | 'Ready';
}

/** `refwarden serve` that makes its own certificate and registers itself, once it is ready. */
export interface Replica extends BackgroundProcess {
  readonly metrics: () => Promise<string>;
}

export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { kubeconfigPath, name, port, operationsPort, webhooksPath, directory, plainHttp } = options;
  const awaited = options.awaits === 'Live' ? '/livez' : '/readyz';
  const operations = `http://127.0.0.1:${operationsPort}`;
  const [file, args] = refwardenCommand(
    'serve',
    `--kubeconfig=${kubeconfigPath}`,
    `--release-namespace=${releaseNamespace}`,
    `--listen=0.0.0.0:${port}`,
    `--operations-listen=127.0.0.1:${operationsPort}`,
    `--webhooks=${webhooksPath}`,
    ...certificateFlags(options),
    ...plainHttp.map((registry) => `--plain-http=${registry}`),
  );
  const process = await startService({
    name,
    file,
    args,
    logPath: join(directory, `${name}.log`),
    env: { DOCKER_CONFIG: directory, KUBECONFIG: undefined, POD_NAMESPACE: undefined },
    isReady: async () => ((await answersWell(operations, awaited)) ? true : undefined),
  });
  return { ...process, metrics: async () => (await fetch(`${operations}/metrics`)).text() };
}

function certificateFlags({ secretName, certificates = '' }: ReplicaOptions): string[] {
  if (secretName !== undefined) return [`--certificate-secret=${secretName}`];
  const files = { '--tls-cert': 'tls.crt', '--tls-key': 'tls.key', '--webhook-ca': 'ca.crt' };
  return Object.entries(files).map(([flag, name]) => `${flag}=${join(certificates, name)}`);
}

export async function answersWell(operations: string, path: string): Promise<boolean> {
  if ((await httpAnswers(`${operations}/livez`)) === undefined) return false;
  const response = await fetch(operations + path);
  await response.body?.cancel();
  return response.status === 200;
}
