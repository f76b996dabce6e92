import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../src/verification/verifier.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { createKeyIssuer } from '../support/signed-layer.ts';
import {
  asking,
  attestationRequest,
  attestedContext,
  attester,
  statementOf,
  testedType,
} from '../support/signed-attestation.ts';

const verifier = createVerifier();
const second = createKeyIssuer('second');
const spdx = {
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  creationInfo: { created: '2026-11-01T00:00:00Z' },
  packages: [{ name: 'left-pad', SPDXID: 'SPDXRef-1', versionInfo: '1.0', licenseConcluded: 'MIT' }],
};
const spdxType = 'https://spdx.dev/Document';
const ofSpdx = { kind: 'sbom', formats: ['SPDX'] } as const;
const answer = async (expression: string, change: Partial<VerificationRequest> = {}) => {
  const set = asking([expression]);
  const { evidence } = await verifier.verify(
    attestationRequest(statementOf({ passed: true, count: 3 }), { assertions: [set], ...change }),
  );
  const result = evidence[0]?.assertions?.[set.fingerprint];
  return result?.holds === false ? result.failure : result;
};

describe('assertions of an attestation', () => {
  it.each([
    'predicate.passed && predicate.count == 3',
    `predicateType == '${testedType}'`,
    "image.repository == 'acme/app' && image.registry == 'ghcr.io' && image.tag == '1.4' && image.digest.startsWith('sha256:')",
    "workload.kind == 'Pod' && workload.namespace == namespaceObject.metadata.name && namespaceObject.metadata.labels.env == 'prod'",
  ])('see %s', async (expression) => {
    expect(await answer(expression)).toEqual({ holds: true });
  });

  it.each([
    ['!predicate.passed', 'It must hold. The expression !predicate.passed is false.'],
    [
      'sbom.packages.size() > 0',
      `It must hold. The expression sbom.packages.size() > 0 cannot be evaluated: The attestation has no sbom: its predicate type is ${testedType}.`,
    ],
    [
      'has(vex.author)',
      `It must hold. The expression has(vex.author) cannot be evaluated: The attestation has no vex: its predicate type is ${testedType}.`,
    ],
  ])('fail with the message of the policy: %s', async (expression, message) => {
    expect(await answer(expression)).toEqual({ code: 'AssertionFailed', message });
  });

  it('T30 have the steps of one between them', async () => {
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    const costly = 'predicate.list.all(a, predicate.list.all(b, a + b >= 0))';
    const answers = async (...expressions: string[]) => {
      const set = asking(expressions);
      const { evidence } = await verifier.verify(
        attestationRequest(statementOf({ list: numbers }), { assertions: [set] }),
      );
      return evidence[0]?.assertions?.[set.fingerprint];
    };
    expect(await answers(costly)).toEqual({ holds: true });
    expect(await answers(...Array.from({ length: 8 }, (_, i) => `${costly} && ${i} < 8`))).toMatchObject({
      failure: { code: 'ExpressionTooCostly' },
    });
  });

  it('T27 fail where there is no context, and no predicate', async () => {
    expect(await answer("image.tag == ''", { context: undefined as never })).toMatchObject({
      message: expect.stringMatching(/cannot be evaluated: no image is known here\.$/) as string,
    });
    const set = asking(['predicate == null']);
    const { evidence } = await verifier.verify(
      attestationRequest(statementOf(undefined), { assertions: [set] }),
    );
    expect(evidence[0]?.assertions?.[set.fingerprint]).toMatchObject({
      failure: { message: expect.stringMatching(/The attestation has no predicate\.$/) as string },
    });
  });

  it('T21 T22 fail that do not compile, or are none', async () => {
    expect(await answer('predicate.')).toMatchObject({ code: 'ExpressionInvalid' });
    expect(await answer('signatures == []')).toMatchObject({ code: 'ExpressionInvalid' });
    const none = asking([]);
    const { evidence } = await verifier.verify(attestationRequest(statementOf({}), { assertions: [none] }));
    expect(evidence[0]?.assertions).toMatchObject({
      [none.fingerprint]: { holds: false, failure: { code: 'ExpressionInvalid' } },
    });
  });

  it('must all hold, and the first that does not is told', async () => {
    const set = asking(['predicate.passed', 'predicate.count > 5', 'predicate.count > 6']);
    const { evidence } = await verifier.verify(
      attestationRequest(statementOf({ passed: true, count: 3 }), { assertions: [set] }),
    );
    expect(evidence[0]?.assertions?.[set.fingerprint]).toMatchObject({
      holds: false,
      failure: { message: 'It must hold. The expression predicate.count > 5 is false.' },
    });
  });

  it('are asked of their own type only, each set by its fingerprint', async () => {
    const tested = asking(['predicate.passed']);
    const licensed = asking(["sbom.packages.all(p, p.licenses == ['MIT'])"], ofSpdx, ['sbom']);
    const other = asking(['true'], { kind: 'sbom', formats: ['CycloneDX'] });
    const assertions = [tested, licensed, other];
    const of = async (predicate: object, type: string) =>
      (await verifier.verify(attestationRequest(statementOf(predicate as never, type), { assertions })))
        .evidence[0]?.assertions;
    expect(await of({ passed: true }, testedType)).toEqual({ [tested.fingerprint]: { holds: true } });
    expect(await of(spdx, spdxType)).toEqual({ [licensed.fingerprint]: { holds: true } });
    expect(await of({}, 'https://example.com/other/v1')).toBeUndefined();
  });

  it('hold for every issuer and signature of one statement', async () => {
    const set = asking(['predicate.passed']);
    const request = attestationRequest(statementOf({ passed: true }), { assertions: [set] }, [
      attester,
      second,
    ]);
    const { evidence } = await verifier.verify(request);
    expect(evidence.map(({ issuer, assertions }) => [issuer, assertions])).toEqual([
      ['acme', { [set.fingerprint]: { holds: true } }],
      ['second', { [set.fingerprint]: { holds: true } }],
    ]);
  });

  it('T15 are not asked of what nobody trusted signed, nor of another image', async () => {
    const set = asking(['predicate.passed']);
    const strange = attestationRequest(statementOf({ passed: true }), {
      assertions: [set],
      issuers: [second.issuer],
    });
    expect((await verifier.verify(strange)).evidence).toEqual([]);
    const elsewhere = attestationRequest(statementOf({ passed: true }), {
      assertions: [set],
      subjects: [`sha256:${'b2'.repeat(32)}` as never],
    });
    expect((await verifier.verify(elsewhere)).evidence).toEqual([]);
  });
});

describe('keepStatements', () => {
  it('hands out the very bytes of the statement, and nothing without being asked', async () => {
    const statement = statementOf({ passed: true });
    const kept = await verifier.verify(attestationRequest(statement, { keepStatements: true }));
    expect(Buffer.from(kept.evidence[0]?.statement ?? []).equals(statement)).toBe(true);
    const without = await verifier.verify(attestationRequest(statement, { context: attestedContext }));
    expect(without.evidence[0]).not.toHaveProperty('statement');
    expect(without.evidence[0]).not.toHaveProperty('predicate');
  });
});
