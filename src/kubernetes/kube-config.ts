import { KubeConfig } from '@kubernetes/client-node';
import { RefwardenError } from '../failures/failure.ts';

/**
 * The given kubeconfig, else that of KUBECONFIG or of the home directory, else the service account of the pod.
 * @param path of a kubeconfig file.
 * @throws RefwardenError `ConfigurationInvalid` when it cannot be read.
 */
export function loadKubeConfig(path: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    const which = path ?? 'that KUBECONFIG names';
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The kubeconfig ${which} cannot be read: check the path and the file.`,
      cause,
    );
  }
  return config;
}

/**
 * URL of the API server, without a slash at its end.
 * @throws RefwardenError `ConfigurationInvalid` when there is none that is reached over TLS.
 */
export function apiServerOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      'The kubeconfig has no current context that names a cluster: set one with "kubectl config use-context".',
    );
  }
  const isTls = URL.canParse(cluster.server) && new URL(cluster.server).protocol === 'https:';
  if (!isTls && !cluster.skipTLSVerify) {
    // Also what the client falls back to when it finds no configuration: localhost without TLS.
    throw new RefwardenError(
      'ConfigurationInvalid',
      `No API server over https is known, only ${cluster.server}: run in a cluster with a service account, or set KUBECONFIG.`,
    );
  }
  return cluster.server.replace(/\/+$/, '');
}
