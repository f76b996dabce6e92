import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/admission/verdict.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createVerdictRecorder } from '../../src/observability/verdict-recorder.ts';
import { signature } from '../policy/sample-evidence.ts';
import { captureLog } from '../support/captured-log.ts';
import { sampleCheck, sampleDigest, sampleImage, sampleVerdict } from '../support/sample-verdict.ts';

function record(verdict: Verdict) {
  const { log, lines } = captureLog();
  const metrics = createMetrics({
    policies: () => ({ ready: 0, notReady: 0 }),
    staleOrigins: () => 0,
    policySyncAgeSeconds: () => undefined,
    certificateExpiresAtMs: () => undefined,
    caches: () => [],
    holdsLease: () => undefined,
    webhooks: () => undefined,
    cacheDirFaults: () => undefined,
    trustMirrors: () => [],
  });
  createVerdictRecorder({ logger: log, metrics }).record(verdict);
  return { line: lines()[0] ?? {}, count: lines().length, metrics };
}

describe('createVerdictRecorder', () => {
  it('writes one line that says what was denied, for which images, by which policies and why', () => {
    const { line, count } = record(sampleVerdict());
    expect(count).toBe(1);
    expect(line).toMatchObject({
      level: 'warn',
      msg: 'Workload denied',
      outcome: 'denied',
      kind: 'Pod',
      namespace: 'shop-prod',
      name: 'app',
      images: [{ image: 'ghcr.io/acme/app:1.4', digest: sampleDigest, outcome: 'failed' }],
      codes: ['SignatureMissing'],
      policies: ['prod-release'],
      notPassed: [
        {
          image: 'ghcr.io/acme/app:1.4',
          policy: 'prod-release',
          mode: 'Enforce',
          outcome: 'failed',
          code: 'SignatureMissing',
        },
      ],
      requests: { total: 3, sequential: 2 },
      durationMs: 41.7,
      dryRun: false,
    });
  });

  it('says what counted although its issuer only logs what is wrong with it', () => {
    const tolerated = [{ code: 'CertificateRevoked', message: 'The certificate was revoked.' }] as const;
    const evidence = [signature({ tolerated })];
    const { line } = record(
      sampleVerdict({ images: [sampleImage({ checks: [sampleCheck({ evidence })] })] }),
    );
    expect(line['tolerated']).toEqual([
      {
        image: 'ghcr.io/acme/app:1.4',
        policy: 'prod-release',
        requirement: 'signed',
        issuer: signature().issuer,
        ...tolerated[0],
      },
    ]);
    expect('tolerated' in record(sampleVerdict()).line).toBe(false);
  });

  it.each([
    ['admitted', 'info'],
    ['denied', 'warn'],
    ['inconclusive', 'warn'],
  ] as const)('logs %s at level %s', (outcome, level) => {
    expect(record(sampleVerdict({ outcome, allowed: outcome === 'admitted' })).line['level']).toBe(level);
  });

  it('names the failure of a review as a whole', () => {
    const failure = { code: 'PoliciesNotLoaded', message: 'No policies have been loaded yet.' } as const;
    const { line } = record(sampleVerdict({ outcome: 'inconclusive', images: [], failure }));
    expect(line).toMatchObject({
      codes: ['PoliciesNotLoaded'],
      message: 'No policies have been loaded yet.',
    });
  });

  it('T31 says what lies behind a failure, without its secrets', () => {
    const cause = new Error('connect ECONNREFUSED, sent Bearer abcdef');
    const check = { ...sampleCheck(), outcome: 'inconclusive', code: 'RegistryUnavailable', cause } as const;
    const { line } = record(sampleVerdict({ images: [sampleImage({ checks: [check] })] }));
    expect(JSON.stringify(line['notPassed'])).toContain('connect ECONNREFUSED');
    expect(JSON.stringify(line)).not.toContain('abcdef');
  });

  it('counts the verdict', async () => {
    const { metrics } = record(sampleVerdict());
    expect(await metrics.text()).toContain('refwarden_reviews_total{outcome="denied",kind="Pod"} 1');
  });

  it('T31 bounds and cleans what a workload claims', () => {
    const images = Array.from({ length: 300 }, (_, i) =>
      sampleImage({ reference: `ghcr.io/acme/app-${i}:1`, checks: [sampleCheck({ policy: `p${i}` })] }),
    );
    const workload = { kind: 'Pod', namespace: 'shop', name: `\u001b[2J${'n'.repeat(5000)}` };
    const { line } = record(sampleVerdict({ images, workload }));
    expect(line['images']).toHaveLength(20);
    expect(line['imagesNotShown']).toBe(280);
    expect(line['policies']).toHaveLength(20);
    expect(line['name']).toMatch(/^\ufffd\[2Jn{496}\.\.\.$/);
  });
});
