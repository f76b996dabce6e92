import type { BaseLogger } from 'pino';
import { ByteBudget } from './admission/byte-budget.ts';
import { createCachingVerifier } from './admission/caching-verifier.ts';
import { decide } from './admission/decide.ts';
import type { DecisionPorts } from './admission/decide.ts';
import { pinImages, unchanged } from './admission/pin-images.ts';
import { webhookConfigurations } from './admission/webhook-configurations.ts';
import { parseWebhookSettings } from './admission/webhook-settings.ts';
import type { WebhookSettings } from './admission/webhook-settings.ts';
import { noCertificates, renewCertificates } from './certificates/renew-certificates.ts';
import { renderManifest } from './policy/crd/render-manifest.ts';
import { readBounded } from './registry/bounded-file.ts';
import { exploreArtifacts } from './admission/explore-artifacts.ts';
import type { ConfigMapLookup, LiveSource, SnapshotOptions } from './admission/live-source.ts';
import type { CacheCounts } from './admission/metered-cache.ts';
import type { ContentStore } from './admission/content-store.ts';
import { anonymous } from './admission/ports.ts';
import type { Clock, Credentials, RequestRecorder, VerdictRecorder } from './admission/ports.ts';
import { RequestTrace } from './admission/request-trace.ts';
import { review } from './admission/review.ts';
import { aborted, untilAborted } from './admission/until-aborted.ts';
import type {
  CheckOptions,
  Checker,
  Demo,
  DemoAnswer,
  DemoRegistry,
  DemoRegistryOptions,
  Engine,
  Explorer,
  PolicyOptions,
  RegistryOptions,
  RemoveWebhooksOptions,
  ServedCertificate,
  ServeOptions,
  TreeOptions,
  WebhooksOptions,
} from './cli/commands.ts';
import { createPod } from './demo/create-pod.ts';
import { demoCases } from './demo/cases.ts';
import { demoAddress } from './demo/demo-addresses.ts';
import { demoCommands, writeDemoFiles } from './demo/demo-files.ts';
import { startDemoRegistries } from './demo/start-demo-registries.ts';
import { startStandaloneRegistry } from './demo/start-standalone-registry.ts';
import { openDirectory } from './directory/open-directory.ts';
import { RefwardenError } from './failures/failure.ts';
import { openCluster } from './kubernetes/open-cluster.ts';
import { openInstallation } from './kubernetes/open-installation.ts';
import type { CertificateOrigin, Installation } from './kubernetes/open-installation.ts';
import { PullSecrets } from './kubernetes/pull-secrets.ts';
import { removeWebhooks } from './kubernetes/remove-webhooks.ts';
import { openLayout } from './layout/layout-store.ts';
import { publicHosts } from './network/bounded-fetch.ts';
import type { HostRules } from './network/bounded-fetch.ts';
import { createLogger } from './observability/logger.ts';
import type { LogLevel } from './observability/logger.ts';
import { createMetrics } from './observability/metrics.ts';
import type { Metrics } from './observability/metrics.ts';
import { createVerdictRecorder } from './observability/verdict-recorder.ts';
import { notReady } from './policy/compile.ts';
import { createArtifactSource } from './referrers/artifact-source.ts';
import { CredentialHelpers } from './registry/credential-helpers.ts';
import { openDiskCache } from './registry/disk-cache.ts';
import type { DiskCache } from './registry/disk-cache.ts';
import { loadDockerConfig } from './registry/docker-config.ts';
import { defaultRegistryLimits } from './registry/limits.ts';
import { loadRegistrySettings } from './registry/load-registry-settings.ts';
import type { LoadedSettings } from './registry/load-registry-settings.ts';
import { prepareCacheDirectory } from './registry/cache-directory.ts';
import { pullCredentials } from './registry/pull-credentials.ts';
import { createRegistryClient } from './registry/registry-client.ts';
import { RegistryEndpoints } from './registry/registry-endpoints.ts';
import { createRevocationSource } from './revocation/revocation-source.ts';
import { CertificateWatch } from './server/certificate-watch.ts';
import { createOperationsServer } from './server/operations-server.ts';
import {
  loadAuthority,
  loadServingCertificate,
  readServingCertificate,
} from './server/serving-certificate.ts';
import type { ServingCertificate } from './server/serving-certificate.ts';
import { createWebhookServer, webhookPaths } from './server/webhook-server.ts';
import type { WebhookLimits, WebhookServer } from './server/webhook-server.ts';
import { requireTrustDirectory } from './trust/trust-file.ts';
import { createTrustSource } from './trust/trust-source.ts';
import { checkExpression } from './verification/expression/check-expression.ts';
import type { TufEvents } from './trust/tuf-mirror.ts';
import { TufMirrors } from './trust/tuf-mirrors.ts';
import { checkIssuerMaterial } from './verification/issuer-material.ts';
import { createVerifierPool } from './workers/verifier-pool.ts';

