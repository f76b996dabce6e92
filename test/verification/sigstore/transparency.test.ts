import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { computeDigest, parseDigest } from '../../../src/image/digest.ts';
import type { KeyIssuer, KeylessIssuer } from '../../../src/policy/resolved-issuer.ts';
import type { VerificationOutcome, VerificationRequest } from '../../../src/verification/verification.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { layerRequest } from '../../support/signed-layer.ts';
import { makeFulcioCertificate } from '../../support/fulcio-certificate.ts';
import { createSigstoreAuthority, dsseEntry, pem, signBundle } from '../../support/sigstore-authority.ts';
import type { BundleJson, BundleOptions, SignedBundle } from '../../support/sigstore-authority.ts';

const authority = await createSigstoreAuthority();
const stranger = await createSigstoreAuthority();
const verifier = createVerifier();
const image = parseDigest(`sha256:${'a1'.repeat(32)}`);
const oidcIssuer = 'https://accounts.example';
const subject = 'https://acme.example/release';
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ digest: { sha256: 'a1'.repeat(32) } }],
  predicateType: 'https://sigstore.dev/cosign/sign/v1',
  predicate: {},
};

const keyless = (change: Partial<KeylessIssuer> = {}): KeylessIssuer => ({
  kind: 'keyless',
  name: 'acme',
  fingerprint: 'acme',
  identities: [{ issuer: oidcIssuer, subject: { exact: subject }, extensions: [] }],
  trustedRoot: authority.trustedRoot,
  sct: 'Required',
  transparencyLog: 'Required',
  signedTimestamp: 'NotRequired',
  ...change,
});
const timestampOnly = { transparencyLog: 'NotRequired', signedTimestamp: 'Required' } as const;
const nothingRequired = {
  sct: 'NotRequired',
  transparencyLog: 'NotRequired',
  signedTimestamp: 'NotRequired',
} as const;

const signed = (options: Partial<BundleOptions> = {}): Promise<SignedBundle> =>
  signBundle(authority, { statement, certificate: { subject, issuer: oidcIssuer }, ...options });

const verifyText = (text: string, ...issuers: VerificationRequest['issuers']) =>
  verifier.verify(
    layerRequest(Buffer.from(text), 'application/vnd.dev.sigstore.bundle.v0.3+json', image, issuers),
  );
const verify = (bundle: BundleJson, ...issuers: VerificationRequest['issuers']) =>
  verifyText(JSON.stringify(bundle), ...issuers);
const edited = ({ bundle }: SignedBundle, edit: (bundle: BundleJson) => void): BundleJson => {
  const copy = structuredClone(bundle);
  edit(copy);
  return copy;
};
const refused = (outcome: VerificationOutcome, code: string, message?: string) => {
  expect(outcome.evidence).toEqual([]);
  expect(outcome.rejections).toMatchObject([message === undefined ? { code } : { code, message }]);
};
const rootWithout = (...fields: string[]) => {
  const root = JSON.parse(authority.trustedRoot.json) as Record<string, unknown>;
  for (const field of fields) root[field] = [];
  return { json: JSON.stringify(root), fingerprint: `without ${fields.join(' ')}` };
};

const both = await signed({ timestamp: true });
const logged = await signed();
const stamped = await signed({ log: false, timestamp: true });
const bare = await signed({ log: false });

