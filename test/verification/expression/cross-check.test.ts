import { describe, expect, it } from 'vitest';
import type { ProvenEvidence, CrossCheckRequest } from '../../../src/verification/verification.ts';
import type { VerifiedEvidence } from '../../../src/policy/evidence.ts';
import type { Json } from '../../../src/oci/strict-json.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { attestedContext, attestedImage, statementOf, testedType } from '../../support/signed-attestation.ts';

const verifier = createVerifier();
const nowMs = Date.UTC(2026, 10, 26);
const spdxType = 'https://spdx.dev/Document';
const slsaType = 'https://slsa.dev/provenance/v1';

const signature = (change: Partial<VerifiedEvidence> = {}): VerifiedEvidence => ({
  kind: 'signature',
  issuer: 'acme',
  signer: { kind: 'key', keyFingerprint: 'sha256:k' },
  subject: attestedImage,
  format: 'CosignSimpleSigning',
  ...change,
});
const attestation = (
  predicate: Json,
  predicateType: string,
  change: Partial<ProvenEvidence> = {},
): ProvenEvidence => ({
  ...signature(),
  kind: 'attestation',
  format: 'DsseEnvelope',
  predicateType,
  statement: statementOf(predicate, predicateType),
  ...change,
});
const document = (name: string) => ({
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name,
  creationInfo: { created: '2026-11-01T00:00:00Z' },
  packages: [{ name, SPDXID: 'SPDXRef-1', versionInfo: '1' }],
});
const sbom = (name: string) => attestation(document(name), spdxType);
const provenance = (builder: string) =>
  attestation(
    { buildDefinition: { buildType: 't', externalParameters: {} }, runDetails: { builder: { id: builder } } },
    slsaType,
  );
const check = (expressions: readonly string[], change: Partial<CrossCheckRequest> = {}) =>
  verifier.crossCheck({
    checks: expressions.map((expression) => ({ expression, message: 'Asked.' })),
    uses: [],
    context: attestedContext,
    signatures: [],
    attestations: [],
    nowMs,
    ...change,
  });
const same = 'sbom.packages[0].name == provenance.builder';