/** Wires the rooms together; nothing is decided here. */
export function createEngine(): Engine {
  return {
    ...{ openChecker, openExplorer, serve, webhooks, startDemo, startDemoRegistry },
    removeWebhooks: removeRegistered,
    publicGoodRoot: () => createTrustSource({}).material({ kind: 'builtIn', name: 'PublicGood' }),
  };
}

const clock: Clock = { nowMs: () => Date.now() };

/** Who is told of what registries do. */
interface Observers {
  readonly requests?: RequestRecorder;
  readonly cacheDirFailed?: (cause: unknown) => void;
}

/** A way to decide, what it remembers, and what has to be closed after it. */
interface OpenDecision {
  readonly ports: DecisionPorts;
  readonly caches: () => readonly CacheCounts[];
  readonly disk: DiskCache | undefined;
  readonly close: () => Promise<void>;
}

/** Where images and artifacts are read from. */
interface Contents {
  readonly store: ContentStore;
  readonly credentials: Credentials;
  /** Which hosts the operator named, and how they are connected to. */
  readonly hosts: HostRules;
  readonly disk?: DiskCache;
}

async function openRegistries(
  options: RegistryOptions,
  settings: LoadedSettings,
  { requests, cacheDirFailed = () => undefined }: Observers,
  helpers?: CredentialHelpers,
): Promise<Contents> {
  const credentials =
    options.dockerConfig === undefined ? anonymous : await loadDockerConfig(options.dockerConfig, helpers);
  const { cacheDirMaxBytes } = { ...defaultRegistryLimits, ...settings.limits };
  const disk =
    options.cacheDir === undefined
      ? undefined
      : await openDiskCache({
          directory: options.cacheDir,
          maxBytes: cacheDirMaxBytes,
          onFault: cacheDirFailed,
        });
  const store = createRegistryClient({
    ...settings,
    clock,
    ...(disk === undefined ? {} : { disk }),
    ...(requests === undefined ? {} : { requests }),
  });
  return { store, credentials, hosts: hostRules(settings), ...(disk === undefined ? {} : { disk }) };
}

/** Hosts that are no registries are allowed by name, and connected to, as registries are. */
function hostRules({ registries }: LoadedSettings): HostRules {
  const endpoints = new RegistryEndpoints(registries);
  return {
    isNamed: (host) => endpoints.isNamed(host),
    connection: (url) => endpoints.guestConnection(url),
  };
}

