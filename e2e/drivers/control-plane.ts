import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import type { BackgroundProcess } from '../processes/background-process.ts';
import { startBackgroundProcess } from '../processes/background-process.ts';
import { httpAnswers } from '../processes/http-answers.ts';
import { startService } from '../processes/start-service.ts';

export const loopback = '127.0.0.1';

/** Address, ports and files of one control plane. */
export interface ControlPlane {
  readonly directory: string;
  /** IP address at which clients reach the API server. */
  readonly address: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiServerPort: number;
  readonly controllerManagerPort: number;
  readonly certificatesDirectory: string;
  readonly tokensPath: string;
  readonly serviceAccountKeyPath: string;
  readonly kubeconfigPath: string;
}

export async function startEtcd(plane: ControlPlane): Promise<BackgroundProcess> {
  const client = `http://127.0.0.1:${plane.etcdPort}`;
  const peer = `http://127.0.0.1:${plane.etcdPeerPort}`;
  return startService({
    name: 'etcd',
    file: await ensureComponent('etcd'),
    args: [
      '--name=local',
      `--data-dir=${join(plane.directory, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=local=${peer}`,
      // Nothing here has to survive a power cut.
      '--unsafe-no-fsync',
    ],
    logPath: join(plane.directory, 'etcd.log'),
    isReady: () => httpAnswers(`${client}/health`),
  });
}

/** By etcd's JSON gateway (API v3, `KV.Range` and `KV.Compact`). */
export async function compactEtcd({ etcdPort }: ControlPlane): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${etcdPort}/v3/kv/${path}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok)
      throw new Error(`etcd answered ${response.status} to ${path}: ${await response.text()}`);
    return response.json();
  };
  const key = Buffer.from('/').toString('base64');
  const { header } = (await ask('range', { key, limit: 1 })) as { header: { revision: string } };
  await ask('compaction', { revision: header.revision, physical: true });
}

export async function startApiServer(plane: ControlPlane): Promise<BackgroundProcess> {
  return startService({
    name: 'kube-apiserver',
    file: await ensureComponent('kube-apiserver'),
    args: [
      `--etcd-servers=http://127.0.0.1:${plane.etcdPort}`,
      `--advertise-address=${plane.address}`,
      ...(plane.address === loopback
        ? // The `kubernetes` Service cannot point at a loopback address; nothing there uses it.
          [`--bind-address=${loopback}`, '--endpoint-reconciler-type=none']
        : ['--bind-address=0.0.0.0', '--kubelet-preferred-address-types=InternalIP']),
      `--secure-port=${plane.apiServerPort}`,
      `--cert-dir=${plane.certificatesDirectory}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${plane.serviceAccountKeyPath}`,
      `--service-account-signing-key-file=${plane.serviceAccountKeyPath}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      `--token-auth-file=${plane.tokensPath}`,
      '--allow-privileged',
    ],
    logPath: join(plane.directory, 'kube-apiserver.log'),
    isReady: () => apiServerIsReady(plane),
  });
}

export async function startControllerManager(plane: ControlPlane): Promise<BackgroundProcess> {
  return startBackgroundProcess({
    name: 'kube-controller-manager',
    file: await ensureComponent('kube-controller-manager'),
    args: [
      `--kubeconfig=${plane.kubeconfigPath}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${plane.controllerManagerPort}`,
      `--cert-dir=${join(plane.directory, 'controller-manager-certificates')}`,
      '--leader-elect=false',
      // Its own rate limit would cost three seconds of every start.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      // Each controller under its own name, as webhooks see them elsewhere.
      '--use-service-account-credentials',
      `--service-account-private-key-file=${plane.serviceAccountKeyPath}`,
      `--root-ca-file=${join(plane.certificatesDirectory, 'apiserver.crt')}`,
    ],
    logPath: join(plane.directory, 'kube-controller-manager.log'),
  });
}

/** `/readyz` over TLS with the certificate that this API server made: an older server on that port fails. */
async function apiServerIsReady(plane: ControlPlane): Promise<true | undefined> {
  const ca = await readFile(join(plane.certificatesDirectory, 'apiserver.crt'), 'utf8').catch(
    () => undefined,
  );
  if (ca === undefined) return undefined;
  return new Promise((resolve) => {
    const options = { host: plane.address, port: plane.apiServerPort, path: '/readyz', ca, agent: false };
    const probe = request({ ...options, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? true : undefined);
    });
    probe.once('timeout', () => probe.destroy());
    probe.once('error', () => {
      resolve(undefined);
    });
    probe.end();
  });
}
