import { describe, expect, it } from 'vitest';
import { computeDigest, parseDigest } from '../../../src/image/digest.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { Manifest } from '../../../src/oci/manifest.ts';
import type { VerificationRequest } from '../../../src/verification/verification.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { fixtureKeyIssuer, onlyArtifact, readCosignFixture } from '../../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../../support/layout-fixture.ts';
import { signDigest } from '../../support/sign-digest.ts';
import { createKeyIssuer } from '../../support/signed-layer.ts';

const verifier = createVerifier();
const release = fixtureKeyIssuer('release');
const acme = createKeyIssuer('acme');
const nowMs = Date.UTC(2030, 0, 1);
const other = parseDigest(`sha256:${'c3'.repeat(32)}`);

/** The SBOM of a fixture, with a change of its manifest, signed as it then is. */
async function sbomRequest(
  name: string,
  change: (manifest: Manifest) => Partial<Manifest> = () => ({}),
): Promise<VerificationRequest> {
  const { image, files } = readCosignFixture(name);
  const [file] = files;
  if (file === undefined) throw new Error(`fixture ${name} has no SBOM`);
  return {
    artifact: { digest: file.digest, manifest: { ...file.manifest, ...change(file.manifest) } },
    layers: file.layers,
    subjects: [image],
    vouchers: [await signDigest(file.digest, acme)],
    issuers: [acme.issuer],
    nowMs,
  };
}

const unvouched = ({ vouchers: _, ...request }: VerificationRequest): VerificationRequest => request;

describe('an SBOM file that oras attached', () => {
  it.each(['sbom-file-signed-legacy', 'sbom-file-signed-bundle'])(
    'counts under the signature that real cosign made of it (%s)',
    async (name) => {
      const fixture = readCosignFixture(name);
      const [sbom] = fixture.files;
      if (sbom === undefined) throw new Error('no SBOM');
      const issuers = [release];
      const signed = await verifier.verify({
        artifact: onlyArtifact(fixture),
        layers: onlyArtifact(fixture).layers,
        subjects: [sbom.digest],
        issuers,
        nowMs,
      });
      expect(signed.evidence).toMatchObject([{ kind: 'signature', subject: sbom.digest }]);
      const request: VerificationRequest = {
        artifact: sbom,
        layers: sbom.layers,
        subjects: [fixture.image],
        vouchers: signed.evidence,
        issuers,
        nowMs,
      };
      expect(await verifier.verify(request)).toEqual({
        evidence: [
          {
            kind: 'attestation',
            format: 'BareSbom',
            issuer: 'release',
            signer: signed.evidence[0]?.signer,
            subject: fixture.image,
            predicateType: 'https://spdx.dev/Document',
            sbom: { format: 'SPDX', version: '2.3' },
          },
        ],
        rejections: [],
      });
    },
  );

  it('does not count unsigned', async () => {
    const request = unvouched(await sbomRequest('sbom-file'));
    expect(await verifier.verify(request)).toMatchObject({
      evidence: [],
      rejections: [{ code: 'VoucherMissing', about: 'attestation' }],
    });
  });

  it('T16 does not count for an image that its manifest does not name', async () => {
    const request = await sbomRequest('sbom-file');
    const { evidence, rejections } = await verifier.verify({ ...request, subjects: [other] });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'SubjectMismatch', about: 'attestation' }]);
    expect(rejections[0]?.message).toMatch(
      new RegExp(`for ${request.subjects[0] ?? ''}, not for ${other}\\.$`),
    );
  });

  it.each([
    ['by the type of the artifact when the file has another', 'application/json'],
    ['as cosign types it', 'text/spdx+json'],
    ['with a parameter', 'application/spdx+json; version=2.3'],
    ['in another case', 'Application/SPDX+JSON'],
  ])('is known %s', async (_how, mediaType) => {
    const request = await sbomRequest('sbom-file', ({ layers }) => ({
      layers: layers.map((layer) => ({ ...layer, mediaType })),
    }));
    expect(verifier.needs(request.artifact.manifest).vouched).toHaveLength(1);
  });
});