describe('a keyless bundle', () => {
  it('counts with SCT and log entry, at the time of the entry', async () => {
    const [entry] = logged.bundle.verificationMaterial.tlogEntries;
    expect((await verify(logged.bundle, keyless())).evidence).toEqual([
      {
        kind: 'signature',
        issuer: 'acme',
        format: 'SigstoreBundle',
        subject: image,
        signedAtMs: Number(entry?.['integratedTime']) * 1000,
        signer: {
          kind: 'keyless',
          issuer: oidcIssuer,
          subject,
          certificateFingerprint: computeDigest(
            Buffer.from(logged.bundle.verificationMaterial.certificate?.rawBytes ?? '', 'base64'),
          ),
        },
      },
    ]);
  });

  it('counts with SCT and signed timestamp, and with both', async () => {
    expect((await verify(stamped.bundle, keyless(timestampOnly))).evidence).toHaveLength(1);
    expect((await verify(both.bundle, keyless({ signedTimestamp: 'Required' }))).evidence).toHaveLength(1);
  });

  it('never counts without a trusted time, however little is required', async () => {
    const message = 'No log entry or signed timestamp of the trusted root says when it was signed.';
    refused(await verify(bare.bundle, keyless(nothingRequired)), 'TrustedTimeMissing', message);
    refused(
      await verify(bare.bundle, keyless()),
      'TransparencyLogMissing',
      'The signature has no entry of a transparency log.',
    );
    refused(
      await verify(bare.bundle, keyless(timestampOnly)),
      'TrustedTimeMissing',
      'The signature has no signed timestamp.',
    );
  });

  it('has what is required, or is refused', async () => {
    refused(await verify(logged.bundle, keyless(timestampOnly)), 'TrustedTimeMissing');
    refused(await verify(stamped.bundle, keyless()), 'TransparencyLogMissing');
  });

  it('counts by the voucher that is good when the other is of a stranger and not required', async () => {
    const strangerStamp = await stranger.timestamp(
      Buffer.from(logged.bundle.dsseEnvelope.signatures[0]?.sig ?? '', 'base64'),
    );
    const withStamp = edited(logged, ({ verificationMaterial }) => {
      verificationMaterial.timestampVerificationData.rfc3161Timestamps.push({
        signedTimestamp: strangerStamp.toString('base64'),
      });
    });
    expect((await verify(withStamp, keyless())).evidence).toHaveLength(1);
    refused(await verify(withStamp, keyless({ signedTimestamp: 'Required' })), 'TrustedTimeMissing');
    const strangerEntry = await stranger.log(stamped.logBody);
    const withEntry = edited(stamped, ({ verificationMaterial }) =>
      verificationMaterial.tlogEntries.push(strangerEntry),
    );
    expect((await verify(withEntry, keyless(timestampOnly))).evidence).toHaveLength(1);
    refused(await verify(withEntry, keyless()), 'TransparencyLogMissing');
  });

  it('has an SCT of a trusted log unless none is required', async () => {
    const silent = await signed({ certificate: { subject, issuer: oidcIssuer, sct: false } });
    const message = 'The signing certificate has no valid SCT of a log of the trusted root.';
    refused(await verify(silent.bundle, keyless()), 'CertificateTransparencyMissing', message);
    expect((await verify(silent.bundle, keyless({ sct: 'NotRequired' }))).evidence).toHaveLength(1);
    const trustedRoot = rootWithout('ctlogs');
    refused(await verify(logged.bundle, keyless({ trustedRoot })), 'CertificateTransparencyMissing', message);
    expect((await verify(logged.bundle, keyless({ trustedRoot, sct: 'NotRequired' }))).evidence).toHaveLength(
      1,
    );
  });

  it('is of a CA of the trusted root', async () => {
    refused(
      await verify(logged.bundle, keyless({ trustedRoot: stranger.trustedRoot })),
      'CertificateInvalid',
    );
  });

  it("T25 is refused when it was signed outside the certificate's life or the authority's window", async () => {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const expired = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
      names: [{ type: 'url', value: subject }],
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() - 3_000_000),
    });
    const late = await signed({ certificate: expired, keyPair });
    const message =
      'The signing certificate does not chain to the trusted root, or was not valid when it signed.';
    refused(await verify(late.bundle, keyless({ sct: 'NotRequired' })), 'CertificateInvalid', message);
    const root = JSON.parse(authority.trustedRoot.json) as { certificateAuthorities: { validFor: object }[] };
    for (const ca of root.certificateAuthorities)
      ca.validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
    const trustedRoot = { json: JSON.stringify(root), fingerprint: 'ended' };
    refused(await verify(logged.bundle, keyless({ trustedRoot })), 'CertificateInvalid', message);
  });

  it('T18 T36 is one signer, whichever of its subjects is matched', async () => {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
      names: [
        { type: 'email', value: 'dev@acme.example' },
        { type: 'url', value: subject },
      ],
    });
    const { bundle } = await signed({ certificate, keyPair });
    const dev = keyless({
      name: 'dev',
      sct: 'NotRequired',
      identities: [{ issuer: oidcIssuer, subject: { pattern: 'dev@.*' }, extensions: [] }],
    });
    const { evidence } = await verify(bundle, keyless({ sct: 'NotRequired' }), dev);
    expect(evidence.map(({ issuer }) => issuer)).toEqual(['acme', 'dev']);
    expect(evidence[0]?.signer).toEqual(evidence[1]?.signer);
  });

  it('T18 is refused for part of a subject and another issuer', async () => {
    const by = (pattern: string, issuer = oidcIssuer) =>
      keyless({ identities: [{ issuer, subject: { pattern }, extensions: [] }] });
    refused(await verify(logged.bundle, by('acme.example')), 'SignerNotTrusted');
    refused(await verify(logged.bundle, by('https://acme\\.example/')), 'SignerNotTrusted');
    refused(
      await verify(logged.bundle, by('.*', 'https://accounts.example.evil')),
      'SignerNotTrusted',
      `Signed by ${subject} (${oidcIssuer}). Policy trusts acme: /.*/ (https://accounts.example.evil).`,
    );
  });

  it('is of a certificate for code signing', async () => {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
      names: [{ type: 'url', value: subject }],
      purposes: ['1.3.6.1.5.5.7.3.1'],
    });
    const { bundle } = await signed({ certificate, keyPair });
    refused(
      await verify(bundle, keyless({ sct: 'NotRequired' })),
      'CertificateInvalid',
      'The signing certificate is not for code signing.',
    );
  });

  it('shows hostile names without their control characters', async () => {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: `https://\u001b[31m\u202e${'x'.repeat(1000)}`,
      names: [{ type: 'url', value: subject }],
    });
    const { bundle } = await signed({ certificate, keyPair });
    const { rejections } = await verify(bundle, keyless({ sct: 'NotRequired' }));
    expect(rejections[0]?.code).toBe('SignerNotTrusted');
    expect(rejections[0]?.signer).toMatch(
      /^https:\/\/acme\.example\/release \(https:\/\/\uFFFD\[31m\uFFFDx+\.\.\.$/,
    );
    expect(rejections[0]?.message.length).toBeLessThan(600);
  });
});

