import { describe, expect, it } from 'vitest';
import { createCachingVerifier } from '../../src/admission/caching-verifier.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { VerifiedEvidence } from '../../src/policy/evidence.ts';
import type { ResolvedIssuer } from '../../src/policy/resolved-issuer.ts';
import type {
  VerificationOutcome,
  VerificationRequest,
  Verifier,
} from '../../src/verification/verification.ts';
import { digestOf, image } from '../policy/sample-evidence.ts';
import { candidate, evidenceBy, startMs } from './sample-decision.ts';

const minute = 60_000;

const keyIssuer = (name: string, fingerprint = `spec of ${name}`): ResolvedIssuer => ({
  kind: 'key',
  name,
  fingerprint,
  pem: 'x',
  transparencyLog: 'NotRequired',
});

async function requestFor(change: Partial<VerificationRequest> = {}): Promise<VerificationRequest> {
  const signature = candidate('signature', { evidence: [evidenceBy('acme')] });
  const layers = new Map<VerifiedEvidence['subject'], Uint8Array>();
  const { digest, manifest } = signature;
  for (const layer of manifest.layers)
    layers.set(layer.digest, await signature.fetchLayer(layer, {} as never));
  return {
    artifact: { digest, manifest },
    layers,
    subjects: [image],
    issuers: [keyIssuer('acme')],
    nowMs: startMs,
    ...change,
  };
}

/** A request with the layers of its own manifest. */
async function wholeRequest(change: Pick<VerificationRequest, 'artifact'>): Promise<VerificationRequest> {
  const layers = change.artifact.manifest.layers.map(({ digest }) => [digest, new Uint8Array()] as const);
  return requestFor({ ...change, layers: new Map(layers) });
}

/** A verifier that counts, its clock and the cache before it. */
function cachedCounter(
  outcome: () => Promise<VerificationOutcome>,
  subjectDocument = false,
  vouched: readonly Descriptor[] = [],
): {
  verifier: Verifier;
  calls: () => number;
  at: (nowMs: number) => void;
} {
  let calls = 0;
  let now = startMs;
  const counting: Verifier = {
    needs: ({ layers }) => ({ layers, vouched, subjectDocument, skipped: [] }),
    verify: () => {
      calls++;
      return outcome();
    },
    crossCheck: () => Promise.reject(new Error('not asked for')),
  };
  return {
    verifier: createCachingVerifier(counting, { nowMs: () => now }),
    calls: () => calls,
    at: (nowMs) => {
      now = nowMs;
    },
  };
}

const proven =
  (change: Partial<VerifiedEvidence> = {}) =>
  (): Promise<VerificationOutcome> =>
    Promise.resolve({ evidence: [evidenceBy('acme', change)], rejections: [] });
const unproven = (): Promise<VerificationOutcome> =>
  Promise.resolve({ evidence: [], rejections: [{ code: 'CertificateInvalid', message: 'Not yet valid.' }] });

