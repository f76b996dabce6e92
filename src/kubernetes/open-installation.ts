import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { BaseLogger } from 'pino';
import type { LiveSource } from '../admission/live-source.ts';
import type { Clock } from '../admission/ports.ts';
import { webhookConfigurations } from '../admission/webhook-configurations.ts';
import { webhookHost } from '../admission/webhook-settings.ts';
import type { WebhookSettings } from '../admission/webhook-settings.ts';
import { defaultCertificateTimes } from '../certificates/renew-certificates.ts';
import type { KeptCertificates } from '../certificates/renew-certificates.ts';
import { ApiClient } from './api-client.ts';
import { CertificateKeeper } from './certificate-keeper.ts';
import type { WebhookChange, WebhookKind } from './kept-webhooks.ts';
import { loadKubeConfig } from './kube-config.ts';
import { Lease } from './lease.ts';
import { defaultWatchTiming } from './watch-timing.ts';
import { RegisteredAuthorities } from './registered-authorities.ts';
import { StatusKeeper } from './status-keeper.ts';
import { WebhookKeeper } from './webhook-keeper.ts';

/** Where the serving certificate comes from. */
export type CertificateOrigin =
  /** A Secret of the release namespace, which Refwarden writes itself. */
  | { readonly kind: 'Secret'; readonly name: string; readonly use: (kept: KeptCertificates) => void }
  /** Somebody else provides it. */
  | { readonly kind: 'Provided'; readonly authorities: () => Promise<string> };

export interface InstallationOptions {
  /** Path of a kubeconfig; absent = KUBECONFIG, the home directory, or the service account of the pod. */
  readonly kubeconfig?: string;
  readonly releaseNamespace: string;
  readonly settings: WebhookSettings;
  readonly pinning: boolean;
  readonly certificate: CertificateOrigin;
  /** Whether this replica could answer with a certificate: one that cannot does not take the lease, and nobody is sent to it. */
  readonly isAble: () => boolean;
  /** Whose status is written, where they have one. */
  readonly policies: Pick<LiveSource, 'objects' | 'snapshot'>;
  readonly restored: (kind: WebhookKind, change: WebhookChange) => void;
  readonly clock: Clock;
  readonly logger: BaseLogger;
}

/** What the cluster holds so that the API server asks Refwarden: certificates, and webhook configurations. */
export interface Installation {
  /** This replica is the one that writes. */
  readonly holdsLease: boolean;
  /** By kind, whether the webhook configuration stands as wanted; undefined while that is not known. */
  readonly webhooks: ReadonlyMap<WebhookKind, boolean> | undefined;
  /** Why nobody is to be sent to this replica yet: the API server would not take its certificate. */
  readonly missing: string | undefined;
  /** Whether every API server takes certificates of the authorities, or asks nobody: who serves by others is refused. */
  isPropagated(pem: string): boolean;
  close(): Promise<void>;
}

/** Of all replicas that keep it one writes at a time. @throws RefwardenError `ConfigurationInvalid` */
export function openInstallation(options: InstallationOptions): Installation {
  const { settings, certificate, logger, releaseNamespace, pinning } = options;
  const api = new ApiClient(loadKubeConfig(options.kubeconfig));
  const authorities: RegisteredAuthorities = new RegisteredAuthorities({
    own: () =>
      certificate.kind === 'Provided'
        ? certificate.authorities()
        : Promise.resolve(certificates?.authorities),
    isRead: () => certificates?.isRead !== false,
    isAble: options.isAble,
  });
  const lease: Lease = new Lease({
    api,
    logger,
    namespace: releaseNamespace,
    name: settings.name,
    identity: `${hostname()}_${randomUUID()}`,
    isAble: () => authorities.isReadable && options.isAble(),
    isStranded: () => authorities.isStranded,
    isFailing: () => webhooks.isFailing || certificates?.isFailing === true,
    authorities: () => authorities.vouched,
  });
  const common = { api, lease, logger, timing: defaultWatchTiming };
  const certificates =
    certificate.kind === 'Provided'
      ? undefined
      : new CertificateKeeper({
          ...common,
          secret: { namespace: releaseNamespace, name: certificate.name },
          hosts: [webhookHost(settings)],
          use: (kept) => {
            certificate.use(kept);
            webhooks.wake();
          },
          times: defaultCertificateTimes,
          clock: options.clock,
        });
  const { policies, clock } = options;
  const status =
    policies.objects === undefined
      ? undefined
      : new StatusKeeper({
          api,
          lease,
          logger,
          clock,
          objects: () => policies.objects?.() ?? [],
          snapshot: () => policies.snapshot(),
        });
  const webhooks = new WebhookKeeper({
    ...common,
    name: settings.name,
    service: settings.service,
    clusterRole: settings.clusterRole,
    releaseNamespace,
    isCalled: settings.url === undefined,
    wanted: async (now) => {
      const caPem = await authorities.next(now, lease.lastAuthorities ?? '', clock.nowMs());
      return caPem === undefined
        ? undefined
        : webhookConfigurations(settings, { caPem, releaseNamespace, pinning });
    },
    restored: options.restored,
  });
  return {
    get holdsLease() {
      return lease.isHeld;
    },
    get webhooks() {
      return webhooks.standing;
    },
    get missing() {
      return authorities.missing;
    },
    isPropagated: (pem) => authorities.isPropagated(pem),
    close: async () => {
      await Promise.all([certificates?.close(), webhooks.close(), status?.close()]);
      await lease.close();
      await api.close();
    },
  };
}
