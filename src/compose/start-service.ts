import type { BaseLogger } from 'pino';
import type { LiveSource, SnapshotOptions } from '../admission/live-source.ts';
import { pinImages, unchanged } from '../admission/pin-images.ts';
import { reviewResource } from '../admission/review-resource.ts';
import type { ResourceReviewPorts } from '../admission/review-resource.ts';
import { review } from '../admission/review.ts';
import { aborted } from '../admission/until-aborted.ts';
import type { ServeOptions } from '../cli/commands.ts';
import { openDirectory } from '../directory/open-directory.ts';
import { openCluster } from '../kubernetes/open-cluster.ts';
import { PullSecrets } from '../kubernetes/pull-secrets.ts';
import { createLogger } from '../observability/logger.ts';
import type { LogLevel } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createVerdictRecorder } from '../observability/verdict-recorder.ts';
import { notReady } from '../policy/not-ready.ts';
import { withoutPullSecrets } from '../registry/pull-credentials.ts';
import { createOperationsServer } from '../server/operations-server.ts';
import { loadAuthority } from '../server/serving-certificate.ts';
import { createWebhookServer } from '../server/webhook-server.ts';
import type { WebhookLimits } from '../server/webhook-server.ts';
import { firstCertificate, keepServing } from './keep-serving.ts';
import { parseListenAddress } from './listen-address.ts';
import { loadSettings, openRegistries } from './open-contents.ts';
import { openDecision } from './open-decision.ts';
import { openTrust, tufEventsLogged } from './open-trust.ts';
import { clock } from './system-clock.ts';
import { readWebhookSettings } from './webhooks.ts';

export async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const log = createLogger({ level: options.logLevel as LogLevel });
  const service = await startService(options, log);
  log.info({ webhookPort: service.port }, 'Serving');
  await aborted(signal);
  log.info('Asked to end: answering what is under way');
  await service.close();
}

async function openSource(
  options: ServeOptions,
  snapshotOptions: SnapshotOptions,
  logger: BaseLogger,
): Promise<LiveSource> {
  if (options.policies !== undefined) {
    return openDirectory({ path: options.policies, watch: true, logger, ...snapshotOptions });
  }
  return openCluster({
    releaseNamespace: options.releaseNamespace,
    logger,
    ...snapshotOptions,
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
  });
}

/** Policies, and webhook and operations servers over them. */
export async function startService(
  options: ServeOptions,
  log: BaseLogger,
  limits: Partial<WebhookLimits> = {},
): Promise<{ port: number; close(): Promise<void> }> {
  const settings = await loadSettings(options);
  const trust = await openTrust(options, settings, tufEventsLogged(log));
  const source = await openSource(options, trust.snapshotOptions, log);
  const settingsOfWebhooks = await readWebhookSettings(options.webhooks);
  const certificate = await firstCertificate(options.certificate);
  const clientCa = options.clientCa === undefined ? undefined : await loadAuthority(options.clientCa);
  const metrics = createMetrics({
    policies: () => countPolicies(source),
    staleOrigins: () => source.status().stale.length,
    policySyncAgeSeconds: () => oldestSyncAge(source),
    certificateExpiresAtMs: () => serving.expiresAtMs(),
    holdsLease: () => serving.holdsLease(),
    webhooks: () => serving.webhooks(),
    caches: () => decision.caches(),
    trustMirrors: () => trust.mirrors.status(),
    cacheDirFaults: () => decision.disk?.faults(),
  });
  const recorder = createVerdictRecorder({ logger: log, metrics });
  const contents = await openRegistries(options, settings, {
    requests: {
      record: (request) => {
        metrics.recordRequest(request);
      },
    },
    cacheDirFailed: (cause) => {
      log.warn({ cause }, 'The cache directory fails: going on without it');
    },
  });
  const pullSecrets = options.pullSecrets ? new PullSecrets(options.kubeconfig, clock) : undefined;
  const credentials =
    pullSecrets === undefined ? withoutPullSecrets(contents.credentials) : contents.credentials;
  const decision = openDecision(source, { ...contents, credentials }, recorder, pullSecrets);
  const { trustFor, checkExpression, maxExceptionMs } = trust.snapshotOptions;
  const resourcePorts: ResourceReviewPorts = {
    clock,
    maxExceptionMs,
    namespaces: source,
    snapshot: () => source.snapshot(),
    support: () => ({ ...trustFor((name) => source.configMap(name)), checkExpression }),
    resources: () =>
      [...(source.objects?.() ?? [])].flatMap(({ resource }) => ('code' in resource ? [] : [resource])),
  };
  const webhook = createWebhookServer({
    ...parseListenAddress(options.listen),
    tls: certificate,
    ...(clientCa === undefined ? {} : { clientCa }),
    reviews: {
      validate: (request, { signal }) =>
        review(request, decision.ports, { signal, mustBePinned: options.pinning }),
      mutate: (request, { signal }) =>
        options.pinning ? pinImages(request, decision.ports, { signal }) : Promise.resolve(unchanged),
      resources: (request, options) => reviewResource(request, resourcePorts, options),
    },
    refused: (code) => {
      metrics.recordRefusal(code);
    },
    log,
    limits,
  });
  const missing = (): readonly string[] => [...source.status().missing, ...serving.missing()];
  const serving = keepServing(options, {
    settings: settingsOfWebhooks,
    webhook,
    certificate,
    policies: source,
    isAble: () => source.status().ready,
    metrics,
    log,
  });
  const operations = createOperationsServer({
    ...parseListenAddress(options.operationsListen),
    missing,
    metrics: () => metrics.text(),
    log,
  });
  const close = async (): Promise<void> => {
    operations.beginShutdown();
    // The lease is given back at once: who still answers for a while no longer writes.
    await Promise.all([webhook.close(), serving.close()]);
    await Promise.all([operations.close(), decision.close()]);
    await trust.close();
  };
  try {
    await operations.listen();
    const { port } = await webhook.listen();
    return { port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function countPolicies(source: LiveSource): { ready: number; notReady: number } {
  const snapshot = source.snapshot();
  if (snapshot === undefined) return { ready: 0, notReady: 0 };
  const failing = new Set(notReady(snapshot).map(({ policy }) => policy)).size;
  return { ready: snapshot.policies.length - failing, notReady: failing };
}

function oldestSyncAge(source: LiveSource): number | undefined {
  const times = Object.values(source.status().lastSyncMs);
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return (clock.nowMs() - Math.min(...times.map((time = 0) => time))) / 1000;
}
