import { describe, expect, it } from 'vitest';
import { computeDigest, parseDigest } from '../../src/image/digest.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { createVerifier, maxSignaturesPerArtifact } from '../../src/verification/verifier.ts';
import {
  fixtureKeyIssuer,
  fixtureKeylessIssuer,
  onlyArtifact,
  readCosignFixture,
  requestFor,
  withAnnotations,
  withLayer,
} from '../support/cosign-fixture.ts';
import type { FixtureArtifact } from '../support/cosign-fixture.ts';

const verifier = createVerifier();
const release = fixtureKeyIssuer('release');
const person = fixtureKeylessIssuer('person');
const github = fixtureKeylessIssuer('github');
type Issuer = VerificationRequest['issuers'][number];

function requestOf(
  name: string,
  issuers: readonly Issuer[],
  edit = (artifact: FixtureArtifact) => artifact,
): VerificationRequest {
  const fixture = readCosignFixture(name);
  return requestFor(fixture, edit(onlyArtifact(fixture)), issuers);
}

const cosignSign = 'https://sigstore.dev/cosign/sign/v1';
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
    { kind: 'attestation', format: 'SigstoreBundle', predicateType: 'https://cyclonedx.org/bom' },
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
              { ...identity, extensions: [{ name: 'sourceRepositoryURI', rule: { exact: repository } }] },
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

describe('whose signature it is', () => {
  it('says who signed and whom policy wants', async () => {
    const [identity] = person.identities;
    const other = {
      ...person,
      name: 'acme-release',
      identities: identity ? [{ ...identity, subject: { exact: 'else@acme.example' } }] : [],
    };
    const { rejections } = await verifier.verify(requestOf('keyless-bundle', [other]));
    expect(rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        signer: `release@acme.example (${identity?.issuer ?? ''})`,
        message: `Signed by release@acme.example (${identity?.issuer ?? ''}). Policy trusts acme-release: else@acme.example (${identity?.issuer ?? ''}).`,
      },
    ]);
  });

  it('names an unlisted key by what the bundle claims', async () => {
    const { rejections } = await verifier.verify(requestOf('stranger-bundle', [release]));
    expect(rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        signer: expect.stringMatching(/^claimed key sha256:[0-9a-f]{12}$/) as string,
        message: 'No listed key verifies the signature. Policy trusts release (a key).',
      },
    ]);
    expect((await verifier.verify(requestOf('stranger-legacy', [release]))).rejections).toEqual([
      {
        code: 'SignerNotTrusted',
        message: 'No listed key verifies the signature. Policy trusts release (a key).',
      },
    ]);
  });

  it.each(['transplanted-bundle', 'transplanted-bundle-reattached', 'transplanted-legacy'])(
    'T15 %s names both digests',
    async (name) => {
      const request = requestOf(name, [release]);
      const { evidence, rejections } = await verifier.verify(request);
      expect(evidence).toEqual([]);
      expect(rejections).toMatchObject([{ code: 'SubjectMismatch' }]);
      expect(rejections[0]?.message).toMatch(
        new RegExp(
          `^Signed by key sha256:[0-9a-f]{12} for sha256:904e51[0-9a-f]{58}, not for ${request.subjects[0] ?? ''}\\.$`,
        ),
      );
    },
  );

  it('takes any of the wanted subjects, and says which', async () => {
    const request = requestOf('key-bundle', [release]);
    const index = parseDigest(`sha256:${'1'.repeat(64)}`);
    const { evidence } = await verifier.verify({ ...request, subjects: [index, ...request.subjects] });
    expect(evidence).toMatchObject([{ subject: request.subjects[0] }]);
  });

  it('T36 T19 gives one key under two names one fingerprint', async () => {
    const twin = fixtureKeyIssuer('release', 'release-again');
    const { evidence } = await verifier.verify(requestOf('key-bundle', [release, twin]));
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['release', 'release-again']);
    expect(evidence[0]?.signer).toEqual(evidence[1]?.signer);
  });

  it('T19 gives two signatures by one key the same signer', async () => {
    const doubled = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: { ...artifact.manifest, layers: [...artifact.manifest.layers, ...artifact.manifest.layers] },
    });
    const { evidence } = await verifier.verify(requestOf('key-legacy', [release], doubled));
    expect(evidence).toHaveLength(2);
    expect(evidence[0]).toEqual(evidence[1]);
  });

  it('T29 lets no bad signature spoil a good one', async () => {
    const { evidence } = await verifier.verify(
      requestOf('key-legacy-two', [release, fixtureKeyIssuer('second')]),
    );
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['release', 'second']);
    const junk = (artifact: FixtureArtifact): FixtureArtifact => {
      const [layer] = artifact.manifest.layers;
      if (layer === undefined) throw new Error('no layer');
      const bad = ['', 'AAAA', '!', 'null'].map((text) => ({
        ...layer,
        annotations: { 'dev.cosignproject.cosign/signature': text },
      }));
      return {
        ...artifact,
        manifest: { ...artifact.manifest, layers: [...bad, ...artifact.manifest.layers] },
      };
    };
    const mixed = await verifier.verify(requestOf('key-legacy', [release], junk));
    expect(mixed.evidence).toHaveLength(1);
    expect(mixed.rejections).toHaveLength(4);
  });

  it('T21 takes nothing without issuers', async () => {
    const outcome = await verifier.verify(requestOf('key-bundle', []));
    expect(outcome).toEqual({
      evidence: [],
      rejections: [{ code: 'SignerNotTrusted', message: 'No issuer is trusted here.' }],
    });
  });

  it('T22 names a broken issuer and goes on with the others', async () => {
    const broken = { ...release, name: 'broken', pem: 'x' };
    expect((await verifier.verify(requestOf('key-bundle', [broken, release]))).evidence).toHaveLength(1);
    expect((await verifier.verify(requestOf('key-bundle', [broken]))).rejections).toMatchObject([
      { code: 'IssuerInvalid', message: 'The PEM is not a single block "-----BEGIN PUBLIC KEY-----".' },
    ]);
  });
});