describe('T17 the log entry', () => {
  const message = 'The log entry does not verify, or was made for another signature or content.';
  const otherSigner = 'The log entry is of another signer: it names another key or certificate.';
  const withEntry = async (body: object, of = bare): Promise<BundleJson> => {
    const entry = await authority.log(body);
    return edited(of, ({ verificationMaterial }) => verificationMaterial.tlogEntries.push(entry));
  };
  const parts = ({ bundle }: SignedBundle) => ({
    payload: Buffer.from(bundle.dsseEnvelope.payload, 'base64'),
    signature: Buffer.from(bundle.dsseEnvelope.signatures[0]?.sig ?? '', 'base64'),
    certificate: pem(Buffer.from(bundle.verificationMaterial.certificate?.rawBytes ?? '', 'base64')),
  });

  it('counts when it was made for this signature, content and certificate', async () => {
    const { payload, signature, certificate } = parts(bare);
    expect(
      (await verify(await withEntry(dsseEntry(payload, signature, certificate)), keyless())).evidence,
    ).toHaveLength(1);
  });

  it('is refused when it was made for another signature, content, certificate or key', async () => {
    const { payload, signature, certificate } = parts(bare);
    const other = parts(logged);
    const key = bare.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    refused(
      await verify(await withEntry(dsseEntry(payload, other.signature, certificate)), keyless()),
      'TransparencyLogMissing',
      message,
    );
    refused(
      await verify(await withEntry(dsseEntry(other.payload.subarray(1), signature, certificate)), keyless()),
      'TransparencyLogMissing',
      message,
    );
    refused(
      await verify(await withEntry(dsseEntry(payload, signature, other.certificate)), keyless()),
      'TransparencyLogMissing',
      otherSigner,
    );
    refused(
      await verify(await withEntry(dsseEntry(payload, signature, key)), keyless()),
      'TransparencyLogMissing',
      otherSigner,
    );
    refused(
      await verify(await withEntry(dsseEntry(payload, signature, 'junk')), keyless()),
      'TransparencyLogMissing',
      otherSigner,
    );
  });

  it('is refused when it is of another bundle altogether', async () => {
    refused(await verify(await withEntry(logged.logBody), keyless()), 'TransparencyLogMissing', otherSigner);
  });

  it('is refused when it is of a kind that is not known', async () => {
    const body = { kind: 'intoto', apiVersion: '0.0.1', spec: {} };
    refused(
      await verify(await withEntry(body), keyless()),
      'TransparencyLogMissing',
      'Log entries of kind "intoto 0.0.1" are not supported.',
    );
  });

  it.each<[string, (entry: Record<string, unknown>) => void]>([
    ['time', (entry) => (entry['integratedTime'] = String(Number(entry['integratedTime']) + 1))],
    [
      'promise',
      (entry) =>
        (entry['inclusionPromise'] = { signedEntryTimestamp: Buffer.alloc(70, 1).toString('base64') }),
    ],
    [
      'root hash',
      (entry) =>
        Object.assign(entry['inclusionProof'] as object, { hashes: [Buffer.alloc(32).toString('base64')] }),
    ],
    [
      'checkpoint',
      (entry) =>
        Object.assign(entry['inclusionProof'] as object, {
          checkpoint: { envelope: 'rekor.test\n1\nAAAA\n\n\u2014 rekor.test AAAAAAAA\n' },
        }),
    ],
    ['log', (entry) => (entry['logId'] = { keyId: Buffer.alloc(32, 7).toString('base64') })],
    ['kind', (entry) => (entry['kindVersion'] = { kind: 'hashedrekord', version: '0.0.1' })],
  ])('is refused with another %s', async (_what, edit) => {
    const bundle = edited(
      logged,
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        if (entry !== undefined) edit(entry);
      },
    );
    refused(await verify(bundle, keyless()), 'TransparencyLogMissing');
  });

  it('gives no time without the promise that signs it', async () => {
    const unpromised = (of: SignedBundle) =>
      edited(of, ({ verificationMaterial: { tlogEntries } }) => {
        tlogEntries.forEach((entry) => delete entry['inclusionPromise']);
      });
    refused(await verify(unpromised(logged), keyless()), 'TrustedTimeMissing');
    expect((await verify(unpromised(both), keyless())).evidence).toHaveLength(1);
  });

  it('is refused when the key of the log was retired before', async () => {
    const root = JSON.parse(authority.trustedRoot.json) as { tlogs: { publicKey: { validFor: object } }[] };
    for (const log of root.tlogs)
      log.publicKey.validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
    const trustedRoot = { json: JSON.stringify(root), fingerprint: 'retired log' };
    const unpromised = edited(both, ({ verificationMaterial: { tlogEntries } }) => {
      tlogEntries.forEach((entry) => delete entry['inclusionPromise']);
    });
    refused(await verify(logged.bundle, keyless({ trustedRoot })), 'TransparencyLogMissing');
    refused(
      await verify(unpromised, keyless({ trustedRoot })),
      'TransparencyLogMissing',
      'The log entry is of a log whose key was not valid at the time.',
    );
  });

  it('T26 is read strictly: a body with a repeated key is two bodies', async () => {
    const bundle = edited(
      logged,
      ({
        verificationMaterial: {
          tlogEntries: [entry],
        },
      }) => {
        if (entry === undefined) return;
        const body = Buffer.from(entry.canonicalizedBody, 'base64')
          .toString()
          .replace('{', '{"kind":"dsse",');
        entry.canonicalizedBody = Buffer.from(body).toString('base64');
      },
    );
    refused(
      await verify(bundle, keyless()),
      'TransparencyLogMissing',
      'The log entry has the key "kind" twice in one object.',
    );
  });

  it('T11 comes in small numbers', async () => {
    const bundle = edited(logged, ({ verificationMaterial: { tlogEntries } }) => {
      const [entry] = tlogEntries;
      if (entry !== undefined) tlogEntries.push(...Array.from({ length: 8 }, () => entry));
    });
    refused(
      await verify(bundle, keyless()),
      'PayloadInvalid',
      'The signature brings more than 8 log entries or timestamps.',
    );
  });
});

