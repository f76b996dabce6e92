import type { BaseLogger } from 'pino';
import type { LiveSource } from '../admission/live-source.ts';
import type { WebhookSettings } from '../admission/webhook-settings.ts';
import { noCertificates, renewCertificates } from '../certificates/renew-certificates.ts';
import type { ServeOptions, ServedCertificate } from '../cli/commands.ts';
import { openInstallation } from '../kubernetes/open-installation.ts';
import type { CertificateOrigin, Installation } from '../kubernetes/open-installation.ts';
import type { Metrics } from '../observability/metrics.ts';
import { CertificateWatch } from '../server/certificate-watch.ts';
import {
  loadAuthority,
  loadServingCertificate,
  readServingCertificate,
} from '../server/serving-certificate.ts';
import type { ServingCertificate } from '../server/serving-certificate.ts';
import type { WebhookServer } from '../server/webhook-server.ts';
import { clock } from './system-clock.ts';

/** What the webhook server is made with. Before a Secret is there, nobody trusts what is shown. */
export async function firstCertificate(certificate: ServedCertificate): Promise<ServingCertificate> {
  if (certificate.kind === 'Files') return loadServingCertificate(certificate);
  const { kept } = (await renewCertificates(noCertificates, ['localhost'], clock.nowMs())) ?? {};
  return readServingCertificate(kept?.certificate ?? '', kept?.key ?? '');
}

interface ServingParts {
  readonly settings: WebhookSettings | undefined;
  readonly webhook: WebhookServer;
  /** What the server was made with. */
  readonly certificate: ServingCertificate;
  readonly policies: Pick<LiveSource, 'objects' | 'snapshot'>;
  readonly isAble: () => boolean;
  readonly metrics: Metrics;
  readonly log: BaseLogger;
}

/** The serving certificate and the registration with the API server, kept while the process runs. */
interface Serving {
  /** Undefined before there is a certificate that anybody trusts. */
  expiresAtMs(): number | undefined;
  missing(): readonly string[];
  /** Undefined where nothing is registered. */
  holdsLease(): boolean | undefined;
  /** By kind, whether it stands as wanted; undefined where nothing is registered, and before that is known. */
  webhooks(): ReadonlyMap<string, boolean> | undefined;
  close(): Promise<void>;
}

export function keepServing(options: ServeOptions, parts: ServingParts): Serving {
  const { settings, webhook, certificate, log } = parts;
  const origin = options.certificate;
  const keepInstallation = (from: CertificateOrigin): Installation | undefined =>
    settings === undefined
      ? undefined
      : openInstallation({
          settings,
          clock,
          logger: log,
          certificate: from,
          policies: parts.policies,
          isAble: parts.isAble,
          releaseNamespace: options.releaseNamespace,
          pinning: options.pinning,
          ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
          restored: (kind, change) => {
            parts.metrics.recordRestoration(kind, change);
          },
        });
  if (origin.kind === 'Files') {
    const { caFile } = origin;
    const installation =
      caFile === undefined
        ? undefined
        : keepInstallation({ kind: 'Provided', authorities: () => loadAuthority(caFile) });
    const watch = new CertificateWatch({
      files: origin,
      current: certificate,
      use: (next) => {
        webhook.setTls(next);
      },
      ...(caFile === undefined
        ? {}
        : { isPropagated: async () => installation?.isPropagated(await loadAuthority(caFile)) ?? true }),
      log,
      clock,
    });
    return {
      expiresAtMs: () => watch.current.expiresAtMs,
      ...registration(installation),
      close: async () => {
        watch.close();
        await installation?.close();
      },
    };
  }
  let current: ServingCertificate | undefined;
  const installation = keepInstallation({
    ...origin,
    use: (kept) => {
      const next = readServingCertificate(kept.certificate, kept.key);
      webhook.setTls(next);
      current = next;
    },
  });
  const { missing, ...others } = registration(installation);
  return {
    expiresAtMs: () => current?.expiresAtMs,
    missing: () =>
      current === undefined ? [`The serving certificate is not in Secret ${origin.name} yet.`] : missing(),
    ...others,
    close: async () => installation?.close(),
  };
}

/** What registering with the API server adds. */
const registration = (
  installation: Installation | undefined,
): Pick<Serving, 'missing' | 'holdsLease' | 'webhooks'> => ({
  missing: () => {
    const missing = installation?.missing;
    return missing === undefined ? [] : [missing];
  },
  holdsLease: () => installation?.holdsLease,
  webhooks: () => installation?.webhooks,
});
