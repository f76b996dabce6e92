import { describe, expect, it } from 'vitest';
import { computeDigest, parseDigest } from '../../../src/image/digest.ts';
import type { VerificationRequest } from '../../../src/verification/verification.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { readBuildkitFixture } from '../../support/buildkit-fixture.ts';
import { signDigest } from '../../support/sign-digest.ts';
import { createKeyIssuer, layerRequest } from '../../support/signed-layer.ts';

const verifier = createVerifier();
const acme = createKeyIssuer('acme');
const inToto = 'application/vnd.in-toto+json';
const spdx = 'https://spdx.dev/Document';
const provenance = 'https://slsa.dev/provenance/v1';

/** The statements for one platform, as a signature of the index covers them. */
async function platformRequest(name: 'artifact' | 'image' | 'unnamed', at = 0): Promise<VerificationRequest> {
  const { index, platforms } = readBuildkitFixture(name);
  const platform = platforms[at];
  if (platform === undefined) throw new Error(`fixture ${name} has no platform ${at}`);
  return {
    artifact: platform.attestations,
    layers: platform.attestations.layers,
    subjects: [platform.image],
    vouchers: [await signDigest(index, acme)],
    issuers: [acme.issuer],
    nowMs: Date.UTC(2030, 0, 1),
  };
}

const unvouched = ({ vouchers: _, ...request }: VerificationRequest): VerificationRequest => request;

describe("BuildKit's attestations under a signature of the index", () => {
  it.each([
    ['artifact', 0],
    ['artifact', 1],
    ['image', 0],
    ['image', 1],
  ] as const)('of %s, platform %i, count as attestations of that platform', async (name, at) => {
    const request = await platformRequest(name, at);
    const [voucher] = request.vouchers ?? [];
    const said = {
      kind: 'attestation',
      format: 'BareStatement',
      issuer: 'acme',
      signer: voucher?.signer,
      subject: request.subjects[0],
    };
    expect(verifier.needs(request.artifact.manifest)).toEqual({
      layers: [],
      vouched: request.artifact.manifest.layers,
      subjectDocument: false,
      skipped: [],
    });
    expect(await verifier.verify(request)).toEqual({
      evidence: [
        { ...said, predicateType: spdx, sbom: { format: 'SPDX', version: '2.3' } },
        { ...said, predicateType: provenance },
      ],
      rejections: [],
    });
  });

  it('count under a signature of the attestation manifest alike', async () => {
    const request = await platformRequest('artifact');
    const vouchers = [await signDigest(request.artifact.digest, acme)];
    expect((await verifier.verify({ ...request, vouchers })).evidence).toHaveLength(2);
  });

  it('do not count without one, and nothing of them is needed then', async () => {
    const request = unvouched(await platformRequest('artifact'));
    const outcome = {
      evidence: [],
      rejections: [
        {
          code: 'VoucherMissing',
          message: `The content of ${request.artifact.digest} is unsigned: it counts only under a signature of that manifest, or of an index that contains it.`,
          about: 'attestation',
        },
      ],
    };
    expect(await verifier.verify({ ...request, layers: new Map() })).toEqual(outcome);
    expect(await verifier.verify({ ...request, vouchers: [] })).toEqual(outcome);
  });

  it('T16 of one platform do not count for the other', async () => {
    const request = await platformRequest('artifact', 0);
    const other = (await platformRequest('artifact', 1)).subjects;
    const { evidence, rejections } = await verifier.verify({ ...request, subjects: other });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      { code: 'SubjectMismatch', about: 'attestation' },
      { code: 'SubjectMismatch', about: 'attestation' },
    ]);
    expect(rejections[0]?.message).toMatch(
      new RegExp(
        `^Signed by key sha256:[0-9a-f]{12} for ${request.subjects[0] ?? ''}, not for ${other[0] ?? ''}\\.$`,
      ),
    );
  });

  it('do not count when the image was built without a name: the statements then have no subject', async () => {
    const { evidence, rejections } = await verifier.verify(await platformRequest('unnamed'));
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      { code: 'PayloadInvalid', message: 'The statement has no subject.', about: 'attestation' },
      { code: 'PayloadInvalid', message: 'The statement has no subject.', about: 'attestation' },
    ]);
  });

  it('are each reported when their bytes were not given', async () => {
    const request = await platformRequest('artifact');
    const [first, second] = request.artifact.manifest.layers;
    if (first === undefined || second === undefined) throw new Error('two layers');
    const layers = new Map([[second.digest, request.layers.get(second.digest) ?? new Uint8Array()]]);
    const { evidence, rejections } = await verifier.verify({ ...request, layers });
    expect(evidence).toMatchObject([{ predicateType: provenance }]);
    expect(rejections).toEqual([
      { code: 'ArtifactMissing', message: `Layer ${first.digest} was not given.`, about: 'attestation' },
    ]);
  });
});