/** The decision over one source of policies. */
function openDecision(
  source: LiveSource,
  { store, credentials, hosts, disk }: Contents,
  recorder: VerdictRecorder,
  pullSecrets?: PullSecrets,
): OpenDecision {
  const artifacts = createArtifactSource(store);
  const revocation = createRevocationSource({ hosts, clock });
  const pool = createVerifierPool({ revocation });
  const verifier = createCachingVerifier(pool, clock);
  return {
    ports: {
      artifacts,
      verifier,
      clock,
      budget: new ByteBudget(),
      recorder,
      policies: source,
      namespaces: source,
      credentials: {
        credentialsFor: async (workload) =>
          pullSecrets === undefined
            ? credentials
            : pullCredentials(await pullSecrets.find(workload), credentials),
      },
    },
    caches: () => [
      ...artifacts.caches(),
      ...verifier.caches(),
      ...revocation.caches(),
      ...(disk === undefined ? [] : [disk.counts()]),
    ],
    disk,
    close: async () => {
      await Promise.all([artifacts.close(), source.close(), pool.close(), revocation.close()]);
      await pullSecrets?.close();
      await disk?.close();
    },
  };
}

/** How policies find trust material, and what has to be closed after it. */
interface Trust {
  readonly snapshotOptions: SnapshotOptions;
  readonly mirrors: TufMirrors;
  readonly close: () => Promise<void>;
}

async function openTrust(
  { trustDir, noMatch, cacheDir }: PolicyOptions & Pick<RegistryOptions, 'cacheDir'>,
  settings: LoadedSettings,
  events: TufEvents,
): Promise<Trust> {
  if (trustDir !== undefined) requireTrustDirectory(trustDir);
  const directory = cacheDir === undefined ? undefined : await prepareCacheDirectory(cacheDir, 'tuf-v1');
  const mirrors = new TufMirrors({
    hosts: hostRules(settings),
    events,
    ...(directory === undefined ? {} : { directory }),
  });
  return {
    mirrors,
    snapshotOptions: {
      noMatch,
      checkExpression,
      trustFor: (configMaps: ConfigMapLookup) => {
        const trust = createTrustSource({
          configMaps,
          mirrors,
          ...(trustDir === undefined ? {} : { directory: trustDir }),
        });
        return { material: (reference) => trust.material(reference), check: checkIssuerMaterial };
      },
      onTrustChange: (changed) => mirrors.subscribe(changed),
    },
    close: () => mirrors.close(),
  };
}

const loadSettings = ({ registries, plainHttp }: RegistryOptions): Promise<LoadedSettings> =>
  loadRegistrySettings(registries, plainHttp);

const silent: TufEvents = {
  replaced: () => undefined,
  failed: () => undefined,
  diskFailed: () => undefined,
};

const logged = (log: BaseLogger): TufEvents => ({
  replaced: (mirror) => {
    log.info({ mirror }, 'A trusted root was read from its TUF mirror');
  },
  failed: (mirror, { code, message }, keeps) => {
    const consequence = keeps
      ? 'what was last good stays in force'
      : 'issuers that name it cannot be used yet';
    log.warn({ mirror, code }, `The TUF mirror ${mirror} cannot be read, ${consequence}: ${message}`);
  },
  diskFailed: (mirror, cause) => {
    log.warn(
      { mirror, cause },
      'What the cache directory keeps of a TUF mirror cannot be used: going on without it',
    );
  },
});

/** The first reading of a mirror is waited for, within the caller's time: a policy without its trusted root decides nothing. */
async function openChecker(options: CheckOptions, signal: AbortSignal): Promise<Checker> {
  await using stack = new AsyncDisposableStack();
  const settings = await loadSettings(options);
  const trust = await openTrust(options, settings, silent);
  stack.defer(trust.close);
  const source = await openDirectory({ path: options.policies, watch: false, ...trust.snapshotOptions });
  await untilAborted(trust.mirrors.settled(), signal).catch(() => undefined);
  refuseNotReady(source);
  const { ports, close } = openDecision(source, await openContents(options, settings), {
    record: () => undefined,
  });
  stack.defer(close);
  const opened = stack.move();
  return {
    decide: (workload, until) => decide(workload, ports, { signal: until }),
    close: () => opened.disposeAsync(),
  };
}

async function openContents(
  options: RegistryOptions & { readonly layout?: string },
  settings: LoadedSettings,
): Promise<Contents> {
  if (options.layout !== undefined) {
    return { store: await openLayout(options.layout, { clock }), credentials: anonymous, hosts: publicHosts };
  }
  // The user's own command runs the user's own helpers; the webhook runs nothing.
  return await openRegistries(options, settings, {}, new CredentialHelpers(clock));
}