describe('a bundle by key with a log', () => {
  const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyed = (change: Partial<KeyIssuer> = {}): KeyIssuer => ({
    kind: 'key',
    name: 'vendor',
    fingerprint: 'vendor',
    pem: keyPair.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    transparencyLog: 'Required',
    trustedRoot: authority.trustedRoot,
    ...change,
  });
  const byKey = (log: boolean) => signBundle(authority, { statement, keyPair, log });

  it('counts with the entry, at its time', async () => {
    const { evidence } = await verify((await byKey(true)).bundle, keyed());
    expect(evidence).toMatchObject([{ issuer: 'vendor', signer: { kind: 'key' } }]);
    expect(evidence[0]?.signedAtMs).toBeGreaterThan(Date.now() - 600_000);
  });

  it('is refused without, and with the entry of another log', async () => {
    const without = await byKey(false);
    refused(
      await verify(without.bundle, keyed()),
      'TransparencyLogMissing',
      'The signature has no entry of a transparency log.',
    );
    refused(
      await verify((await byKey(true)).bundle, keyed({ trustedRoot: stranger.trustedRoot })),
      'TransparencyLogMissing',
    );
    expect((await verify(without.bundle, keyed({ transparencyLog: 'NotRequired' }))).evidence).toHaveLength(
      1,
    );
  });

  it('T17 is refused with an entry that another key made for the same signature', async () => {
    const without = await byKey(false);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ format: 'pem', type: 'spki' })
      .toString();
    const { payload, signatures } = without.bundle.dsseEnvelope;
    const entry = await authority.log(
      dsseEntry(Buffer.from(payload, 'base64'), Buffer.from(signatures[0]?.sig ?? '', 'base64'), other),
    );
    const bundle = edited(without, ({ verificationMaterial }) =>
      verificationMaterial.tlogEntries.push(entry),
    );
    refused(
      await verify(bundle, keyed()),
      'TransparencyLogMissing',
      'The log entry is of another signer: it names another key or certificate.',
    );
  });

  it('is refused when the issuer lacks the root, and never passes', async () => {
    const { name, fingerprint, pem: keyPem } = keyed();
    const rootless: KeyIssuer = { kind: 'key', name, fingerprint, pem: keyPem, transparencyLog: 'Required' };
    refused(
      await verify((await byKey(true)).bundle, rootless),
      'TrustMaterialMissing',
      'Issuer vendor has no trusted root for the log it requires.',
    );
  });
});