describe('createCachingVerifier', () => {
  it('verifies once for 200 who ask at the same time', async () => {
    const gate = Promise.withResolvers<VerificationOutcome>();
    const cached = cachedCounter(() => gate.promise);
    const request = await requestFor();
    const asked = Array.from({ length: 200 }, () => cached.verifier.verify(request));
    gate.resolve({ evidence: [evidenceBy('acme')], rejections: [] });
    const outcomes = await Promise.all(asked);
    expect(cached.calls()).toBe(1);
    expect(outcomes).toHaveLength(200);
    expect(new Set(outcomes).size).toBe(1);
    expect(outcomes[0]?.evidence).toEqual([evidenceBy('acme')]);
  });

  it.each<[string, Partial<VerificationRequest>]>([
    [
      'another artifact',
      { artifact: { digest: digestOf('another'), manifest: candidate('another').manifest } },
    ],
    ['another subject', { subjects: [digestOf('other image')] }],
    ['a subject more', { subjects: [image, digestOf('index')] }],
    ['an issuer whose trust changed', { issuers: [keyIssuer('acme', 'rotated')] }],
    ['another issuer of the same trust', { issuers: [keyIssuer('b', 'spec of acme')] }],
    ['an issuer more', { issuers: [keyIssuer('acme'), keyIssuer('b')] }],
    ['no issuer', { issuers: [] }],
  ])('T27 T34 asks again for %s', async (_, change) => {
    const cached = cachedCounter(proven());
    await cached.verifier.verify(await requestFor());
    await cached.verifier.verify(await requestFor(change));
    expect(cached.calls()).toBe(2);
    await cached.verifier.verify(await requestFor());
    expect(cached.calls()).toBe(2);
  });

  const voucher = evidenceBy('acme', { signedAtMs: startMs - minute, validUntilMs: startMs + 5 * minute });

  it.each<[string, readonly VerifiedEvidence[] | undefined]>([
    ['none', undefined],
    ['a voucher more', [voucher, evidenceBy('vendor')]],
    ['another voucher', [evidenceBy('vendor')]],
    ['another issuer', [{ ...voucher, issuer: 'vendor' }]],
    ['another signer', [{ ...voucher, signer: evidenceBy('vendor').signer }]],
    ['another subject', [{ ...voucher, subject: digestOf('index') }]],
    ['another kind', [{ ...voucher, kind: 'attestation' }]],
    ['another time of signing', [{ ...voucher, signedAtMs: startMs }]],
    ['another expiry', [{ ...voucher, validUntilMs: startMs + 6 * minute }]],
  ])('T27 T34 asks again when the vouchers change: %s', async (_, vouchers) => {
    const cached = cachedCounter(proven());
    await cached.verifier.verify(await requestFor({ vouchers: [voucher] }));
    const changed = await requestFor(vouchers === undefined ? {} : { vouchers });
    await cached.verifier.verify(changed);
    expect(cached.calls()).toBe(2);
    await cached.verifier.verify(changed);
    expect(cached.calls()).toBe(2);
  });

  it('knows vouchers in any order, whatever path led to them', async () => {
    const cached = cachedCounter(proven());
    const found = { ...voucher, mechanism: 'Referrers', path: [image] };
    await cached.verifier.verify(await requestFor({ vouchers: [voucher, evidenceBy('vendor')] }));
    await cached.verifier.verify(await requestFor({ vouchers: [evidenceBy('vendor'), found] }));
    expect(cached.calls()).toBe(1);
  });

  it('T25 T34 keeps an outcome no longer than its vouchers are valid', async () => {
    const cached = cachedCounter(proven());
    const request = await requestFor({ vouchers: [evidenceBy('vendor'), voucher] });
    await cached.verifier.verify(request);
    cached.at(startMs + 5 * minute - 1);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(1);
    cached.at(startMs + 5 * minute);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(2);
  });

  it('T27 keeps nothing of what was vouched for and not read', async () => {
    const vouched = candidate('statement', { evidence: [evidenceBy('vendor')] }).manifest.layers;
    const cached = cachedCounter(unproven, false, vouched);
    const unvouched = await requestFor();
    await cached.verifier.verify(unvouched);
    await cached.verifier.verify(unvouched);
    expect(cached.calls()).toBe(1);
    const partial = await requestFor({ vouchers: [voucher] });
    await cached.verifier.verify(partial);
    await cached.verifier.verify(partial);
    expect(cached.calls()).toBe(3);
    const layers = new Map([
      ...partial.layers,
      ...vouched.map(({ digest }) => [digest, new Uint8Array()] as const),
    ]);
    await cached.verifier.verify({ ...partial, layers });
    await cached.verifier.verify({ ...partial, layers });
    expect(cached.calls()).toBe(4);
  });

  it('knows issuers in any order', async () => {
    const cached = cachedCounter(proven());
    await cached.verifier.verify(await requestFor({ issuers: [keyIssuer('a'), keyIssuer('b')] }));
    await cached.verifier.verify(await requestFor({ issuers: [keyIssuer('b'), keyIssuer('a')] }));
    expect(cached.calls()).toBe(1);
  });

  it('T27 is not confused by names that run into one another', async () => {
    const cached = cachedCounter(proven());
    await cached.verifier.verify(await requestFor({ issuers: [keyIssuer('a', 'b"],["c')] }));
    await cached.verifier.verify(await requestFor({ issuers: [keyIssuer('a', 'b'), keyIssuer('c', '')] }));
    expect(cached.calls()).toBe(2);
  });

  it('T34 keeps what is proven for ten minutes', async () => {
    const cached = cachedCounter(proven());
    const request = await requestFor();
    await cached.verifier.verify(request);
    cached.at(startMs + 10 * minute - 1);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(1);
    cached.at(startMs + 10 * minute);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(2);
  });

  it('T25 T34 keeps evidence no longer than it is valid', async () => {
    const cached = cachedCounter(proven({ validUntilMs: startMs + minute }));
    const request = await requestFor();
    await cached.verifier.verify(request);
    cached.at(startMs + minute - 1);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(1);
    cached.at(startMs + minute);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(2);
  });

  it('T27 keeps what proves nothing for half a minute: time alone may mend it', async () => {
    const cached = cachedCounter(unproven);
    const request = await requestFor();
    await cached.verifier.verify(request);
    cached.at(startMs + 29_999);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(1);
    cached.at(startMs + 30_000);
    await cached.verifier.verify(request);
    expect(cached.calls()).toBe(2);
  });

  it('T28 keeps no failure: everybody who waited hears of it, the next one asks again', async () => {
    let broken = true;
    const cached = cachedCounter(() => (broken ? Promise.reject(new Error('worker lost')) : proven()()));
    const request = await requestFor();
    const both = await Promise.allSettled([cached.verifier.verify(request), cached.verifier.verify(request)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(cached.calls()).toBe(1);
    broken = false;
    expect((await cached.verifier.verify(request)).evidence).toHaveLength(1);
    expect(cached.calls()).toBe(2);
  });

  it('T27 keeps nothing of an artifact that was not read whole', async () => {
    const cached = cachedCounter(unproven);
    const whole = await requestFor();
    await cached.verifier.verify({ ...whole, layers: new Map() });
    await cached.verifier.verify({ ...whole, layers: new Map() });
    expect(cached.calls()).toBe(2);
    await cached.verifier.verify(whole);
    expect(cached.calls()).toBe(3);
    const signingBytes = cachedCounter(unproven, true);
    await signingBytes.verifier.verify(whole);
    await signingBytes.verifier.verify(whole);
    expect(signingBytes.calls()).toBe(2);
    await signingBytes.verifier.verify({ ...whole, subjectDocument: new Uint8Array() });
    await signingBytes.verifier.verify({ ...whole, subjectDocument: new Uint8Array() });
    expect(signingBytes.calls()).toBe(3);
  });

  it('T11 is bounded by bytes: outcomes that say much make place for others', async () => {
    const wordy = cachedCounter(() =>
      Promise.resolve({
        evidence: [],
        rejections: Array.from({ length: 65 }, () => ({
          code: 'SignerNotTrusted' as const,
          message: 'x'.repeat(8192),
        })),
      }),
    );
    const artifact = (index: number) => ({
      artifact: { digest: digestOf(`hostile ${index}`), manifest: candidate('hostile').manifest },
    });
    // Each takes a megabyte, and 32 are kept.
    for (let index = 0; index < 40; index++) await wordy.verifier.verify(await wholeRequest(artifact(index)));
    expect(wordy.calls()).toBe(40);
    await wordy.verifier.verify(await wholeRequest(artifact(39)));
    expect(wordy.calls()).toBe(40);
    await wordy.verifier.verify(await wholeRequest(artifact(0)));
    expect(wordy.calls()).toBe(41);
  });

  it('T11 does not keep an outcome larger than the cache', async () => {
    const huge = cachedCounter(() =>
      Promise.resolve({
        evidence: [],
        rejections: [{ code: 'SignerNotTrusted', message: 'x'.repeat(2 ** 24) }],
      }),
    );
    await huge.verifier.verify(await requestFor());
    await huge.verifier.verify(await requestFor());
    expect(huge.calls()).toBe(2);
  });

  it('T27 sees the issuers of each list, however often a list is asked about', async () => {
    const cached = cachedCounter(proven());
    const lists = [[keyIssuer('a')], [keyIssuer('b')], [keyIssuer('a')]];
    for (const issuers of [...lists, ...lists]) await cached.verifier.verify(await requestFor({ issuers }));
    expect(cached.calls()).toBe(2);
  });

  it('passes on what an artifact needs', async () => {
    const { artifact } = await requestFor();
    expect(cachedCounter(proven(), true).verifier.needs(artifact.manifest)).toEqual({
      layers: artifact.manifest.layers,
      vouched: [],
      subjectDocument: true,
      skipped: [],
    });
  });
});
