import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { FinishedRequest } from '../admission/ports.ts';
import type { Verdict } from '../admission/verdict.ts';
import type { FailureCode } from '../failures/catalogue.ts';

/** What is read when metrics are asked for. */
export interface MetricSources {
  /** Policies in force, by whether they can be applied. */
  readonly policies: () => { readonly ready: number; readonly notReady: number };
  /** Files or objects whose newest version is not in force, because it cannot be used. */
  readonly staleOrigins: () => number;
  /** Since policies were last known to be current, seconds; undefined before the first load. */
  readonly policySyncAgeSeconds: () => number | undefined;
  /** End of the serving certificate, milliseconds since the epoch; undefined without one. */
  readonly certificateExpiresAtMs: () => number | undefined;
  /** Whether this replica writes certificates and webhook configurations; undefined where nobody does. */
  readonly holdsLease: () => boolean | undefined;
  /** By kind, whether the webhook configuration stands as wanted; undefined where that is not known. */
  readonly webhooks: () => ReadonlyMap<string, boolean> | undefined;
  readonly caches: () => readonly CacheCounts[];
  readonly trustMirrors: () => readonly TrustMirrorState[];
  /** Files of the cache directory that could not be used; undefined without one. */
  readonly cacheDirFaults: () => { readonly spoilt: number; readonly failed: number } | undefined;
}

/** A TUF repository that a trusted root is read from. */
export interface TrustMirrorState {
  /** A label: what cluster administrators wrote. */
  readonly host: string;
  /** When what is in force was last verified, milliseconds since the epoch; undefined before the first reading. */
  readonly verifiedAtMs: number | undefined;
  /** Until when the repository says that it is current, milliseconds since the epoch. */
  readonly expiresAtMs: number | undefined;
  readonly failures: number;
}

export interface Metrics {
  recordVerdict(verdict: Verdict): void;
  /** A request that was refused before there was a verdict. */
  recordRefusal(code: FailureCode): void;
  /** A request that was sent to a registry. */
  recordRequest(request: FinishedRequest): void;
  /** A webhook configuration that somebody deleted or changed, and that was put back. */
  recordRestoration(kind: string, change: string): void;
  /** Prometheus text exposition, format 0.0.4. */
  text(): Promise<string>;
}

/** Other kinds share the label `other`: a label's values must be few, whoever sends reviews. */
const knownKinds = new Set([
  'Pod',
  'PodTemplate',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
]);
/** Distinct policies that get a label of their own in the life of a process; tenants may name theirs anew for ever. */
const maxPolicyLabels = 1000;
const other = 'other';

