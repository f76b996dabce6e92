import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import {
  fixtureKeyIssuer,
  fixtureKeylessIssuer,
  requestOf,
  withAnnotations,
  withLayer,
} from '../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../support/layout-fixture.ts';

const verifier = createVerifier();
const person = fixtureKeylessIssuer('person');
const github = fixtureKeylessIssuer('github');

const keyCases = [
  ['key-legacy', 'release', { kind: 'signature', format: 'CosignSimpleSigning' }],
  ['key-legacy-rsa', 'rsa', { kind: 'signature', format: 'CosignSimpleSigning' }],
  ['key-legacy-ed25519', 'ed25519', { kind: 'signature', format: 'CosignSimpleSigning' }],
  ['key-bundle', 'release', { kind: 'signature', format: 'SigstoreBundle' }],
  ['key-bundle-rsa', 'rsa', { kind: 'signature', format: 'SigstoreBundle' }],
  ['key-bundle-message', 'release', { kind: 'signature', format: 'SigstoreBundle' }],
  ['index-signed-legacy', 'release', { kind: 'signature', format: 'CosignSimpleSigning' }],
  ['index-signed-bundle', 'release', { kind: 'signature', format: 'SigstoreBundle' }],
  [
    'attest-spdx-legacy',
    'release',
    {
      kind: 'attestation',
      format: 'DsseEnvelope',
      predicateType: 'https://spdx.dev/Document',
      sbom: { format: 'SPDX', version: '2.3' },
    },
  ],
  [
    'attest-spdx-bundle',
    'release',
    {
      kind: 'attestation',
      format: 'SigstoreBundle',
      predicateType: 'https://spdx.dev/Document',
      sbom: { format: 'SPDX', version: '2.3' },
    },
  ],
  [
    'attest-cyclonedx-bundle',
    'release',
    {
      kind: 'attestation',
      format: 'SigstoreBundle',
      predicateType: 'https://cyclonedx.org/bom',
      sbom: { format: 'CycloneDX', version: '1.6' },
    },
  ],
  [
    'attest-provenance-bundle',
    'release',
    { kind: 'attestation', format: 'SigstoreBundle', predicateType: 'https://slsa.dev/provenance/v1' },
  ],
] as const;
const keylessCases = [
  ['keyless-legacy', person, { kind: 'signature', format: 'CosignSimpleSigning' }],
  ['keyless-bundle', person, { kind: 'signature', format: 'SigstoreBundle' }],
  ['keyless-github-bundle', github, { kind: 'signature', format: 'SigstoreBundle' }],
  [
    'attest-spdx-keyless-bundle',
    person,
    {
      kind: 'attestation',
      format: 'SigstoreBundle',
      predicateType: 'https://spdx.dev/Document',
      sbom: { format: 'SPDX', version: '2.3' },
    },
  ],
  [
    'attest-provenance-github-bundle',
    github,
    { kind: 'attestation', format: 'SigstoreBundle', predicateType: 'https://slsa.dev/provenance/v1' },
  ],
] as const;
const everyCase = [
  ...keyCases.map(([name, key]) => [name, fixtureKeyIssuer(key)] as const),
  ...keylessCases.map(([name, issuer]) => [name, issuer] as const),
];

