import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { MetricSources } from '../../src/observability/metrics.ts';
import { decideOn, pod } from '../admission/sample-decision.ts';
import { image } from '../policy/sample-evidence.ts';
import { clusterPolicy, compile, exception, keyIssuer, signedBy } from '../policy/sample-resources.ts';
import { sampleCheck, sampleImage, sampleVerdict } from '../support/sample-verdict.ts';

const metricsOf = (sources: Partial<MetricSources> = {}) =>
  createMetrics({
    policies: () => ({ ready: 2, notReady: 1 }),
    staleOrigins: () => 0,
    policySyncAgeSeconds: () => 4.5,
    certificateExpiresAtMs: () => 1_700_000_000_000,
    caches: () => [
      { name: 'blobs', hits: 3, misses: 2, evictions: 1, entries: 4, bytes: 2048 },
      { name: 'tags', hits: 0, misses: 1, evictions: 0, entries: 1, bytes: undefined },
    ],
    holdsLease: () => true,
    webhooks: () =>
      new Map([
        ['ValidatingWebhookConfiguration', true],
        ['MutatingWebhookConfiguration', false],
      ]),
    cacheDirFaults: () => ({ spoilt: 1, failed: 2 }),
    trustMirrors: () => [
      { host: 'tuf.example', verifiedAtMs: Date.now() - 60_000, expiresAtMs: 1_800_000_000_000, failures: 2 },
    ],
    ...sources,
  });