describe('what an SBOM is about', () => {
  const named = (digest: Descriptor['digest']): Descriptor => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    size: 1,
    annotations: {},
  });
  const withoutSubject = ({ subject: _, ...manifest }: Manifest): Manifest => manifest;
  const verifyWith = async (change: (manifest: Manifest, image: Descriptor) => Partial<Manifest>) => {
    const request = await sbomRequest('sbom-file');
    const [image = other] = request.subjects;
    const manifest = withoutSubject(request.artifact.manifest);
    return verifier.verify({
      ...request,
      artifact: { ...request.artifact, manifest: { ...manifest, ...change(manifest, named(image)) } },
    });
  };

  it("is said by the proposal's reference of the manifest", async () => {
    const { evidence } = await verifyWith((_manifest, image) => ({ references: [image] }));
    expect(evidence).toMatchObject([{ format: 'BareSbom' }]);
  });

  it('is said by the reference of its own layer, before that of the manifest', async () => {
    const { evidence } = await verifyWith(({ layers }, image) => ({
      layers: layers.map((layer) => ({ ...layer, reference: image })),
      references: [named(other), image],
      subject: named(other),
    }));
    expect(evidence).toMatchObject([{ format: 'BareSbom' }]);
    const { rejections } = await verifyWith(({ layers }, image) => ({
      layers: layers.map((layer) => ({ ...layer, reference: named(other) })),
      references: [named(other)],
      subject: image,
    }));
    expect(rejections).toMatchObject([{ code: 'SubjectMismatch' }]);
  });

  it('T16 is not said by the reference of another layer', async () => {
    const outcome = await verifyWith(({ layers }, image) => ({
      layers: [...layers, { ...named(other), mediaType: 'text/plain', reference: image }],
      references: [image],
    }));
    expect(outcome).toEqual({ evidence: [], rejections: [] });
  });
});

describe('an SBOM that can never count', () => {
  it("T16 lies under cosign's .sbom tag: its manifest names no image, whoever signs it", async () => {
    const request = await sbomRequest('sbom-tag');
    expect(verifier.needs(request.artifact.manifest)).toEqual({
      layers: [],
      vouched: [],
      subjectDocument: false,
      skipped: [
        {
          code: 'SubjectMissing',
          message:
            'The artifact holds an SBOM and names no image, as under cosign\'s ".sbom" tag: whoever signs it says nothing about an image. Attest the SBOM, or attach it with "oras attach" and sign what was attached.',
          about: 'attestation',
        },
      ],
    });
    expect((await verifier.verify(request)).evidence).toEqual([]);
  });

  it.each([
    ['text/spdx', 'SPDX as tag-value text'],
    ['text/spdx+xml', 'SPDX as XML'],
    ['application/spdx+yaml', 'SPDX as YAML'],
    ['application/spdx+rdf+xml', 'SPDX as RDF'],
    ['application/vnd.cyclonedx+xml', 'CycloneDX as XML'],
    ['application/vnd.cyclonedx+xml; version=1.5', 'CycloneDX as XML'],
    ['application/x.vnd.cyclonedx+protobuf', 'CycloneDX as protobuf'],
    ['application/vnd.cyclonedx', 'CycloneDX of another form'],
    ['application/vnd.syft+json', "Syft's own JSON"],
  ])('is %s, and is refused by name', async (type, name) => {
    const skipped = [
      {
        code: 'FormatUnsupported',
        message: `The SBOM is ${name}. Make it SPDX 2.2 or 2.3 JSON, or CycloneDX 1.2 to 1.7 JSON.`,
        about: 'attestation',
      },
    ];
    const ofLayer = await sbomRequest('sbom-file', ({ layers }) => ({
      artifactType: 'application/vnd.oci.image.config.v1+json',
      layers: layers.map((layer) => ({ ...layer, mediaType: type })),
    }));
    expect(verifier.needs(ofLayer.artifact.manifest)).toMatchObject({ vouched: [], skipped });
    const ofArtifact = await sbomRequest('sbom-file', ({ layers }) => ({
      artifactType: type,
      layers: layers.map((layer) => ({ ...layer, mediaType: 'text/plain' })),
    }));
    expect(verifier.needs(ofArtifact.artifact.manifest)).toMatchObject({ vouched: [], skipped });
  });

  it('is told once, however many there are', async () => {
    const { artifact } = await sbomRequest('sbom-tag', ({ layers }) => ({
      layers: Array.from({ length: 1000 }, () => layers).flat(),
    }));
    expect(verifier.needs(artifact.manifest).skipped).toHaveLength(1);
  });
});

