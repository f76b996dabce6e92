import { beforeAll, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/failures/catalogue.ts';
import { computeDigest } from '../../../src/image/digest.ts';
import type { NotationIssuer } from '../../../src/policy/resolved-issuer.ts';
import type { VerificationOutcome } from '../../../src/verification/verification.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { issue, leafExtensions, makeChain, signedAtMs, usages } from '../../support/notation-certificates.ts';
import type { KeyName, TestChain } from '../../support/notation-certificates.ts';
import { coseTime } from '../../support/notation-envelopes.ts';
import type { EnvelopeOptions } from '../../support/notation-envelopes.ts';
import {
  envelopeOf,
  formats,
  imageBytes,
  imageDigest,
  notationIssuer,
  notationRequest,
  target,
} from '../../support/notation-requests.ts';
import type { Format } from '../../support/notation-requests.ts';
import { createKeyIssuer } from '../../support/signed-layer.ts';

const both = Object.keys(formats) as Format[];
const verifier = createVerifier();
let chain: TestChain;
beforeAll(async () => {
  chain = await makeChain();
});

const hour = 3_600_000;
const year = 365 * 24 * hour;
const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';
const authenticTime = 'io.cncf.notary.authenticSigningTime';
const expiry = 'io.cncf.notary.expiry';

/** A time as the format has it. */
const timeIn = (format: Format, ms: number): unknown =>
  format === 'JWS' ? new Date(ms).toISOString().replace('.000Z', 'Z') : coseTime(ms);
const critIn = (format: Format): string => (format === 'JWS' ? 'crit' : '2');

interface Case {
  readonly options?: Partial<EnvelopeOptions>;
  readonly issuer?: Partial<NotationIssuer>;
  readonly of?: Pick<TestChain, 'leaf' | 'certificates'>;
  readonly nowMs?: number;
}

function verify(
  format: Format,
  { options, issuer, of = chain, nowMs }: Case = {},
): Promise<VerificationOutcome> {
  const request = notationRequest(format, envelopeOf(format, of, options), [
    notationIssuer(chain.root, issuer),
  ]);
  return verifier.verify(nowMs === undefined ? request : { ...request, nowMs });
}

function refused(
  { evidence, rejections }: VerificationOutcome,
  code: FailureCode,
  message: RegExp | string,
): void {
  expect(evidence).toEqual([]);
  expect(rejections).toMatchObject([{ code }]);
  if (typeof message === 'string') expect(rejections[0]?.message).toBe(message);
  else expect(rejections[0]?.message).toMatch(message);
}

const expiring =
  (format: Format, atMs: number) =>
  (header: Record<string, unknown>): Record<string, unknown> => ({
    ...header,
    [critIn(format)]: [scheme, expiry],
    [expiry]: timeIn(format, atMs),
  });
const byAuthority =
  (format: Format, atMs = signedAtMs) =>
  ({ [signingTime]: _, ...header }: Record<string, unknown>): Record<string, unknown> => ({
    ...header,
    [critIn(format)]: [scheme, authenticTime],
    [scheme]: 'notary.x509.signingAuthority',
    [authenticTime]: timeIn(format, atMs),
  });

describe.each(both)('a Notation signature in %s', (format) => {
  it('says who signed what, and until when that counts', async () => {
    const { evidence, rejections } = await verify(format);
    expect(rejections).toEqual([]);
    expect(evidence).toEqual([
      {
        kind: 'signature',
        issuer: 'vendor',
        format: 'NotationSignature',
        subject: imageDigest,
        signer: {
          kind: 'notation',
          subject: 'C=US, ST=WA, O=Acme, CN=Release',
          certificateFingerprint: computeDigest(chain.leaf.der),
          keyFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        },
        validUntilMs: signedAtMs + year,
      },
    ]);
  });

  it.each<KeyName>(['P-384', 'P-521', 'RSA 2048', 'RSA 3072'])('takes %s keys', async (keyName) => {
    const of = await makeChain({ leaf: { keyName } });
    const { evidence } = await verifier.verify(
      notationRequest(format, envelopeOf(format, of), [notationIssuer(of.root)]),
    );
    expect(evidence).toHaveLength(1);
  });

  it.each<KeyName>(['secp256k1', 'RSA 1024', 'Ed25519'])('takes no %s key', async (keyName) => {
    const of = await makeChain({ leaf: { keyName } });
    refused(
      await verifier.verify(notationRequest(format, envelopeOf(format, of), [notationIssuer(of.root)])),
      'CertificateInvalid',
      'The key of C=US, ST=WA, O=Acme, CN=Release may not sign: use RSA of 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521.',
    );
  });

  it('takes a single self-signed certificate that is in the trust store', async () => {
    const leaf = await issue({});
    const of = { leaf, certificates: [leaf.der] };
    const request = notationRequest(format, envelopeOf(format, of), [notationIssuer(leaf)]);
    expect((await verifier.verify(request)).evidence).toHaveLength(1);
    refused(await verify(format, { of }), 'SignerNotTrusted', /lead to none of a ca trust store/);
  });

  it('takes a trust store with the intermediate alone', async () => {
    const issuers = [notationIssuer(chain.intermediate)];
    const { evidence } = await verifier.verify(notationRequest(format, envelopeOf(format, chain), issuers));
    expect(evidence).toHaveLength(1);
  });

  it('takes an index as media type, and what says none by what it is', async () => {
    const unnamed = { ...(JSON.parse(imageBytes.toString()) as object), mediaType: undefined };
    const document = Buffer.from(JSON.stringify(unnamed));
    const digest = computeDigest(document);
    const signed = { ...target, digest, size: document.length };
    const request = notationRequest(format, envelopeOf(format, chain, { target: signed }), [
      notationIssuer(chain.root),
    ]);
    const { evidence } = await verifier.verify({ ...request, subjects: [digest], subjectDocument: document });
    expect(evidence).toMatchObject([{ subject: digest }]);
  });

  it.each<[string, FailureCode, RegExp, Partial<EnvelopeOptions>]>([
    [
      'another algorithm of the same key',
      'SignatureInvalid',
      /^The signature states the algorithm ES384; the signing key takes ES256\.$/,
      { algorithm: 'ES384' },
    ],
    [
      'an altered signature',
      'SignatureInvalid',
      /does not verify over payload and attributes/,
      { spoil: (signature) => signature.map((byte, index) => (index === 40 ? byte ^ 1 : byte)) as Buffer },
    ],
    ['a signature that is cut', 'SignatureInvalid', /does not verify/, { spoil: (s) => s.subarray(1) }],
    [
      'T15 the digest of another image',
      'SubjectMismatch',
      /^The signature is for sha256:1{64}, not for sha256:/,
      { target: { ...target, digest: `sha256:${'1'.repeat(64)}` } },
    ],
    [
      'T15 T12 another size',
      'SubjectMismatch',
      /^The signature is for sha256:\w+ of 1 bytes; it has \d+\.$/,
      { target: { ...target, size: 1 } },
    ],
    [
      'T15 T13 another media type',
      'SubjectMismatch',
      /as application\/vnd\.oci\.image\.index\.v1\+json; it is application\/vnd\.oci\.image\.manifest\.v1\+json\.$/,
      { target: { ...target, mediaType: 'application/vnd.oci.image.index.v1+json' } },
    ],
    ['no targetArtifact', 'PayloadInvalid', /names no targetArtifact/, { payload: Buffer.from('{}') }],
    [
      'T26 a payload with two targets',
      'PayloadInvalid',
      /has the key "targetArtifact" twice/,
      {
        payload: Buffer.from(
          `{"targetArtifact":${JSON.stringify(target)},"targetArtifact":${JSON.stringify(target)}}`,
        ),
      },
    ],
    [
      'T26 a payload whose keys are in another case',
      'PayloadInvalid',
      /spells a field as "Digest"/,
      { payload: Buffer.from(JSON.stringify({ targetArtifact: { ...target, Digest: 'x' } })) },
    ],
    [
      'the content type of something else',
      'PayloadInvalid',
      /^The content type is text\/plain, not/,
      { protect: (header) => ({ ...header, [format === 'JWS' ? 'cty' : '3']: 'text/plain' }) },
    ],
    [
      'an unknown scheme',
      'PayloadInvalid',
      /^The signing scheme "notary\.x510" is unknown\.$/,
      { protect: (header) => ({ ...header, [scheme]: 'notary.x510' }) },
    ],
    [
      'no signing time',
      'PayloadInvalid',
      /^The scheme notary\.x509 needs io\.cncf\.notary\.signingTime\.$/,
      { protect: ({ [signingTime]: _, ...header }) => header },
    ],
    [
      "the other scheme's time beside its own",
      'PayloadInvalid',
      /^The scheme notary\.x509 excludes io\.cncf\.notary\.authenticSigningTime\.$/,
      {
        protect: (header) => ({
          ...header,
          [authenticTime]: timeIn(format, signedAtMs),
          [critIn(format)]: [scheme, authenticTime],
        }),
      },
    ],
    [
      'an authority without its time',
      'PayloadInvalid',
      /^The scheme notary\.x509\.signingAuthority needs io\.cncf\.notary\.authenticSigningTime\.$/,
      { protect: (header) => ({ ...header, [scheme]: 'notary.x509.signingAuthority' }) },
    ],
    [
      'an expiry before it was made',
      'PayloadInvalid',
      /^The signature expires before it was made\.$/,
      { protect: (header) => expiring(format, signedAtMs)(header) },
    ],
    [
      'T25 an expiry that is not critical',
      'PayloadInvalid',
      /^io\.cncf\.notary\.expiry is not marked critical\.$/,
      { protect: (header) => ({ ...header, [expiry]: timeIn(format, signedAtMs + hour) }) },
    ],
    [
      'a scheme that is not critical',
      'PayloadInvalid',
      /^io\.cncf\.notary\.signingScheme is not marked critical\.$/,
      { protect: (header) => ({ ...header, [critIn(format)]: [] }) },
    ],
    [
      'a critical attribute that is absent',
      'PayloadInvalid',
      /^"io\.cncf\.notary\.expiry" is marked critical, and is absent/,
      { protect: (header) => ({ ...header, [critIn(format)]: [scheme, expiry] }) },
    ],
    [
      'a critical header of the format itself',
      'PayloadInvalid',
      /is marked critical, and is absent or a header of the format itself\.$/,
      { protect: (header) => ({ ...header, [critIn(format)]: [scheme, format === 'JWS' ? 'alg' : 1] }) },
    ],
    [
      'something critical twice',
      'PayloadInvalid',
      /^"io\.cncf\.notary\.signingScheme" is marked critical twice\.$/,
      { protect: (header) => ({ ...header, [critIn(format)]: [scheme, scheme] }) },
    ],
    [
      'a critical signing time',
      'PayloadInvalid',
      /^io\.cncf\.notary\.signingTime is marked critical, and it may not be\.$/,
      { protect: (header) => ({ ...header, [critIn(format)]: [scheme, signingTime] }) },
    ],
    [
      'an unknown critical attribute',
      'FormatUnsupported',
      /^The critical attribute "example\.com\/must" is not understood\.$/,
      {
        protect: (header) => ({
          ...header,
          'example.com/must': true,
          [critIn(format)]: [scheme, 'example.com/must'],
        }),
      },
    ],
    [
      'a verification plugin',
      'FormatUnsupported',
      /asks for a verification plugin of Notation, and plugins are not supported/,
      {
        protect: (header) => ({
          ...header,
          'io.cncf.notary.verificationPlugin': 'com.example.plugin',
          [critIn(format)]: [scheme, 'io.cncf.notary.verificationPlugin'],
        }),
      },
    ],
    [
      'a verification plugin that is not critical',
      'FormatUnsupported',
      /plugins are not supported/,
      { protect: (header) => ({ ...header, 'io.cncf.notary.verificationPlugin': 'com.example.plugin' }) },
    ],
  ])('refuses %s', async (_, code, message, options) => {
    refused(await verify(format, { options }), code, message);
    // Integrity is enforced, whatever the level.
    const audit = { level: 'audit', override: { revocation: 'skip' } } as const;
    refused(await verify(format, { options, issuer: audit }), code, message);
  });

  it('reads over an unknown attribute that is not critical', async () => {
    const protect = (header: object): Record<string, unknown> => ({ ...header, 'example.com/may': ['x'] });
    expect((await verify(format, { options: { protect } })).evidence).toHaveLength(1);
  });

  it('names whoever claims to have signed, when it does not hold', async () => {
    const { rejections } = await verify(format, { options: { algorithm: 'ES384' } });
    expect(rejections).toMatchObject([{ signer: 'claimed C=US, ST=WA, O=Acme, CN=Release' }]);
  });

  it('T37 another subject of the same authority is not trusted, however much it resembles', async () => {
    for (const subject of [
      'C=US, ST=WA, O=Acme Inc, CN=Release',
      'C=US, ST=WA, CN=O\\=Acme',
      'C=US, ST=wa, O=Acme',
      'C=US, ST=WA, O=Evil, OU=Acme',
    ]) {
      const leaf = await issue({ subject, owner: 'mallory' }, chain.intermediate);
      const of = { leaf, certificates: [leaf.der, ...chain.certificates.slice(1)] };
      refused(
        await verify(format, { of }),
        'SignerNotTrusted',
        /^Signed by .* Policy trusts vendor: x509\.subject: C=US, ST=WA, O=Acme\.$/,
      );
      const any = await verify(format, { of, issuer: { trustedIdentities: ['*'] } });
      expect(any.evidence).toHaveLength(1);
    }
  });

  it('T37 a subject that names an attribute twice, or several at once, is nobody', async () => {
    const of = await makeChain({ leaf: { subject: 'C=US, ST=WA, O=Evil, O=Acme' } });
    const outcome = await verifier.verify(
      notationRequest(format, envelopeOf(format, of), [notationIssuer(of.root)]),
    );
    refused(outcome, 'SignerNotTrusted', /^Signed by C=US, ST=WA, O=Evil, O=Acme\./);
  });

  it('T34 a root that leaves the trust store stops counting, also for the same verifier', async () => {
    expect((await verify(format)).evidence).toHaveLength(1);
    const other = await makeChain({ root: { owner: 'other root' } });
    refused(
      await verifier.verify(notationRequest(format, envelopeOf(format, chain), [notationIssuer(other.root)])),
      'SignerNotTrusted',
      /^The certificates of C=US, ST=WA, O=Acme, CN=Release lead to none of a ca trust store\./,
    );
  });

  it('T25 an expired signature is refused at strict, and told at permissive', async () => {
    const options = { protect: expiring(format, signedAtMs + hour) };
    const good = await verify(format, { options, nowMs: signedAtMs + hour - 1 });
    expect(good.evidence).toMatchObject([{ validUntilMs: signedAtMs + hour }]);
    refused(
      await verify(format, { options, nowMs: signedAtMs + hour }),
      'SignatureExpired',
      'The signature expired 2030-01-01T01:00:00Z.',
    );
    const { evidence } = await verify(format, {
      options,
      nowMs: signedAtMs + hour,
      issuer: { level: 'permissive' },
    });
    expect(evidence).toMatchObject([
      { tolerated: [{ code: 'SignatureExpired', message: 'The signature expired 2030-01-01T01:00:00Z.' }] },
    ]);
    const enforcing = { level: 'permissive', override: { expiry: 'enforce' } } as const;
    refused(
      await verify(format, { options, nowMs: signedAtMs + hour, issuer: enforcing }),
      'SignatureExpired',
      /expired/,
    );
  });

  it('T25 an expired certificate counts for nothing without a timestamp, and not early either', async () => {
    for (const nowMs of [signedAtMs + year + 1, signedAtMs - year]) {
      refused(
        await verify(format, { nowMs }),
        'CertificateInvalid',
        /^The certificate C=US.* was not valid now, and no timestamp is trusted: it is from 2029-12-31T00:00:00Z to 2031-01-01T00:00:00Z\.$/,
      );
    }
    const { evidence } = await verify(format, {
      nowMs: signedAtMs + year + 1,
      issuer: { override: { authenticTimestamp: 'log' } },
    });
    expect(evidence).toMatchObject([{ tolerated: [{ code: 'CertificateInvalid' }] }]);
    expect(evidence[0]?.signedAtMs).toBeUndefined();
    expect(evidence[0]?.validUntilMs).toBeUndefined();
  });

  it('asks for a timestamp where a tsa store is given, when that is due', async () => {
    const tsa = { type: 'tsa', name: 'inline', certificates: chain.root.pem } as const;
    const trustStores = [...notationIssuer(chain.root).trustStores, tsa];
    const missing = 'The signature has no timestamp.';
    refused(await verify(format, { issuer: { trustStores } }), 'TrustedTimeMissing', missing);
    const later = { trustStores, verifyTimestamp: 'afterCertExpiry' } as const;
    expect((await verify(format, { issuer: later })).evidence).toHaveLength(1);
    const nowMs = signedAtMs + year + 1;
    refused(await verify(format, { issuer: later, nowMs }), 'TrustedTimeMissing', missing);
  });

  it('takes a timestamp that is none for none that is trusted', async () => {
    const tsa = { type: 'tsa', name: 'inline', certificates: chain.root.pem } as const;
    const trustStores = [...notationIssuer(chain.root).trustStores, tsa];
    const token = Buffer.from('token');
    const unprotect = (header: object): Record<string, unknown> => ({
      ...header,
      'io.cncf.notary.timestampSignature':
        format === 'JWS' ? token.toString('base64') : Uint8Array.from(token),
    });
    refused(
      await verify(format, { issuer: { trustStores }, options: { unprotect } }),
      'TrustedTimeMissing',
      /timestamp/i,
    );
  });

  it('a signing authority is trusted by its own store, and for its time', async () => {
    const stores = {
      trustStores: [{ type: 'signingAuthority', name: 'x', certificates: chain.root.pem }],
    } as const;
    const options = { protect: byAuthority(format) };
    const { evidence } = await verify(format, { options, issuer: stores, nowMs: signedAtMs + 5 * year });
    expect(evidence).toMatchObject([{ signedAtMs }]);
    expect(evidence[0]?.validUntilMs).toBeUndefined();
    refused(
      await verify(format, { options }),
      'SignerNotTrusted',
      /lead to none of a signingAuthority trust store/,
    );
    refused(await verify(format, { issuer: stores }), 'SignerNotTrusted', /lead to none of a ca trust store/);
    refused(
      await verify(format, {
        options: { protect: byAuthority(format, signedAtMs + 2 * year) },
        issuer: stores,
      }),
      'CertificateInvalid',
      /was not valid when it was signed/,
    );
  });

  it('at audit, anybody counts, and is told to be nobody trusted', async () => {
    const stranger = await makeChain({ root: { owner: 'stranger' }, leaf: { subject: 'CN=nobody' } });
    const { evidence } = await verify(format, { of: stranger, issuer: { level: 'audit' } });
    expect(evidence).toMatchObject([
      {
        signer: { subject: 'CN=nobody' },
        tolerated: [{ code: 'SignerNotTrusted' }, { code: 'RevocationUnknown' }],
      },
    ]);
    expect(evidence[0]?.signedAtMs).toBeUndefined();
  });

  it('T10 nobody who is not trusted has a certificate looked up', async () => {
    const asked: string[] = [];
    const note = (url: string): Promise<Uint8Array> => {
      asked.push(url);
      return Promise.reject(new Error('not reached'));
    };
    const own = createVerifier({ revocation: { ocsp: note, crl: note, confirm: () => undefined } });
    const stranger = await makeChain({ root: { owner: 'stranger' } });
    for (const level of ['strict', 'permissive', 'audit'] as const) {
      await own.verify(
        notationRequest(format, envelopeOf(format, stranger), [notationIssuer(chain.root, { level })]),
      );
    }
    expect(asked).toEqual([]);
  });

  it('T19 T36 one signature under two issuers has one signer', async () => {
    const issuers = [notationIssuer(chain.root), notationIssuer(chain.root, { name: 'again' })];
    const { evidence } = await verifier.verify(notationRequest(format, envelopeOf(format, chain), issuers));
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['vendor', 'again']);
    expect(evidence[0]?.signer).toEqual(evidence[1]?.signer);
  });

  it('tells of several issuers the nearest', async () => {
    const other = await makeChain({ root: { owner: 'yet another' } });
    const issuers = [
      notationIssuer(other.root, { name: 'other' }),
      notationIssuer(chain.root),
      notationIssuer({ pem: 'nonsense' }, { name: 'broken' }),
    ];
    const options = { protect: expiring(format, signedAtMs + 1000) };
    const { rejections } = await verifier.verify(
      notationRequest(format, envelopeOf(format, chain, options), issuers),
    );
    expect(rejections).toMatchObject([{ code: 'SignatureExpired' }]);
  });

  it('counts for no issuer of another kind', async () => {
    const request = notationRequest(format, envelopeOf(format, chain), [createKeyIssuer('key').issuer]);
    refused(
      await verifier.verify(request),
      'SignerNotTrusted',
      'No issuer of Notation signatures is trusted here.',
    );
  });

  it('takes nothing without the bytes of the image, or with others', async () => {
    const request = notationRequest(format, envelopeOf(format, chain), [notationIssuer(chain.root)]);
    const { subjectDocument, ...without } = request;
    expect(subjectDocument).toBe(imageBytes);
    const unknown = /^The size and media type of sha256:\w+ are not known: its bytes were not given\.$/;
    refused(await verifier.verify(without), 'SubjectMismatch', unknown);
    refused(
      await verifier.verify({ ...request, subjectDocument: Buffer.from('{}') }),
      'SubjectMismatch',
      unknown,
    );
  });

  it.each([
    ['keyEncipherment', leafExtensions(usages.digitalSignature | usages.keyEncipherment)],
    ['a key for encryption alone', leafExtensions(usages.keyEncipherment)],
  ])('refuses a leaf with %s', async (_, extensions) => {
    const of = await makeChain({ leaf: { extensions } });
    refused(
      await verifier.verify(notationRequest(format, envelopeOf(format, of), [notationIssuer(of.root)])),
      'CertificateInvalid',
      /^The signing certificate C=US, ST=WA, O=Acme, CN=Release (?:has the key usage keyEncipherment|needs critical keyUsage with digitalSignature)\.$/,
    );
  });
});