describe('createMetrics', () => {
  it('counts reviews, checks, registry requests, round trips and refusals', async () => {
    const metrics = metricsOf();
    metrics.recordVerdict(sampleVerdict({ durationMs: 30 }));
    metrics.recordRefusal('Overloaded');
    metrics.recordRequest({ outcome: 'ok', purpose: 'decision', durationMs: 20 });
    metrics.recordRequest({ outcome: 'ok', purpose: 'decision', durationMs: 40 });
    metrics.recordRequest({ outcome: 'timeout', purpose: 'background', durationMs: 6_000 });
    const text = await metrics.text();
    expect(text).toContain('refwarden_reviews_total{outcome="denied",kind="Pod"} 1\n');
    expect(text).toContain(
      'refwarden_checks_total{policy="prod-release",outcome="failed",code="SignatureMissing",mode="Enforce"} 1\n',
    );
    expect(text).toContain('refwarden_review_duration_seconds_bucket{le="0.025"} 0\n');
    expect(text).toContain('refwarden_review_duration_seconds_bucket{le="0.05"} 1\n');
    expect(text).toContain('refwarden_registry_requests_total{outcome="ok",purpose="decision"} 2\n');
    expect(text).toContain('refwarden_registry_requests_total{outcome="timeout",purpose="background"} 1\n');
    expect(text).toContain('refwarden_registry_request_duration_seconds_sum{purpose="decision"} 0.06\n');
    expect(text).toContain('refwarden_review_registry_round_trips_sum 2\n');
    expect(text).toContain('refwarden_refused_requests_total{code="Overloaded"} 1\n');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('reads its gauges when asked', async () => {
    const text = await metricsOf().text();
    expect(text).toContain('refwarden_policies{ready="true"} 2\n');
    expect(text).toContain('refwarden_policies{ready="false"} 1\n');
    expect(text).toContain('refwarden_policy_sync_age_seconds 4.5\n');
    expect(text).toContain('refwarden_serving_certificate_expiry_timestamp_seconds 1700000000\n');
    expect(text).toContain('refwarden_lease_held 1\n');
    expect(text).toContain('refwarden_webhooks_registered{kind="ValidatingWebhookConfiguration"} 1\n');
    expect(text).toContain('refwarden_webhooks_registered{kind="MutatingWebhookConfiguration"} 0\n');
    const without = await metricsOf({ holdsLease: () => undefined, webhooks: () => undefined }).text();
    expect(without).not.toMatch(/^refwarden_(?:lease_held|webhooks_registered)/m);
  });

  it('takes over what caches counted, each time as it stands', async () => {
    const metrics = metricsOf();
    await metrics.text();
    const text = await metrics.text();
    expect(text).toContain('refwarden_cache_hits_total{cache="blobs"} 3\n');
    expect(text).toContain('refwarden_cache_misses_total{cache="blobs"} 2\n');
    expect(text).toContain('refwarden_cache_evictions_total{cache="blobs"} 1\n');
    expect(text).toContain('refwarden_cache_entries{cache="tags"} 1\n');
    expect(text).toContain('refwarden_cache_bytes{cache="blobs"} 2048\n');
    expect(text).not.toContain('refwarden_cache_bytes{cache="tags"}');
    expect(text).toContain('refwarden_cache_dir_faults_total{fault="failed"} 2\n');
    const without = await metricsOf({ cacheDirFaults: () => undefined }).text();
    expect(without).not.toContain('refwarden_cache_dir_faults_total{');
  });

  it('leaves out a gauge whose value is not known, also after it was', async () => {
    let age: number | undefined = 3;
    const metrics = metricsOf({ policySyncAgeSeconds: () => age });
    expect(await metrics.text()).toMatch(/^refwarden_policy_sync_age_seconds 3$/m);
    age = undefined;
    expect(await metrics.text()).not.toMatch(/^refwarden_policy_sync_age_seconds/m);
  });

  it('keeps a registry of its own', async () => {
    metricsOf().recordRefusal('Overloaded');
    expect(await metricsOf().text()).not.toContain('code="Overloaded"');
  });

  it('labels checks of a namespaced policy by namespace and name, and passed checks with no code', async () => {
    const metrics = metricsOf();
    const passed = sampleCheck({ policy: 'shop/prod-release', outcome: 'passed' });
    delete (passed as { code?: string }).code;
    metrics.recordVerdict(
      sampleVerdict({
        images: [
          sampleImage({ checks: [passed, passed, { ...passed, policy: 'prod' }] }),
          sampleImage({ checks: [{ ...passed, mode: 'Audit' }, passed] }),
        ],
      }),
    );
    const text = await metrics.text();
    for (const [policy, mode, count] of [
      ['shop/prod-release', 'Enforce', 3],
      ['shop/prod-release', 'Audit', 1],
      ['prod', 'Enforce', 1],
    ] as const) {
      expect(text).toContain(
        `refwarden_checks_total{policy="${policy}",outcome="passed",code="none",mode="${mode}"} ${count}\n`,
      );
    }
  });

  it('counts what was excepted as that, not as passed', async () => {
    const metrics = metricsOf();
    const verdict = await decideOn(
      {
        policies: compile([
          keyIssuer('acme'),
          clusterPolicy('prod', { require: [signedBy('acme')] }),
          exception('hotfix', { images: [`ghcr.io/acme/app@${image}`] }),
        ]),
      },
      pod([`ghcr.io/acme/app@${image}`]),
    );
    metrics.recordVerdict(verdict);
    expect(await metrics.text()).toContain(
      'refwarden_checks_total{policy="prod",outcome="excepted",code="none",mode="Enforce"} 1\n',
    );
  });

  it('T31 has no label for image names, and few values for labels that callers choose', async () => {
    const metrics = metricsOf();
    for (let i = 0; i < 1200; i++) {
      const images = [sampleImage({ checks: [sampleCheck({ policy: `p${i}` })] })];
      metrics.recordVerdict(
        sampleVerdict({ images, workload: { kind: `Kind${i}`, namespace: 'n', name: 'x' } }),
      );
    }
    const text = await metrics.text();
    expect(text).not.toContain('acme/app');
    expect(text.match(/^refwarden_reviews_total\{/gm)).toHaveLength(1);
    expect(text).toContain('refwarden_reviews_total{outcome="denied",kind="other"} 1200\n');
    expect(text.match(/^refwarden_checks_total\{/gm)).toHaveLength(1001);
    expect(text).toMatch(/refwarden_checks_total\{policy="other",.*\} 200\n/);
  });

  it('tells the worst of the trusted roots of one mirror, and of none that was never read', async () => {
    const state = { host: 'tuf.example', verifiedAtMs: 1_000, expiresAtMs: 2_000, failures: 1 };
    const mirrors = (...others: Partial<typeof state>[]) =>
      metricsOf({
        trustMirrors: () => [state, ...others.map((other) => ({ ...state, ...other }))],
      }).text();
    const text = await mirrors({ verifiedAtMs: 1_500, expiresAtMs: 1_000, failures: 2 });
    expect(text).toContain('refwarden_trust_mirror_expiry_timestamp_seconds{mirror="tuf.example"} 1\n');
    expect(text).toContain('refwarden_trust_mirror_failures_total{mirror="tuf.example"} 3\n');
    const age = /refwarden_trust_mirror_age_seconds\{mirror="tuf\.example"\} (\S+)\n/.exec(text)?.[1];
    expect(Number(age)).toBeGreaterThan(Date.now() / 1000 - 60);
    const unread = await metricsOf({
      trustMirrors: () => [state, { ...state, verifiedAtMs: undefined, expiresAtMs: undefined }],
    }).text();
    expect(unread).not.toContain('refwarden_trust_mirror_age_seconds{');
    expect(unread).not.toContain('refwarden_trust_mirror_expiry_timestamp_seconds{');
    expect(unread).toContain('refwarden_trust_mirror_failures_total{mirror="tuf.example"} 2\n');
  });

  it('is listed in docs/reference/metrics.md with type, labels and help', async () => {
    const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `(refwarden_\w+)` \| (\w+) \| (.*?) ?\| (.*?) \|$/gm)].map(
      ([, name, type, labels, help]) => ({
        name,
        type,
        labels: [...(labels ?? '').matchAll(/\w+/g)].map(([label]) => label),
        help,
      }),
    );
    const metrics = metricsOf();
    metrics.recordVerdict(sampleVerdict());
    metrics.recordRefusal('Overloaded');
    metrics.recordRestoration('ValidatingWebhookConfiguration', 'Missing');
    metrics.recordRequest({ outcome: 'ok', purpose: 'decision', durationMs: 20 });
    expect(listed).toEqual(exposed(await metrics.text()));
  });
});

/** What an exposition says of our own metrics, as rows. */
function exposed(text: string) {
  return [...text.matchAll(/^# HELP (refwarden_\w+) (.*)\n# TYPE \w+ (\w+)\n(\S+)/gm)].map(
    ([, name, help, type, sample]) => ({
      name,
      type,
      labels: [...(sample ?? '').matchAll(/(\w+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le'),
      help,
    }),
  );
}
