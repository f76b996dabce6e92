import { describe, expect, it } from 'vitest';
import { readAttestations } from '../../../src/verification/expression/attestation-facts.ts';
import type { ProvenEvidence } from '../../../src/verification/verification.ts';
import { parseDigest } from '../../../src/image/digest.ts';
import { failureOf } from '../../support/failure-of.ts';

const subject = parseDigest(`sha256:${'a1'.repeat(32)}`);
const bytesOf = (predicateType: string, predicate?: unknown): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: 'a1'.repeat(32) } }],
      predicateType,
      predicate,
    }),
  );
const evidence = (
  statement: Uint8Array | undefined,
  change: Partial<ProvenEvidence> = {},
): ProvenEvidence => ({
  kind: 'attestation',
  format: 'DsseEnvelope',
  issuer: 'acme',
  subject,
  signer: { kind: 'key', keyFingerprint: 'sha256:00' },
  ...(statement === undefined ? {} : { statement }),
  ...change,
});
const facts = (...all: ProvenEvidence[]) => readAttestations(all).map(({ fact }) => fact());
const scan = bytesOf('https://example.com/scan', { passed: true });

describe('readAttestations', () => {
  it('reads statements and documents, and passes over what carries none', () => {
    const document = Buffer.from('{"spdxVersion":"SPDX-2.3"}');
    const bare = evidence(document, {
      format: 'BareSbom',
      predicateType: 'https://spdx.dev/Document',
    });
    expect(facts(evidence(scan), evidence(undefined), bare)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ predicateType: 'https://example.com/scan', predicate: { passed: true } }),
        expect.objectContaining({
          predicateType: 'https://spdx.dev/Document',
          predicate: { spdxVersion: 'SPDX-2.3' },
        }),
      ]),
    );
    expect(facts(evidence(undefined))).toEqual([]);
  });

  it('leaves out a predicate that a statement does not have', () => {
    const [fact] = facts(evidence(bytesOf('https://example.com/none')));
    expect(fact).toMatchObject({ predicateType: 'https://example.com/none' });
    expect(fact !== undefined && 'predicate' in fact).toBe(false);
  });

  it('gives the same order whatever order they come in', () => {
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      evidence(bytesOf(`https://example.com/${name}`), { issuer: name }),
    );
    const order = facts(...all).map(({ issuer }) => issuer);
    expect(facts(...all.toReversed()).map(({ issuer }) => issuer)).toEqual(order);
    expect(facts(...all.slice(3), ...all.slice(0, 3)).map(({ issuer }) => issuer)).toEqual(order);
    const digests = readAttestations(all).map(({ digest }) => digest);
    expect(digests.toSorted()).toEqual(digests);
  });

  it('refuses a format that carries no attestation', () => {
    expect(failureOf(() => facts(evidence(scan, { format: 'NotationSignature' })))).toBe(
      'PayloadInvalid: NotationSignature carries no attestation.',
    );
  });

  it('T26 reads 64 of 64 MiB, the same bytes once, and no more', () => {
    const many = (count: number): ProvenEvidence[] => Array.from({ length: count }, () => evidence(scan));
    expect(readAttestations(many(64))).toHaveLength(64);
    expect(failureOf(() => readAttestations(many(65)))).toMatch(
      /^ExpressionTooCostly: 65 attestations of \d+ bytes were found; crossChecks read 64 of 67108864 bytes\.$/,
    );
    const [large, small] = [new Uint8Array(64 * 1024 * 1024), new Uint8Array(1)];
    // Not refused for its size, but for being no statement.
    expect(failureOf(() => readAttestations([evidence(large), evidence(large)]))).toMatch(/^PayloadInvalid/);
    expect(failureOf(() => readAttestations([evidence(large), evidence(small)]))).toContain(
      '2 attestations of 67108865 bytes',
    );
  });
});