describe('what is asked for', () => {
  const needsOf = (name: string) => verifier.needs(onlyArtifact(readCosignFixture(name)).manifest);

  it('asks for the subject only when its bytes may be what is signed', () => {
    expect(needsOf('key-bundle')).toMatchObject({
      layers: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
      subjectDocument: false,
    });
    expect(needsOf('key-bundle-message').subjectDocument).toBe(true);
    expect(needsOf('key-legacy').subjectDocument).toBe(false);
  });

  it('says so when the subject was not given, or is another', async () => {
    const { artifact, layers, subjects, issuers, nowMs } = requestOf('key-bundle-message', [release]);
    const request: VerificationRequest = { artifact, layers, subjects, issuers, nowMs };
    const message = 'A message signature takes the bytes of the subject, which were not given.';
    expect((await verifier.verify(request)).rejections).toEqual([{ code: 'FormatUnsupported', message }]);
    expect((await verifier.verify({ ...request, subjectDocument: Buffer.from('{}') })).rejections).toEqual([
      { code: 'FormatUnsupported', message },
    ]);
  });

  it('says so when a layer was not given', async () => {
    const { evidence, rejections } = await verifier.verify({
      ...requestOf('key-bundle', [release]),
      layers: new Map(),
    });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code: 'ArtifactMissing' }]);
  });

  it('knows an artifact of no form', async () => {
    const other = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        artifactType: 'text/plain',
        layers: artifact.manifest.layers.map((layer) => ({ ...layer, mediaType: 'text/plain' })),
      },
    });
    const request = requestOf('key-bundle', [release], other);
    expect(verifier.needs(request.artifact.manifest)).toEqual({ layers: [], subjectDocument: false });
    expect(await verifier.verify(request)).toEqual({
      evidence: [],
      rejections: [
        { code: 'FormatUnsupported', message: 'The artifact holds no signature of a form that is verified.' },
      ],
    });
  });

  it('T11 looks at a bounded number of signatures and says that there are more', async () => {
    const many = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        layers: Array.from({ length: 1000 }, () => artifact.manifest.layers).flat(),
      },
    });
    const request = requestOf('stranger-legacy', [release], many);
    expect(verifier.needs(request.artifact.manifest).layers).toHaveLength(maxSignaturesPerArtifact);
    const { rejections } = await verifier.verify(request);
    expect(rejections).toHaveLength(maxSignaturesPerArtifact + 1);
    expect(rejections.at(-1)).toEqual({
      code: 'ArtifactTooLarge',
      message: 'The artifact holds 1000 signatures; the first 64 were looked at.',
    });
  });

  it('T11 asks for no layer beyond the size that is read', async () => {
    const large = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        layers: artifact.manifest.layers.map((layer) => ({ ...layer, size: 2 ** 20 })),
      },
    });
    const request = requestOf('key-legacy', [release], large);
    expect(verifier.needs(request.artifact.manifest).layers).toEqual([]);
    expect((await verifier.verify(request)).rejections).toMatchObject([{ code: 'ArtifactTooLarge' }]);
  });

  it('T16 takes no hint for the content: annotations about predicate and form change nothing', async () => {
    const hinted = (artifact: FixtureArtifact): FixtureArtifact => ({
      ...artifact,
      manifest: {
        ...artifact.manifest,
        annotations: {
          'dev.sigstore.bundle.content': 'dsse-envelope',
          'dev.sigstore.bundle.predicateType': cosignSign,
        },
      },
    });
    const { evidence } = await verifier.verify(requestOf('attest-spdx-bundle', [release], hinted));
    expect(evidence).toMatchObject([{ kind: 'attestation', predicateType: 'https://spdx.dev/Document' }]);
  });
});