describe('crossCheck', () => {
  it('sees signatures and attestations with their facts', async () => {
    const keyless = {
      kind: 'keyless',
      issuer: 'https://accounts.example',
      subject: 'release@acme.example',
      certificateFingerprint: 'sha256:c',
      keyFingerprint: 'sha256:e',
    } as const;
    const signatures = [signature({ signer: keyless, signedAtMs: nowMs }), signature()];
    const attestations = [attestation({ passed: true }, testedType), sbom('app')];
    for (const expression of [
      "signatures.size() == 2 && signatures.exists(s, s.signer.subject == 'release@acme.example' && timestamp(s.signedAt) == timestamp('2026-11-26T00:00:00Z'))",
      "signatures.exists(s, s.signer.kind == 'key' && s.signer.keyFingerprint == 'sha256:k' && s.signedAt == '' && s.signer.subject == '')",
      `signatures.all(s, s.issuer == 'acme' && s.subject == image.digest)`,
      `attestations.exists(a, a.predicateType == '${testedType}' && a.predicate.passed && !has(a.sbom))`,
      "attestations.exists(a, has(a.sbom) && a.sbom.packages[0].name == 'app')",
      "sbom.format == 'SPDX' && namespaceObject.metadata.labels.env == 'prod' && workload.kind == 'Pod'",
    ]) {
      expect([expression, await check([expression], { signatures, attestations })]).toEqual([
        expression,
        { holds: true },
      ]);
    }
  });

  it('holds when some choice of the attestations makes all of it true', async () => {
    const attestations = [sbom('x'), sbom('b'), provenance('a'), provenance('b')];
    expect(await check([same, "sbom.format == 'SPDX'"], { attestations })).toEqual({ holds: true });
  });

  it('does not hold when each expression needs a choice of its own', async () => {
    const attestations = [sbom('a'), sbom('b')];
    const result = await check(["sbom.packages[0].name == 'a'", "sbom.packages[0].name == 'b'"], {
      attestations,
    });
    expect(result).toEqual({
      holds: false,
      failure: {
        code: 'AssertionFailed',
        message: `Asked. The expression sbom.packages[0].name == 'b' is false. (closest of 2 choices of attestations)`,
      },
    });
  });

  it.each([
    ['sbom.packages.size() > 0', 'SBOM'],
    ["provenance.builder == ''", 'provenance'],
    ['vulnerabilities.scanner != "" || true', 'vulnerability report'],
    ["vex.author == '' || true", 'VEX document'],
  ])('fails without an attestation of the kind: %s', async (expression, what) => {
    expect(await check([expression], { attestations: [attestation({}, testedType)] })).toEqual({
      holds: false,
      failure: { code: 'AssertionFailed', message: `Asked: there is no verified ${what} of the image.` },
    });
  });

  it('T25 sees nothing that has expired, and nothing without its statement', async () => {
    const attestations = [{ ...sbom('a'), validUntilMs: nowMs }];
    expect(await check(['sbom.format != ""'], { attestations })).toMatchObject({ holds: false });
    expect(await check(['signatures == []'], { signatures: [signature({ validUntilMs: nowMs })] })).toEqual({
      holds: true,
    });
    const bare = {
      ...signature(),
      kind: 'attestation',
      format: 'DsseEnvelope',
      predicateType: spdxType,
    } as const;
    expect(await check(['attestations == []'], { attestations: [bare] })).toEqual({ holds: true });
  });

  it('reads bare documents', async () => {
    const bare = {
      ...sbom('app'),
      format: 'BareSbom',
      statement: Buffer.from(JSON.stringify(document('app'))),
    } as const;
    expect(await check(["sbom.packages[0].name == 'app'"], { attestations: [bare] })).toEqual({
      holds: true,
    });
  });

  it('answers alike in whatever order evidence was found', async () => {
    const attestations = [sbom('a'), sbom('b'), provenance('c')];
    const signatures = [signature(), signature({ issuer: 'b' })];
    const expressions = ["attestations[0].predicateType == 'x'", 'signatures[0].issuer == "b"', same];
    for (const expression of expressions) {
      const forth = await check([expression], { attestations, signatures });
      const back = await check([expression], {
        attestations: attestations.toReversed(),
        signatures: signatures.toReversed(),
      });
      expect(back).toEqual(forth);
    }
  });

  it('T11 T30 tries 64 choices, reads 64 attestations and a bounded number of bytes', async () => {
    const sboms = Array.from({ length: 9 }, (_, i) => sbom(`s${i}`));
    const built = Array.from({ length: 8 }, (_, i) => provenance(`p${i}`));
    expect(await check([same], { attestations: [...sboms, ...built] })).toEqual({
      holds: false,
      failure: {
        code: 'ExpressionTooCostly',
        message: 'The expressions hold for none of the first 64 choices of attestations, and there are more.',
      },
    });
    expect(await check([same], { attestations: [...sboms.slice(0, 8), ...built] })).toMatchObject({
      failure: { code: 'AssertionFailed' },
    });
    expect(
      await check(['attestations.size() > 0'], {
        attestations: Array.from({ length: 65 }, (_, i) => sbom(`s${i}`)),
      }),
    ).toMatchObject({ failure: { code: 'ExpressionTooCostly' } });
    const huge = [0, 1, 2].map(() => ({ ...sbom('a'), statement: new Uint8Array(22 * 1024 * 1024) }));
    expect(await check(['attestations.size() > 0'], { attestations: huge })).toMatchObject({
      failure: { code: 'ExpressionTooCostly', message: expect.stringContaining('67108864 bytes') as string },
    });
  });

  it('T21 T28 fails without an expression, on one that does not compile, and on bytes that are no statement', async () => {
    expect(await check([])).toMatchObject({ holds: false, failure: { code: 'ExpressionInvalid' } });
    expect(await check(['predicate == 1'])).toMatchObject({
      holds: false,
      failure: { code: 'ExpressionInvalid' },
    });
    const broken = { ...sbom('a'), statement: Buffer.from('{') };
    expect(await check(['attestations == []'], { attestations: [broken] })).toMatchObject({
      holds: false,
      failure: { code: 'PayloadInvalid' },
    });
  });

  it('T30 shares one budget between all choices', async () => {
    const items = Array.from({ length: 1000 }, (_, i) => ({
      name: `n${i}`,
      SPDXID: `SPDXRef-${i}`,
      versionInfo: '1',
    }));
    const many = (name: string) => attestation({ ...document(name), packages: items }, spdxType);
    const attestations = Array.from({ length: 10 }, (_, i) => many(`s${i}`));
    const half = "!sbom.packages.all(p, sbom.packages.all(q, p.name != '' && q.name != ''))";
    expect(await check([half], { attestations })).toMatchObject({ failure: { code: 'ExpressionTooCostly' } });
  });
});