/** The metrics of one process, in a registry of their own; `docs/reference/metrics.md` lists them. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const reviews = new Counter({
    name: 'refwarden_reviews_total',
    help: 'Workloads decided, by outcome and kind.',
    labelNames: ['outcome', 'kind'],
    registers,
  });
  const checks = new Counter({
    name: 'refwarden_checks_total',
    help: 'Requirements judged on images, by policy, outcome (passed, failed, inconclusive, or excepted: not judged), failure code and mode of the policy.',
    labelNames: ['policy', 'outcome', 'code', 'mode'],
    registers,
  });
  const duration = new Histogram({
    name: 'refwarden_review_duration_seconds',
    help: 'Time to decide one workload.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30],
    registers,
  });
  const requests = new Counter({
    name: 'refwarden_registry_requests_total',
    help: 'Requests sent to registries and services that they name, by outcome and purpose.',
    labelNames: ['outcome', 'purpose'],
    registers,
  });
  const requestDuration = new Histogram({
    name: 'refwarden_registry_request_duration_seconds',
    help: 'Time from sending a request to a registry to the end of its answer.',
    labelNames: ['purpose'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const roundTrips = new Histogram({
    name: 'refwarden_review_registry_round_trips',
    help: 'Registry requests of one decision that had to wait for one another.',
    buckets: [0, 1, 2, 3, 4, 6, 8, 12, 20],
    registers,
  });
  const refusals = new Counter({
    name: 'refwarden_refused_requests_total',
    help: 'Webhook requests refused without a verdict: malformed, too large, too many, too slow.',
    labelNames: ['code'],
    registers,
  });
  const restorations = new Counter({
    name: 'refwarden_webhook_restorations_total',
    help: 'Webhook configurations that were put back after somebody deleted or changed them.',
    labelNames: ['kind', 'change'],
    registers,
  });
  registerSources(sources, registers);
  registerCaches(sources, registers);
  registerTrustMirrors(sources, registers);
  collectDefaultMetrics({ register: registry });

  const policyLabels = new Set<string>();
  const boundedPolicyLabel = (policy: string): string => {
    if (policyLabels.size < maxPolicyLabels) policyLabels.add(policy);
    return policyLabels.has(policy) ? policy : other;
  };

  return {
    recordVerdict(verdict) {
      const { kind } = verdict.workload;
      reviews.inc({ outcome: verdict.outcome, kind: knownKinds.has(kind) ? kind : other });
      duration.observe(verdict.durationMs / 1000);
      roundTrips.observe(verdict.requests.sequential);
      for (const { labels, count } of countChecks(verdict)) {
        checks.inc({ ...labels, policy: boundedPolicyLabel(labels.policy) }, count);
      }
    },
    recordRefusal(code) {
      refusals.inc({ code });
    },
    recordRequest({ outcome, purpose, durationMs }) {
      requests.inc({ outcome, purpose });
      requestDuration.observe({ purpose }, durationMs / 1000);
    },
    recordRestoration(kind, change) {
      restorations.inc({ kind, change });
    },
    text: () => registry.metrics(),
  };
}

interface CountedChecks {
  readonly labels: Readonly<Record<'policy' | 'outcome' | 'code' | 'mode', string>>;
  count: number;
}

/** Those with the same labels together: most of many images have the same. */
function countChecks({ images }: Verdict): Iterable<CountedChecks> {
  const counted = new Map<string, CountedChecks>();
  for (const { checks } of images) {
    for (const { policy, outcome: ofCheck, exemption, code = 'none', mode } of checks) {
      const outcome = exemption === undefined ? ofCheck : 'excepted';
      const key = `${policy} ${outcome} ${code} ${mode}`;
      const known = counted.get(key);
      if (known === undefined) counted.set(key, { labels: { policy, outcome, code, mode }, count: 1 });
      else known.count++;
    }
  }
  return counted.values();
}

function registerSources(sources: MetricSources, registers: Registry[]): void {
  new Gauge({
    name: 'refwarden_policies',
    help: 'Policies in force, by whether they can be applied.',
    labelNames: ['ready'],
    registers,
    collect() {
      const { ready, notReady } = sources.policies();
      this.set({ ready: 'true' }, ready);
      this.set({ ready: 'false' }, notReady);
    },
  });
  new Gauge({
    name: 'refwarden_stale_policy_origins',
    help: 'Policy files or objects whose newest version cannot be used, so that an older one is in force.',
    registers,
    collect() {
      this.set(sources.staleOrigins());
    },
  });
  new Gauge({
    name: 'refwarden_policy_sync_age_seconds',
    help: 'Time since policies were last known to be current; absent before the first load.',
    registers,
    collect() {
      setOrRemove(this, sources.policySyncAgeSeconds());
    },
  });
  new Gauge({
    name: 'refwarden_serving_certificate_expiry_timestamp_seconds',
    help: 'End of the serving certificate, seconds since the epoch; absent without one.',
    registers,
    collect() {
      const expiresAtMs = sources.certificateExpiresAtMs();
      setOrRemove(this, expiresAtMs === undefined ? undefined : expiresAtMs / 1000);
    },
  });
  new Gauge({
    name: 'refwarden_lease_held',
    help: 'Whether this replica is the one that writes certificates, webhook configurations and statuses; absent without serve --webhooks.',
    registers,
    collect() {
      const holds = sources.holdsLease();
      setOrRemove(this, holds === undefined ? undefined : Number(holds));
    },
  });
  new Gauge({
    name: 'refwarden_webhooks_registered',
    help: 'Whether the webhook configurations of this kind stand as they should: 0 while they are missing, changed or removed; from the replica that holds the lease alone, absent without serve --webhooks and before it is known.',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      for (const [kind, stands] of sources.webhooks() ?? []) this.set({ kind }, Number(stands));
    },
  });
}

