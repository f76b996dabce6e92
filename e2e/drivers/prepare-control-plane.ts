import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../processes/free-ports.ts';
import type { ControlPlane } from './control-plane.ts';

/**
 * Chooses ports, and writes keys, the token of an administrator and a kubeconfig with it.
 * @param address IP address of the API server.
 */
export async function prepareControlPlane(directory: string, address: string): Promise<ControlPlane> {
  const [etcdPort, etcdPeerPort, apiServerPort, controllerManagerPort] = await freePorts(4);
  if (!etcdPort || !etcdPeerPort || !apiServerPort || !controllerManagerPort)
    throw new Error('no free ports');
  const plane: ControlPlane = {
    directory,
    address,
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
        cluster: {
          server: `https://${plane.address}:${plane.apiServerPort}`,
          // The API server makes this certificate at its first start.
          'certificate-authority': join(plane.certificatesDirectory, 'apiserver.crt'),
        },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