describe('the content of a vouched SBOM', () => {
  /** The SBOM with other bytes; the voucher is for the manifest, whose layer follows. */
  async function verifyContent(content: string, mediaType = 'application/spdx+json') {
    const request = await sbomRequest('sbom-file');
    const bytes = Buffer.from(content);
    const { digest, manifest } = request.artifact;
    const layers = manifest.layers.map((layer) => ({
      ...layer,
      mediaType,
      digest: computeDigest(bytes),
      size: bytes.length,
    }));
    const artifact: Pick<FixtureArtifact, 'digest' | 'manifest'> = {
      digest,
      manifest: { ...manifest, layers },
    };
    return verifier.verify({ ...request, artifact, layers: new Map([[computeDigest(bytes), bytes]]) });
  }

  it.each([
    ['CycloneDX', '{"bomFormat":"CycloneDX"}', 'The SPDX document has no spdxVersion.'],
    ['tag-value text', 'SPDXVersion: SPDX-2.3\n', 'The SPDX document is not valid JSON.'],
    [
      'what only an attestation may wrap',
      JSON.stringify({ Data: '{"spdxVersion":"SPDX-2.3"}' }),
      'The SPDX document has no spdxVersion.',
    ],
    [
      'T26 a repeated key',
      '{"spdxVersion":"SPDX-2.3","spdxVersion":"SPDX-2.2"}',
      'The SPDX document has the key "spdxVersion" twice in one object.',
    ],
    [
      'T11 too many values',
      `[${'0,'.repeat(2_000_000)}0]`,
      'The SPDX document has more than 2000000 values.',
    ],
  ])('is refused when it is %s', async (_what, content, message) => {
    const { evidence, rejections } = await verifyContent(content);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'PayloadInvalid', message, about: 'attestation' }]);
  });

  it.each(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'])(
    'counts as CycloneDX %s by its type',
    async (specVersion) => {
      const content = JSON.stringify({ bomFormat: 'CycloneDX', specVersion });
      for (const type of ['application/vnd.cyclonedx+json', `application/vnd.cyclonedx+json; version=1.9`]) {
        expect(await verifyContent(content, type)).toMatchObject({
          evidence: [
            {
              format: 'BareSbom',
              predicateType: 'https://cyclonedx.org/bom',
              sbom: { format: 'CycloneDX', version: specVersion },
            },
          ],
          rejections: [],
        });
      }
    },
  );

  it('T16 does not count as CycloneDX when it is SPDX', async () => {
    const content = JSON.stringify({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', name: 'app' });
    const { evidence, rejections } = await verifyContent(content, 'application/vnd.cyclonedx+json');
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      { code: 'PayloadInvalid', message: 'The CycloneDX document has no bomFormat "CycloneDX".' },
    ]);
  });

  it('is never repeated in evidence', async () => {
    const content = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6' });
    const { evidence } = await verifyContent(content, 'application/vnd.cyclonedx+json');
    expect(Object.keys(evidence[0] ?? {})).not.toContain('predicate');
  });
});