describe('the manifest of a Notation signature', () => {
  const manifest = () => {
    const { artifact } = notationRequest('JWS', envelopeOf('JWS', chain), []);
    return artifact.manifest;
  };

  it('needs its one layer, and the bytes of the image', () => {
    expect(verifier.needs(manifest())).toMatchObject({
      layers: [{ mediaType: 'application/jose+json' }],
      subjectDocument: true,
      skipped: [],
    });
  });

  it('is refused with several layers, none, or one of another type', () => {
    const { layers, ...rest } = manifest();
    const [layer] = layers;
    if (layer === undefined) throw new Error('no layer');
    const cases = [
      [[], 'A Notation signature has exactly one layer; the artifact has 0.'],
      [[layer, layer], 'A Notation signature has exactly one layer; the artifact has 2.'],
      [
        [{ ...layer, mediaType: 'text/plain' }],
        'The layer of a Notation signature is application/jose+json or application/cose, not text/plain.',
      ],
    ] as const;
    for (const [changed, message] of cases) {
      const needs = verifier.needs({ ...rest, layers: changed });
      expect(needs.layers).toEqual([]);
      expect(needs.skipped).toEqual([{ code: 'FormatUnsupported', message, about: 'signature' }]);
    }
  });

  it('is no signature by its layer alone', () => {
    const { artifactType, ...rest } = manifest();
    expect(artifactType).toBe('application/vnd.cncf.notary.signature');
    expect(verifier.needs(rest)).toMatchObject({ layers: [], skipped: [] });
  });
});
