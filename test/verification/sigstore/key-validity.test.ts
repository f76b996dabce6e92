import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCachingVerifier } from '../../../src/admission/caching-verifier.ts';
import type { KeyIssuer } from '../../../src/policy/resolved-issuer.ts';
import { checkKeyValidity } from '../../../src/verification/sigstore/key-validity.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { authority, image, statement } from '../../support/own-sigstore.ts';
import { layerRequest } from '../../support/signed-layer.ts';
import { signShape } from '../../support/signed-shapes.ts';
import { createSigstoreAuthority } from '../../support/sigstore-authority.ts';

const dayMs = 86_400_000;
const signedAtMs = Date.now();
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = (change: Partial<KeyIssuer> = {}): KeyIssuer => ({
  kind: 'key',
  name: 'vendor',
  fingerprint: `vendor ${JSON.stringify(change)}`,
  pem: keyPair.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  transparencyLog: 'NotRequired',
  trustedRoot: authority.trustedRoot,
  ...change,
});
const undated = await signShape(authority, { keyPair, statement });
const logged = await signShape(authority, { keyPair, statement, entries: ['dsse 0.0.1'] });
const stamped = await signShape(authority, { keyPair, statement, timestamps: [authority] });
const requestFor = (text: string, issuer: KeyIssuer, nowMs: number) => ({
  ...layerRequest(Buffer.from(text), 'application/vnd.dev.sigstore.bundle.v0.3+json', image, [issuer]),
  nowMs,
});
const verifier = createVerifier();
const verify = (text: string, issuer: KeyIssuer, nowMs = signedAtMs) =>
  verifier.verify(requestFor(text, issuer, nowMs));

describe('T25 T34 a key that was rotated', () => {
  const notAfterMs = signedAtMs + 2 * dayMs;
  const retired = key({ notAfterMs });
  const later = notAfterMs + 3 * dayMs;

  it('goes on counting for what a log entry or a timestamp dates before', async () => {
    for (const [text, timeSource] of [
      [logged, 'TransparencyLog'],
      [stamped, 'SignedTimestamp'],
    ] as const) {
      const { evidence } = await verify(text, retired, later);
      expect(evidence).toMatchObject([{ issuer: 'vendor', timeSource }]);
      expect(evidence[0]?.validUntilMs).toBeUndefined();
    }
  });

  it('stops counting for what nothing dates, and says when it stopped', async () => {
    expect((await verify(undated, retired)).evidence).toMatchObject([{ validUntilMs: notAfterMs }]);
    const { evidence, rejections } = await verify(undated, retired, later);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'SignedOutsideValidity' }]);
    expect(rejections[0]?.message).toMatch(
      /^The key sha256:[0-9a-f]{12} stopped counting \S+Z \(3 days ago\), and nothing trusted says when the signature was made\.$/,
    );
  });

  it('does not count for what is dated after it stopped, whatever the time now', async () => {
    const stopped = key({ notAfterMs: signedAtMs - dayMs });
    for (const [text, by] of [
      [logged, 'its log entry'],
      [stamped, 'its timestamp'],
    ] as const) {
      const { evidence, rejections } = await verify(text, stopped, signedAtMs + dayMs / 2);
      expect(evidence).toEqual([]);
      expect(rejections).toMatchObject([{ code: 'SignedOutsideValidity' }]);
      expect(rejections[0]?.message).toMatch(
        new RegExp(
          `stopped counting \\S+Z \\(1 day ago\\), and the signature was made \\S+Z \\(11 hours ago\\) by ${by}\\.$`,
        ),
      );
    }
  });

  it('does not count for what another authority dates before', async () => {
    const backdater = await createSigstoreAuthority();
    const text = await signShape(authority, { keyPair, statement, timestamps: [backdater] });
    expect((await verify(text, retired, later)).rejections).toMatchObject([
      { code: 'SignedOutsideValidity' },
    ]);
  });

  it('ends at the very time, and evidence of it at the same', async () => {
    expect((await verify(undated, retired, notAfterMs - 1)).evidence).toHaveLength(1);
    expect((await verify(undated, retired, notAfterMs)).evidence).toEqual([]);
  });

  it('stops at once from the cache, too', async () => {
    let nowMs = notAfterMs - 1000;
    const caching = createCachingVerifier(createVerifier(), { nowMs: () => nowMs });
    const ask = () => caching.verify(requestFor(undated, retired, nowMs));
    expect((await ask()).evidence).toHaveLength(1);
    nowMs = notAfterMs;
    expect((await ask()).evidence).toEqual([]);
  });

  it('stops at once when the issuer is changed or removed, cached or not', async () => {
    const caching = createCachingVerifier(createVerifier(), { nowMs: () => signedAtMs });
    expect((await caching.verify(requestFor(undated, key(), signedAtMs))).evidence).toHaveLength(1);
    const rotated = key({ notAfterMs: signedAtMs - 1 });
    expect((await caching.verify(requestFor(undated, rotated, signedAtMs))).evidence).toEqual([]);
    const removed = { ...requestFor(undated, key(), signedAtMs), issuers: [] };
    expect((await caching.verify(removed)).evidence).toEqual([]);
  });
});

describe('T25 a key that does not count yet', () => {
  const coming = key({ notBeforeMs: signedAtMs + 3 * dayMs });
  it('is refused until then, and says from when it counts', async () => {
    const early = await verify(undated, coming);
    expect(early.rejections).toMatchObject([{ code: 'SignedOutsideValidity' }]);
    expect(early.rejections[0]?.message).toMatch(
      / counts only from \S+Z \(in 3 days\), and nothing trusted says /,
    );
    expect((await verify(undated, coming, signedAtMs + 4 * dayMs)).evidence).toHaveLength(1);
  });

  it('is refused for what is dated earlier, at any time', async () => {
    const { evidence, rejections } = await verify(logged, coming, signedAtMs + 4 * dayMs);
    expect(evidence).toEqual([]);
    expect(rejections[0]?.message).toMatch(
      / counts only from \S+Z \(1 day ago\), and the signature was made /,
    );
  });
});

describe('the bounds of a key', () => {
  const signer = { kind: 'key', keyFingerprint: 'sha256:00' } as const;
  const bounds = { ...key(), notBeforeMs: 1000 * dayMs, notAfterMs: 1010 * dayMs };
  const check = (timeMs: number, nowMs = 1020 * dayMs): string => {
    try {
      checkKeyValidity(bounds, signer, [{ timeMs, source: 'TransparencyLog' }], nowMs);
      return 'counts';
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : '';
    }
  };

  it('are from the first to before the last millisecond', () => {
    expect(check(bounds.notBeforeMs)).toBe('counts');
    expect(check(bounds.notAfterMs - 1)).toBe('counts');
    expect(check(bounds.notBeforeMs - 1)).toContain('counts only from');
    expect(check(bounds.notAfterMs)).toContain('stopped counting');
  });

  it('are told as past or to come', () => {
    expect(check(bounds.notAfterMs, bounds.notAfterMs - dayMs)).toMatch(/stops counting \S+Z \(in 1 day\)/);
    expect(check(bounds.notAfterMs, bounds.notAfterMs)).toContain('stopped counting');
  });
});