describe('what real cosign signed', () => {
  it.each(keyCases)('%s is evidence by key %s', async (name, key, expected) => {
    const issuer = fixtureKeyIssuer(key);
    const request = requestOf(name, [issuer]);
    const { evidence, rejections } = await verifier.verify(request);
    expect(rejections).toEqual([]);
    expect(evidence).toEqual([
      {
        ...expected,
        issuer: key,
        subject: request.subjects[0],
        signer: { kind: 'key', keyFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string },
      },
    ]);
  });

  it.each(keylessCases)(
    '%s is evidence by identity, at the time of its signed timestamp',
    async (name, issuer, expected) => {
      const { evidence, rejections } = await verifier.verify(requestOf(name, [issuer]));
      expect(rejections).toEqual([]);
      const [identity] = issuer.identities;
      expect(evidence).toHaveLength(1);
      expect(evidence[0]).toMatchObject({
        ...expected,
        issuer: issuer.name,
        signer: {
          kind: 'keyless',
          issuer: identity?.issuer,
          subject: identity?.subject && 'exact' in identity.subject && identity.subject.exact,
        },
      });
      expect(evidence[0]?.signedAtMs).toBeGreaterThan(Date.UTC(2026, 0));
      expect(evidence[0]?.signedAtMs).toBeLessThan(Date.UTC(2030, 0));
    },
  );

  it('matches the extensions of a GitHub workflow', async () => {
    const [identity] = github.identities;
    if (identity === undefined) throw new Error('no identity');
    const by = (repository: string) =>
      verifier.verify(
        requestOf('keyless-github-bundle', [
          {
            ...github,
            identities: [
              {
                ...identity,
                extensions: [{ name: 'sourceRepositoryURI', rule: { exact: repository } }] as const,
              },
            ],
          },
        ]),
      );
    expect((await by('https://github.com/acme/shop')).evidence).toHaveLength(1);
    expect((await by('https://github.com/acme/other')).rejections).toMatchObject([
      { code: 'SignerNotTrusted' },
    ]);
  });

  it('refuses Ed25519ph and a message without digest, as cosign itself does', async () => {
    const ed25519 = fixtureKeyIssuer('ed25519');
    expect((await verifier.verify(requestOf('key-legacy-ed25519ph', [ed25519]))).rejections).toMatchObject([
      { code: 'SignerNotTrusted' },
    ]);
    expect((await verifier.verify(requestOf('key-bundle-message-ed25519', [ed25519]))).rejections).toEqual([
      { code: 'PayloadInvalid', message: 'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.' },
    ]);
  });
});

/** Flips one bit of the bytes behind a base64 text. */
function altered(base64: string, at = 0.5): string {
  const bytes = Buffer.from(base64, 'base64');
  const index = Math.floor(bytes.length * at);
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return bytes.toString('base64');
}
type Tree = { [key: string]: Tree } & { [index: number]: Tree };
/** Alters the one base64 text at a path of the layer's JSON. */
const alterAt = (path: readonly string[], at?: number) => (artifact: FixtureArtifact) =>
  withLayer(artifact, (bytes) => {
    const json = JSON.parse(Buffer.from(bytes).toString()) as Tree;
    const holder = path
      .slice(0, -1)
      .reduce<Tree>((tree, step) => tree[step] as Tree, json) as unknown as Record<string, string>;
    const last = path.at(-1) ?? '';
    holder[last] = altered(holder[last] ?? '', at);
    return Buffer.from(JSON.stringify(json));
  });
const alterAnnotation = (name: string) => (artifact: FixtureArtifact) =>
  withAnnotations(artifact, { [name]: altered(artifact.manifest.layers[0]?.annotations[name] ?? '') });
const alterByte = (artifact: FixtureArtifact) =>
  withLayer(artifact, (bytes) => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 3] = (copy[copy.length - 3] ?? 0) ^ 1;
    return copy;
  });
const certificatePath = ['verificationMaterial', 'certificate', 'rawBytes'];
const timestampPath = [
  'verificationMaterial',
  'timestampVerificationData',
  'rfc3161Timestamps',
  '0',
  'signedTimestamp',
];

