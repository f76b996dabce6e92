import type { Command } from 'commander';
import { Option } from 'commander';
import type { ServedCertificate, ServeOptions } from './commands.ts';
import { withSourceOptions } from './flags.ts';
import type { SourceFlags } from './flags.ts';

export type ServeFlags = SourceFlags &
  Omit<ServeOptions, 'plainHttp' | 'noMatch' | 'certificate'> &
  CertificateFlags;
interface CertificateFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly certificateSecret?: string;
  readonly webhooks?: string;
  readonly webhookCa?: string;
}

export function withServeOptions(command: Command, releaseNamespace: string): Command {
  return withSourceOptions(command)
    .option('--policies <dir>', 'directory with policies, watched; without it they are read from the cluster')
    .addOption(
      new Option(
        '--kubeconfig <file>',
        'cluster to read policies from; default: KUBECONFIG, ~/.kube/config, in-cluster',
      ).conflicts('policies'),
    )
    .option('--release-namespace <name>', 'namespace whose ConfigMaps hold trust material', releaseNamespace)
    .option('--listen <address>', 'host:port of the webhook (HTTPS)', '0.0.0.0:8443')
    .option(
      '--operations-listen <address>',
      'host:port of /livez, /readyz and /metrics (HTTP)',
      '0.0.0.0:8080',
    )
    .option('--tls-cert <file>', 'serving certificate, PEM, with its chain; reloaded when it changes')
    .option('--tls-key <file>', 'its private key, PEM')
    .addOption(
      new Option(
        '--certificate-secret <name>',
        'Secret of the release namespace in which Refwarden makes and renews the certificate itself; needs --webhooks',
      ).conflicts(['tlsCert', 'tlsKey', 'webhookCa']),
    )
    .addOption(
      new Option(
        '--webhooks <file>',
        'settings of the webhooks (YAML): registers them with the API server once ready, and keeps them there',
      ).conflicts('policies'),
    )
    .option(
      '--webhook-ca <file>',
      'authority of --tls-cert, PEM, that the API server is told of; with --webhooks',
    )
    .option('--client-ca <file>', 'accept only clients with a certificate of this authority')
    .option(
      '--no-pull-secrets',
      'read no pull secrets of workloads: private images are read with the accounts of the installation alone',
    )
    .option(
      '--no-pinning',
      'leave tags in Pods: a node may then pull another image than the one that was judged',
    )
    .addOption(
      new Option('--log-level <level>', 'least severe level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    );
}

export function serveOptions({
  policies,
  kubeconfig,
  releaseNamespace,
  listen,
  operationsListen,
  webhooks,
  clientCa,
  pinning,
  pullSecrets,
  logLevel,
}: ServeFlags): Omit<ServeOptions, 'plainHttp' | 'noMatch' | 'certificate'> {
  return {
    releaseNamespace,
    listen,
    operationsListen,
    pinning,
    // Without a cluster there is none to read from.
    pullSecrets: pullSecrets && policies === undefined,
    logLevel,
    ...(policies === undefined ? {} : { policies }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(webhooks === undefined ? {} : { webhooks }),
    ...(clientCa === undefined ? {} : { clientCa }),
  };
}

/** @returns a sentence when the flags do not go together. */
export function servedCertificate(flags: CertificateFlags): ServedCertificate | string {
  const { tlsCert: certFile, tlsKey: keyFile, certificateSecret, webhooks, webhookCa: caFile } = flags;
  if (certificateSecret !== undefined) {
    return webhooks === undefined
      ? "option '--certificate-secret' needs '--webhooks', whose settings say what the certificate is for"
      : { kind: 'Secret', name: certificateSecret };
  }
  if (certFile === undefined || keyFile === undefined) {
    return "give '--tls-cert' and '--tls-key', or '--certificate-secret' and '--webhooks'";
  }
  if ((webhooks === undefined) !== (caFile === undefined)) {
    return "with '--tls-cert', options '--webhooks' and '--webhook-ca' go together";
  }
  return { kind: 'Files', certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) };
}