describe('the bundle as a document', () => {
  it.each([
    [
      'T26 a repeated key',
      () => JSON.stringify(logged.bundle).replace('{', '{"mediaType":"x",'),
      'The bundle has the key "mediaType" twice in one object.',
    ],
    [
      'T26 __proto__',
      () => JSON.stringify(logged.bundle).replace('{', '{"__proto__":{},'),
      'The bundle has a key "__proto__".',
    ],
    [
      'T26 deep nesting',
      () => JSON.stringify(logged.bundle).replace('{', `{"x":${'['.repeat(200)}${']'.repeat(200)},`),
      'The bundle is nested deeper than 128.',
    ],
    ['text', () => 'bundle', 'The bundle is not valid JSON.'],
    [
      'no signature',
      () => JSON.stringify(edited(logged, (bundle) => (bundle.dsseEnvelope.signatures = []))),
      'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.',
    ],
    [
      'two signatures',
      () =>
        JSON.stringify(
          edited(logged, ({ dsseEnvelope: { signatures } }) => signatures.push({ sig: 'AAAA' })),
        ),
      'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.',
    ],
  ])('is refused with %s', async (_what, text, message) => {
    refused(await verifyText(text(), keyless()), 'PayloadInvalid', message);
  });

  it('is refused in a version to come', async () => {
    const bundle = edited(
      logged,
      (copy) => (copy.mediaType = 'application/vnd.dev.sigstore.bundle.v0.9+json'),
    );
    refused(
      await verify(bundle, keyless()),
      'FormatUnsupported',
      'The bundle is of another version than v0.1 to v0.3.',
    );
  });

  it('T16 T15 is refused when its statement is signed, and is about another image or no statement', async () => {
    const other = await signed({
      statement: { ...statement, subject: [{ digest: { sha256: 'b2'.repeat(32) } }] },
    });
    refused(
      await verify(other.bundle, keyless()),
      'SubjectMismatch',
      `Signed by ${subject} (${oidcIssuer}) for sha256:${'b2'.repeat(32)}, not for ${image}.`,
    );
    const link = await signed({ statement: { ...statement, _type: 'https://in-toto.io/Link/v1' } });
    refused(
      await verify(link.bundle, keyless()),
      'PayloadInvalid',
      'The statement is not an in-toto statement v0.1 or v1.',
    );
  });

  it('keeps an attestation whose SBOM does not parse, without the SBOM', async () => {
    const sbom = await signed({
      statement: {
        ...statement,
        predicateType: 'https://spdx.dev/Document',
        predicate: { spdxVersion: 'SPDX-9' },
      },
    });
    const { evidence, rejections } = await verify(sbom.bundle, keyless());
    expect(evidence).toMatchObject([{ kind: 'attestation', predicateType: 'https://spdx.dev/Document' }]);
    expect(evidence[0]).not.toHaveProperty('sbom');
    expect(rejections).toMatchObject([
      {
        code: 'PayloadInvalid',
        message: 'The SPDX document has an spdxVersion other than SPDX-2.2 and SPDX-2.3.',
      },
    ]);
  });
});

