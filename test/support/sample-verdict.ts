import type { Check, ImageVerdict, Verdict } from '../../src/admission/verdict.ts';
import { parseDigest } from '../../src/image/digest.ts';

export const sampleDigest = parseDigest(`sha256:${'ab'.repeat(32)}`);

export function sampleCheck(change: Partial<Check> = {}): Check {
  return {
    policy: 'prod-release',
    mode: 'Enforce',
    requirement: 'signed',
    outcome: 'failed',
    blocks: true,
    code: 'SignatureMissing',
    message: 'asks for a signature by acme-release.',
    evidence: [],
    misses: [],
    ...change,
  };
}

export function sampleImage(change: Partial<ImageVerdict> = {}): ImageVerdict {
  return {
    image: 'ghcr.io/acme/app:1.4',
    reference: 'ghcr.io/acme/app:1.4',
    digest: sampleDigest,
    fields: [{ path: 'spec.containers[0].image', name: 'app', role: 'container' }],
    outcome: 'failed',
    checks: [sampleCheck()],
    ...change,
  };
}

/** A denied Pod with one unsigned image, changed as a test needs it. */
export function sampleVerdict(change: Partial<Verdict> = {}): Verdict {
  return {
    outcome: 'denied',
    allowed: false,
    workload: { kind: 'Pod', namespace: 'shop-prod', name: 'app' },
    images: [sampleImage()],
    dryRun: false,
    requests: { total: 3, sequential: 2 },
    durationMs: 41.66,
    ...change,
  };
}