const image = parseDigest(`sha256:${'a1'.repeat(32)}`);
const subjectOf = (byte: string) => ({ name: byte, digest: { sha256: byte.repeat(32) } });
const statement = {
  _type: 'https://in-toto.io/Statement/v0.1',
  subject: [subjectOf('a1')],
  predicateType: 'https://example.com/tested/v1',
  predicate: {},
};

/** A statement in an artifact of its own, whose manifest is signed. */
async function verifyStatement(content: unknown, annotations: Record<string, string> = {}) {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const request = layerRequest(bytes, inToto, image, [acme.issuer], annotations);
  return verifier.verify({ ...request, vouchers: [await signDigest(request.artifact.digest, acme)] });
}

describe('a statement that a good voucher covers', () => {
  it('T16 has its own predicate type, whatever the annotation says', async () => {
    const { evidence } = await verifyStatement(statement, { 'in-toto.io/predicate-type': spdx });
    expect(evidence).toMatchObject([{ predicateType: 'https://example.com/tested/v1' }]);
    expect(evidence[0]).not.toHaveProperty('sbom');
  });

  it('T16 counts for any of its subjects, and for the wanted one alone', async () => {
    const several = { ...statement, subject: [subjectOf('c3'), subjectOf('a1')] };
    expect((await verifyStatement(several)).evidence).toMatchObject([{ subject: image }]);
    const others = { ...statement, subject: [subjectOf('c3'), subjectOf('d4')] };
    const { evidence, rejections } = await verifyStatement(others);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'SubjectMismatch', about: 'attestation' }]);
    expect(rejections[0]?.message).toContain(
      `for sha256:${'c3'.repeat(32)}, sha256:${'d4'.repeat(32)}, not for ${image}.`,
    );
  });

  it('T16 is no signature of the image, though it says so', async () => {
    const { evidence, rejections } = await verifyStatement({
      ...statement,
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
    });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      {
        code: 'PayloadInvalid',
        message: 'The statement calls itself a signature; it counts only within a signed envelope.',
        about: 'attestation',
      },
    ]);
  });

  it('T16 that calls itself SPDX and is none has no SBOM, and says why', async () => {
    const { evidence, rejections } = await verifyStatement({ ...statement, predicateType: spdx });
    expect(evidence).toMatchObject([{ kind: 'attestation', predicateType: spdx }]);
    expect(evidence[0]).not.toHaveProperty('sbom');
    expect(rejections).toMatchObject([
      {
        code: 'PayloadInvalid',
        message: 'The SPDX document has no spdxVersion.',
        about: 'attestation',
      },
    ]);
  });

  it.each([
    [
      'T26 with a repeated key',
      `{"subject":[],${JSON.stringify(statement).slice(1)}`,
      'The statement has the key "subject" twice in one object.',
    ],
    ['T26 with __proto__', '{"__proto__":{}}', 'The statement has a key "__proto__".'],
    [
      'T26 nested deeply',
      `{"predicate":${'['.repeat(200)}${']'.repeat(200)}}`,
      'The statement is nested deeper than 128.',
    ],
    [
      'T11 of too many values',
      `{"predicate":[${'0,'.repeat(2_000_000)}0]}`,
      'The statement has more than 2000000 values.',
    ],
    [
      'that is an envelope',
      { payloadType: inToto, payload: '', signatures: [] },
      'The statement is not an in-toto statement v0.1 or v1.',
    ],
    ['that is nothing', '', 'The statement is not valid JSON.'],
  ])('%s is refused', async (_what, content, message) => {
    const { evidence, rejections } = await verifyStatement(content);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'PayloadInvalid', message, about: 'attestation' }]);
  });

  it('T11 is not read beyond the size of a statement', async () => {
    const request = await platformRequest('artifact');
    const { manifest } = request.artifact;
    const [layer, ...rest] = manifest.layers;
    if (layer === undefined) throw new Error('no layer');
    const large = { ...layer, size: 32 * 2 ** 20 + 1, digest: computeDigest(Buffer.from('large')) };
    const artifact = { ...request.artifact, manifest: { ...manifest, layers: [large, ...rest] } };
    expect(verifier.needs(artifact.manifest)).toEqual({
      layers: [],
      vouched: rest,
      subjectDocument: false,
      skipped: [
        {
          code: 'ArtifactTooLarge',
          message: `Layer ${large.digest} takes 33554433 bytes, more than is read.`,
        },
      ],
    });
    expect((await verifier.verify({ ...request, artifact })).evidence).toMatchObject([
      { predicateType: provenance },
    ]);
  });
});
