import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../../src/verification/verifier.ts';
import type { VerificationOutcome } from '../../../src/verification/verification.ts';
import {
  notationRequest,
  notationRevocation,
  notationTarget,
  readNotationCases,
} from '../../support/notation-fixture.ts';
import type { NotationCase } from '../../support/notation-fixture.ts';

const { nowMs, cases } = readNotationCases();
const accepted = cases.filter(({ expected }) => expected === 'accepted');
const refused = cases.filter(({ expected }) => expected !== 'accepted');

function verify(fixture: NotationCase): Promise<VerificationOutcome> {
  const verifier = createVerifier({ revocation: notationRevocation(fixture) });
  return verifier.verify(notationRequest(fixture, nowMs));
}

describe('what the Notary Project signs', () => {
  it('is shown by at least 60 cases in both formats', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    for (const format of ['jws', 'cose']) {
      const ofFormat = ({ name }: NotationCase) => name.startsWith(`${format}-`);
      expect(accepted.filter(ofFormat).length).toBeGreaterThan(10);
      expect(refused.filter(ofFormat).length).toBeGreaterThan(30);
    }
  });

  it.each(accepted)('$name is evidence: $what', async (fixture) => {
    const { evidence, rejections } = await verify(fixture);
    expect(rejections).toEqual([]);
    expect(evidence).toEqual([
      expect.objectContaining({
        kind: 'signature',
        format: 'NotationSignature',
        issuer: 'acme',
        subject: notationTarget(fixture).digest,
        signer: {
          kind: 'notation',
          subject: expect.stringContaining('O=Acme') as string,
          certificateFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
          keyFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        },
      }),
    ]);
  });

  it.each(refused)('T16 $name is refused with $expected: $what', async (fixture) => {
    const { evidence, rejections } = await verify(fixture);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      { code: fixture.expected, message: expect.stringMatching(/^\S.{15,}\.$/s) as string },
    ]);
  });
});