describe('one altered bit', () => {
  it.each([
    ['key-legacy', 'payload', alterByte, 'SignerNotTrusted'],
    ['key-legacy', 'signature', alterAnnotation('dev.cosignproject.cosign/signature'), 'SignerNotTrusted'],
    [
      'key-legacy-rsa',
      'signature',
      alterAnnotation('dev.cosignproject.cosign/signature'),
      'SignerNotTrusted',
    ],
    [
      'key-legacy-ed25519',
      'signature',
      alterAnnotation('dev.cosignproject.cosign/signature'),
      'SignerNotTrusted',
    ],
    ['key-bundle', 'payload', alterAt(['dsseEnvelope', 'payload']), 'SignatureInvalid'],
    ['key-bundle', 'signature', alterAt(['dsseEnvelope', 'signatures', '0', 'sig']), 'SignatureInvalid'],
    ['key-bundle-rsa', 'signature', alterAt(['dsseEnvelope', 'signatures', '0', 'sig']), 'SignatureInvalid'],
    ['key-bundle-message', 'signature', alterAt(['messageSignature', 'signature']), 'SignatureInvalid'],
    [
      'key-bundle-message',
      'message digest',
      alterAt(['messageSignature', 'messageDigest', 'digest']),
      'SubjectMismatch',
    ],
    ['attest-spdx-legacy', 'payload', alterAt(['payload']), 'SignerNotTrusted'],
    ['attest-spdx-legacy', 'signature', alterAt(['signatures', '0', 'sig']), 'SignerNotTrusted'],
    ['attest-spdx-bundle', 'payload', alterAt(['dsseEnvelope', 'payload']), 'SignatureInvalid'],
    ['keyless-bundle', 'payload', alterAt(['dsseEnvelope', 'payload']), 'SignatureInvalid'],
    [
      'keyless-bundle',
      'signature',
      alterAt(['dsseEnvelope', 'signatures', '0', 'sig']),
      'TrustedTimeMissing',
    ],
    ['keyless-bundle', 'certificate signature', alterAt(certificatePath, 0.95), 'CertificateInvalid'],
    ['keyless-bundle', 'certificate name', alterAt(certificatePath, 0.6), 'CertificateInvalid'],
    ['keyless-bundle', 'timestamp', alterAt(timestampPath, 0.95), 'TrustedTimeMissing'],
    ['attest-spdx-keyless-bundle', 'payload', alterAt(['dsseEnvelope', 'payload']), 'SignatureInvalid'],
    ['keyless-legacy', 'payload', alterByte, 'SignatureInvalid'],
    [
      'keyless-legacy',
      'signature',
      alterAnnotation('dev.cosignproject.cosign/signature'),
      'TrustedTimeMissing',
    ],
  ])('T12 %s is refused with another %s', async (name, _part, edit, code) => {
    const issuer = everyCase.find(([known]) => known === name)?.[1];
    if (issuer === undefined) throw new Error(`no issuer for ${name}`);
    const { evidence, rejections } = await verifier.verify(requestOf(name, [issuer], edit));
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code }]);
  });

  it.each(everyCase)('T15 %s is no evidence for an image with another byte', async (name, issuer) => {
    const request = requestOf(name, [issuer]);
    const document = Buffer.from(request.subjectDocument ?? []);
    document[document.length - 2] = (document[document.length - 2] ?? 0) ^ 1;
    const subject = computeDigest(document);
    const { evidence, rejections } = await verifier.verify({
      ...request,
      subjects: [subject],
      subjectDocument: document,
    });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'SubjectMismatch' }]);
    expect(rejections[0]?.message).toContain(subject);
  });

  it.each(everyCase)('%s is refused by another key and another identity, which are named', async (name) => {
    const [identity] = person.identities;
    const others = [
      fixtureKeyIssuer('second'),
      {
        ...person,
        name: 'somebody',
        identities: identity ? [{ ...identity, subject: { exact: 'else@acme.example' } }] : [],
      },
    ];
    const { evidence, rejections } = await verifier.verify(requestOf(name, others));
    expect(evidence).toEqual([]);
    expect(rejections).toHaveLength(1);
    expect(rejections[0]?.code).toBe('SignerNotTrusted');
    expect(rejections[0]?.message).toContain('Policy trusts second (a key); somebody: else@acme.example');
  });
});

describe('a certificate that is long expired', () => {
  const lenient = { ...person, signedTimestamp: 'NotRequired' } as const;
  const stripBundle = (artifact: FixtureArtifact) =>
    withLayer(artifact, (bytes) => {
      const json = JSON.parse(Buffer.from(bytes).toString()) as {
        verificationMaterial: Record<string, unknown>;
      };
      delete json.verificationMaterial['timestampVerificationData'];
      return Buffer.from(JSON.stringify(json));
    });
  const stripAnnotation = (artifact: FixtureArtifact) =>
    withAnnotations(artifact, { 'dev.sigstore.cosign/rfc3161timestamp': '' });

  it.each([
    ['keyless-bundle', stripBundle],
    ['attest-spdx-keyless-bundle', stripBundle],
    ['keyless-legacy', stripAnnotation],
  ])('T25 %s is refused without a trusted time', async (name, strip) => {
    expect((await verifier.verify(requestOf(name, [lenient]))).evidence).toHaveLength(1);
    expect(await verifier.verify(requestOf(name, [lenient], strip))).toMatchObject({
      evidence: [],
      rejections: [
        {
          code: 'TrustedTimeMissing',
          message: expect.stringMatching(
            /^No log entry or signed timestamp .* says when it was signed\. The certificate expired \S+ \(\d+ days ago\)\.$/,
          ) as string,
        },
      ],
    });
  });
});