describe('a legacy keyless signature with a log entry', () => {
  it('counts by its annotations, and not with the entry of another payload', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = pem(await authority.issue(publicKey, { subject, issuer: oidcIssuer }));
    const payload = Buffer.from(
      JSON.stringify({
        critical: {
          identity: {},
          image: { 'docker-manifest-digest': image },
          type: 'cosign container image signature',
        },
      }),
    );
    const signature = sign('sha256', payload, privateKey).toString('base64');
    const annotationsFor = async (logged: Buffer) => {
      const entry = await authority.log({
        apiVersion: '0.0.1',
        kind: 'hashedrekord',
        spec: {
          data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(logged).digest('hex') } },
          signature: {
            content: signature,
            publicKey: { content: Buffer.from(certificate).toString('base64') },
          },
        },
      });
      const { keyId } = entry['logId'] as { keyId: string };
      return {
        'dev.cosignproject.cosign/signature': signature,
        'dev.sigstore.cosign/certificate': certificate,
        'dev.sigstore.cosign/chain': '',
        'dev.sigstore.cosign/bundle': JSON.stringify({
          SignedEntryTimestamp: (entry['inclusionPromise'] as { signedEntryTimestamp: string })
            .signedEntryTimestamp,
          Payload: {
            body: entry.canonicalizedBody,
            integratedTime: Number(entry['integratedTime']),
            logIndex: Number(entry['logIndex']),
            logID: Buffer.from(keyId, 'base64').toString('hex'),
          },
        }),
      };
    };
    const outcome = (annotations: Record<string, string>) =>
      verifier.verify(
        layerRequest(
          payload,
          'application/vnd.dev.cosign.simplesigning.v1+json',
          image,
          [keyless()],
          annotations,
        ),
      );
    const good = await annotationsFor(payload);
    expect((await outcome(good)).evidence).toMatchObject([
      { kind: 'signature', format: 'CosignSimpleSigning', signer: { subject } },
    ]);
    refused(await outcome(await annotationsFor(Buffer.from('other'))), 'TransparencyLogMissing');
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/bundle': '' }),
      'TransparencyLogMissing',
      'The signature has no entry of a transparency log.',
    );
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/bundle': '{}' }),
      'PayloadInvalid',
      'The log entry annotation is malformed.',
    );
    refused(
      await outcome({ ...good, 'dev.sigstore.cosign/certificate': 'x' }),
      'PayloadInvalid',
      'The certificate annotation is not one PEM certificate.',
    );
  });
});