async function openExplorer(options: TreeOptions): Promise<Explorer> {
  const { store, credentials, disk } = await openContents(options, await loadSettings(options));
  const artifacts = createArtifactSource(store);
  return {
    explore: (image, signal, onProgress) => {
      const access = { tenant: 'tree', credentials, signal, trace: new RequestTrace() };
      return exploreArtifacts(artifacts, image, access, onProgress);
    },
    close: async () => {
      await artifacts.close();
      await disk?.close();
    },
  };
}

/** A live webhook fails what such a policy guards; on the command line it is an error of the directory. */
function refuseNotReady(source: LiveSource): void {
  const snapshot = source.snapshot();
  const problems = snapshot === undefined ? [] : notReady(snapshot);
  if (problems.length === 0) return;
  const shown = problems.map(
    ({ policy, requirement, failure: { message } }) => `policy ${policy} (${requirement}): ${message}`,
  );
  throw new RefwardenError('PolicyNotReady', shown.join(' '));
}

async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
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
async function startService(
  options: ServeOptions,
  log: BaseLogger,
  limits: Partial<WebhookLimits> = {},
): Promise<{ port: number; close(): Promise<void> }> {
  const settings = await loadSettings(options);
  const trust = await openTrust(options, settings, logged(log));
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
  const decision = openDecision(source, contents, recorder, pullSecrets);
  const webhook = createWebhookServer({
    ...address(options.listen),
    tls: certificate,
    ...(clientCa === undefined ? {} : { clientCa }),
    reviews: {
      validate: (request, { signal }) =>
        review(request, decision.ports, { signal, mustBePinned: options.pinning }),
      mutate: (request, { signal }) =>
        options.pinning ? pinImages(request, decision.ports, { signal }) : Promise.resolve(unchanged),
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
    isReady: () => missing().length === 0,
    metrics,
    log,
  });
  const operations = createOperationsServer({
    ...address(options.operationsListen),
    missing,
    metrics: () => metrics.text(),
    log,
  });
  const close = async (): Promise<void> => {
    operations.beginShutdown();
    await webhook.close();
    await serving.close();
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

/** What the webhook server is made with. Before a Secret is there, nobody trusts what is shown. */
async function firstCertificate(certificate: ServedCertificate): Promise<ServingCertificate> {
  if (certificate.kind === 'Files') return loadServingCertificate(certificate);
  const { kept } = (await renewCertificates(noCertificates, ['localhost'], clock.nowMs())) ?? {};
  return readServingCertificate(kept?.certificate ?? '', kept?.key ?? '');
}

interface ServingParts {
  readonly settings: WebhookSettings | undefined;
  readonly webhook: WebhookServer;
  /** What the server was made with. */
  readonly certificate: ServingCertificate;
  readonly isReady: () => boolean;
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
  close(): Promise<void>;
}

function keepServing(options: ServeOptions, parts: ServingParts): Serving {
  const { settings, webhook, certificate, log } = parts;
  const origin = options.certificate;
  const keepInstallation = (from: CertificateOrigin): Installation | undefined =>
    settings === undefined
      ? undefined
      : openInstallation({
          ...{ settings, clock, logger: log, certificate: from, isReady: parts.isReady },
          ...{ releaseNamespace: options.releaseNamespace, pinning: options.pinning },
          ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
          restored: (kind, change) => {
            parts.metrics.recordRestoration(kind, change);
          },
        });
  if (origin.kind === 'Files') {
    const { caFile } = origin;
    const watch = new CertificateWatch({
      files: origin,
      current: certificate,
      use: (next) => {
        webhook.setTls(next);
      },
      log,
      clock,
    });
    const installation =
      caFile === undefined
        ? undefined
        : keepInstallation({ kind: 'Provided', authorities: () => loadAuthority(caFile) });
    return {
      expiresAtMs: () => watch.current.expiresAtMs,
      missing: () => [],
      holdsLease: () => installation?.holdsLease,
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
  return {
    expiresAtMs: () => current?.expiresAtMs,
    missing: () =>
      current === undefined ? [`The serving certificate is not in Secret ${origin.name} yet.`] : [],
    holdsLease: () => installation?.holdsLease,
    close: async () => installation?.close(),
  };
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

/** `0.0.0.0:8443`, `[::]:8443`. */
function address(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `${JSON.stringify(text)} is no address: write host:port.`,
    );
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Largest file of webhook settings, bytes. */
const maxWebhookSettingsBytes = 256 * 1024;

/** @param path absent = undefined. */
async function readWebhookSettings(path: string | undefined): Promise<WebhookSettings | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readBounded(path, maxWebhookSettingsBytes, `The webhook settings ${path}`);
  return parseWebhookSettings(bytes.toString('utf8'));
}

async function webhooks({ ca, settings, ...target }: WebhooksOptions): Promise<string> {
  const configurations = webhookConfigurations(
    (await readWebhookSettings(settings)) ?? parseWebhookSettings(''),
    { ...target, caPem: await loadAuthority(ca) },
  );
  return configurations.map(renderManifest).join('');
}

async function removeRegistered(
  { settings: path, kubeconfig }: RemoveWebhooksOptions,
  signal: AbortSignal,
): Promise<string> {
  const settings = (await readWebhookSettings(path)) ?? parseWebhookSettings('');
  const { removed, isMarked } = await removeWebhooks(settings, kubeconfig, signal);
  const what = removed.length === 0 ? 'There were no webhooks' : `Removed: ${removed.join(', ')}`;
  const { namespace, name } = settings.service;
  return isMarked
    ? `${what}. Service ${name} is marked: running replicas do not put them back.`
    : `${what}. There is no Service ${name} in namespace ${namespace} to mark: replicas that still run put them back.`;
}

function startDemoRegistry({ listen, ...options }: DemoRegistryOptions): Promise<DemoRegistry> {
  return startStandaloneRegistry({ ...address(listen), ...options });
}

/** The registries with samples, the webhook as `serve` runs it, and what it answers over the wire. */
async function startDemo(): Promise<Demo> {
  await using stack = new AsyncDisposableStack();
  const { shop, archive } = stack.use(await startDemoRegistries());
  const files = await writeDemoFiles();
  stack.defer(() => files.remove());
  const { policies, registries, tlsCert: certFile, tlsKey: keyFile } = files;
  const options: ServeOptions = {
    ...{ policies, registries, certificate: { kind: 'Files', certFile, keyFile } },
    listen: `${demoAddress}:0`,
    operationsListen: `${demoAddress}:0`,
    plainHttp: [],
    noMatch: 'Admit',
    releaseNamespace: 'refwarden-system',
    pinning: true,
    pullSecrets: false,
    logLevel: 'error',
  };
  const log = createLogger({ level: 'error', destination: process.stderr });
  const service = await startService(options, log, { lingerMs: 0 });
  stack.defer(() => service.close());
  const base = `https://${demoAddress}:${service.port}`;
  const urls = { mutate: base + webhookPaths.mutate, validate: base + webhookPaths.validate };
  const answers: DemoAnswer[] = [];
  for (const { image, what, expected, expectedCode } of demoCases) {
    shop.clearRequests();
    archive.clearRequests();
    const { outcome, code, message } = await createPod(urls, files.caPem, image);
    answers.push({
      image,
      what,
      expected,
      ...(expectedCode === undefined ? {} : { expectedCode }),
      answer: outcome,
      ...(code === undefined ? {} : { code }),
      message,
      requests: shop.requests.length + archive.requests.length,
    });
  }
  const running = stack.move();
  return { answers, commands: demoCommands(files, urls.validate), close: () => running.disposeAsync() };
}