/** Caches count for themselves: their counters are taken over as they stand. */
function registerCaches({ caches, cacheDirFaults }: MetricSources, registers: Registry[]): void {
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => readonly (readonly [string, number])[],
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [labelValue, value] of values()) this.inc({ [label]: labelValue }, value);
      },
    });
  };
  const counts = (field: 'hits' | 'misses' | 'evictions') => () =>
    caches().map((cache) => [cache.name, cache[field]] as const);
  counter('refwarden_cache_hits_total', 'Reads that a cache answered.', 'cache', counts('hits'));
  counter(
    'refwarden_cache_misses_total',
    'Reads that a cache did not answer: unknown, or too old for whoever asked.',
    'cache',
    counts('misses'),
  );
  counter(
    'refwarden_cache_evictions_total',
    'Entries of a cache that made room for others.',
    'cache',
    counts('evictions'),
  );
  new Gauge({
    name: 'refwarden_cache_entries',
    help: 'Entries in a cache.',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const { name, entries } of caches()) this.set({ cache: name }, entries);
    },
  });
  new Gauge({
    name: 'refwarden_cache_bytes',
    help: 'Size of a cache that is bounded in bytes.',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const { name, bytes } of caches()) if (bytes !== undefined) this.set({ cache: name }, bytes);
    },
  });
  counter(
    'refwarden_cache_dir_faults_total',
    'Files of the cache directory that were not what was written (spoilt), and reads and writes that failed (failed).',
    'fault',
    () => Object.entries(cacheDirFaults() ?? {}),
  );
}

/** Two roots of one host share a label: the worse counts. */
function registerTrustMirrors({ trustMirrors }: MetricSources, registers: Registry[]): void {
  const labelNames = ['mirror'];
  const byHost = (): ReadonlyMap<string, readonly TrustMirrorState[]> =>
    Map.groupBy(trustMirrors(), ({ host }) => host);
  const earliest = (times: readonly (number | undefined)[]): number | undefined => {
    const known = times.filter((time) => time !== undefined);
    return known.length < times.length ? undefined : Math.min(...known);
  };
  new Gauge({
    name: 'refwarden_trust_mirror_age_seconds',
    help: 'Time since the trusted root of a TUF mirror was last verified to be current; absent before the first reading.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [mirror, states] of byHost()) {
        const verifiedAtMs = earliest(states.map((state) => state.verifiedAtMs));
        if (verifiedAtMs !== undefined) this.set({ mirror }, (Date.now() - verifiedAtMs) / 1000);
      }
    },
  });
  new Gauge({
    name: 'refwarden_trust_mirror_expiry_timestamp_seconds',
    help: 'When the metadata of a TUF mirror says that it stops being current, seconds since the epoch; what was verified before stays in force.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [mirror, states] of byHost()) {
        const expiresAtMs = earliest(states.map((state) => state.expiresAtMs));
        if (expiresAtMs !== undefined) this.set({ mirror }, expiresAtMs / 1000);
      }
    },
  });
  new Counter({
    name: 'refwarden_trust_mirror_failures_total',
    help: 'Readings of a TUF mirror that failed: unreachable, expired, older than before, or not signed as it must be.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [mirror, states] of byHost()) {
        this.inc(
          { mirror },
          states.reduce((sum, { failures }) => sum + failures, 0),
        );
      }
    },
  });
}

/** Zero would read as "current" or "long expired": what is not known is left out. */
function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}
