import { describe, expect, it } from 'vitest';
import type { VerifiedEvidence } from '../../src/policy/evidence.ts';
import type { KeylessIssuer } from '../../src/policy/resolved-issuer.ts';
import { maxSignaturesPerArtifact } from '../../src/verification/select-layers.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { maxVouchersPerArtifact } from '../../src/verification/vouchers.ts';
import { readBuildkitFixture } from '../support/buildkit-fixture.ts';
import { fixtureKeylessIssuer, requestOf } from '../support/cosign-fixture.ts';
import { signDigest } from '../support/sign-digest.ts';
import { createKeyIssuer } from '../support/signed-layer.ts';

const verifier = createVerifier();
const acme = createKeyIssuer('acme');
const vendor = createKeyIssuer('vendor');
const nowMs = Date.UTC(2030, 0, 1);
const { index, platforms } = readBuildkitFixture('artifact');
const [platform] = platforms;
if (platform === undefined) throw new Error('no platform');
const { image, attestations: artifact } = platform;
const voucher = await signDigest(index, acme);

const verify = (vouchers: readonly VerifiedEvidence[], change: Partial<VerificationRequest> = {}) =>
  verifier.verify({
    artifact,
    layers: artifact.layers,
    subjects: [image],
    vouchers,
    issuers: [acme.issuer],
    nowMs,
    ...change,
  });

describe('a voucher', () => {
  it('gives the evidence its issuer, signer and times, and nothing else of its own', async () => {
    const times = { signedAtMs: nowMs - 5, validUntilMs: nowMs + 1 };
    const { evidence } = await verify([{ ...voucher, ...times }]);
    expect(evidence).toHaveLength(2);
    for (const item of evidence) {
      expect(item).toMatchObject({
        kind: 'attestation',
        format: 'BareStatement',
        subject: image,
        issuer: 'acme',
        signer: voucher.signer,
        ...times,
      });
    }
  });

  it('makes evidence of its own of each statement, beside those of other vouchers', async () => {
    const { evidence, rejections } = await verify([voucher, await signDigest(artifact.digest, vendor)], {
      issuers: [acme.issuer, vendor.issuer],
    });
    expect(rejections).toEqual([]);
    expect(evidence.map(({ issuer, predicateType }) => [issuer, predicateType])).toEqual([
      ['acme', 'https://spdx.dev/Document'],
      ['vendor', 'https://spdx.dev/Document'],
      ['acme', 'https://slsa.dev/provenance/v1'],
      ['vendor', 'https://slsa.dev/provenance/v1'],
    ]);
  });

  it('counts once when it is the same for the manifest and for the index', async () => {
    const { evidence } = await verify([voucher, await signDigest(artifact.digest, acme), voucher]);
    expect(evidence).toHaveLength(2);
  });

  it.each([
    [
      'T16 an attestation',
      { kind: 'attestation', predicateType: 'https://example.com/tested/v1' },
      'VoucherMissing',
      'An attestation vouches for nothing but its own content.',
    ],
    [
      'of an issuer that is not asked for',
      { issuer: 'vendor' },
      'SignerNotTrusted',
      'The signature that vouches for it is of the issuer vendor, which is not asked for.',
    ],
    [
      'T25 expired',
      { validUntilMs: nowMs },
      'VoucherMissing',
      'The signature that vouches for it has expired.',
    ],
    [
      'T25 of a time that is none',
      { validUntilMs: NaN },
      'VoucherMissing',
      'The signature that vouches for it has expired.',
    ],
  ] as const)('T29 does not count, nor spoil a good one: %s', async (_what, change, code, message) => {
    const bad: VerifiedEvidence = { ...voucher, ...change };
    const rejection = { code, message, about: 'attestation' };
    const alone = await verify([bad]);
    expect(alone.evidence).toEqual([]);
    expect(alone.rejections).toMatchObject([rejection]);
    expect(alone.rejections[0]?.signer).toMatch(/^key sha256:[0-9a-f]{12}$/);
    const beside = await verify([bad, voucher]);
    expect(beside.evidence.map(({ issuer }) => issuer)).toEqual(['acme', 'acme']);
    expect(beside.rejections).toMatchObject([rejection]);
  });

  it('T21 does not count where no issuer is asked for', async () => {
    expect(await verify([voucher], { issuers: [] })).toMatchObject({
      evidence: [],
      rejections: [{ code: 'SignerNotTrusted' }],
    });
  });

  it('that a keyless issuer signed carries the time of its certificate', async () => {
    const person: KeylessIssuer = fixtureKeylessIssuer('person');
    const { evidence: vouchers } = await verifier.verify(requestOf('keyless-bundle', [person]));
    const { evidence } = await verify(vouchers, { issuers: [person] });
    expect(evidence).toHaveLength(2);
    expect(evidence[0]).toMatchObject({ issuer: 'person', signedAtMs: vouchers[0]?.signedAtMs });
  });

  it('T11 counts among a bounded number, and it is said that there are more', async () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ ...voucher, signedAtMs: nowMs - i }));
    const { evidence, rejections } = await verify(many);
    expect(evidence).toHaveLength(2 * maxVouchersPerArtifact);
    expect(rejections).toEqual([
      {
        code: 'ArtifactTooLarge',
        message: '100 signatures vouch for the artifact; the first 64 were looked at.',
        about: 'attestation',
      },
    ]);
  });
});

describe('an artifact with signatures and statements', () => {
  const signed = requestOf('key-legacy', []).artifact.manifest.layers;
  const statements = artifact.manifest.layers;
  const needsOf = (layers: typeof statements) => {
    const needs = verifier.needs({ ...artifact.manifest, layers });
    return [needs.layers.length, needs.vouched.length, needs.skipped.map(({ code }) => code)];
  };
  const repeated = (layers: typeof statements, count: number) =>
    Array.from({ length: count }, () => layers[0] ?? []).flat();

  it('T11 is bounded as one, what is signed first', () => {
    const most = maxSignaturesPerArtifact;
    expect(needsOf([...statements, ...signed])).toEqual([1, 2, []]);
    expect(needsOf(repeated(statements, most))).toEqual([0, most, []]);
    expect(needsOf(repeated(statements, most + 1))).toEqual([0, most, ['ArtifactTooLarge']]);
    expect(needsOf([...repeated(statements, most), ...signed])).toEqual([1, most - 1, ['ArtifactTooLarge']]);
    expect(needsOf([...statements, ...repeated(signed, most)])).toEqual([most, 0, ['ArtifactTooLarge']]);
  });

  it('T11 is bounded in bytes as one', () => {
    const large = statements.map((layer) => ({ ...layer, size: 32 * 2 ** 20 }));
    expect(needsOf(large)).toEqual([0, 2, []]);
    expect(needsOf([...large, ...signed])).toEqual([1, 1, ['ArtifactTooLarge']]);
  });
});
