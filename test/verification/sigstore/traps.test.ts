import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../../src/image/digest.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { makeFulcioCertificate } from '../../support/fulcio-certificate.ts';
import {
  authority,
  bare,
  image,
  keyless,
  logged,
  nothingRequired,
  oidcIssuer,
  refused,
  signed,
  stamped,
  statement,
  subject,
  timestampOnly,
  verify,
  verifyText,
} from '../../support/own-sigstore.ts';
import { createRsaTimestampAuthority } from '../../support/rsa-timestamp-authority.ts';
import { simpleSigningType, signatureLayer } from '../../support/sign-digest.ts';
import { signShape } from '../../support/signed-shapes.ts';
import { createKeyIssuer, layerRequest } from '../../support/signed-layer.ts';

// What the libraries get wrong or leave to their callers, each seen to hold here; see also shapes.test.ts for keys and log entries.

const rule = (exact: string) => [{ issuer: oidcIssuer, subject: { exact }, extensions: [] }];
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = parseDigest(`sha256:${'b2'.repeat(32)}`);

describe('traps of Sigstore', () => {
  it('T18 trap: the SAN policy of the library is an unanchored pattern; here a subject is compared whole', async () => {
    for (const part of [
      'acme',
      subject.slice(0, -1),
      subject.slice(1),
      `.*${subject}`,
      subject.toUpperCase(),
    ]) {
      refused(await verify(logged.bundle, keyless({ identities: rule(part) })), 'SignerNotTrusted');
      const identities = [{ issuer: oidcIssuer, subject: { pattern: part }, extensions: [] }];
      if (part !== `.*${subject}`)
        refused(await verify(logged.bundle, keyless({ identities })), 'SignerNotTrusted');
    }
  });

  it('T37 trap: extension values are DER texts, compared without their encoding', async () => {
    const extensions = { 12: 'https://github.com/acme/shop' };
    const certificate = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
      names: [{ type: 'url', value: subject }],
      extensions,
    });
    const { bundle } = await signed({ certificate, keyPair });
    const by = (exact: string) =>
      keyless({
        sct: 'NotRequired',
        identities: [{ issuer: oidcIssuer, extensions: [{ name: 'sourceRepositoryURI', rule: { exact } }] }],
      });
    expect((await verify(bundle, by('https://github.com/acme/shop'))).evidence).toHaveLength(1);
    refused(await verify(bundle, by('https://github.com/acme/shop2')), 'SignerNotTrusted');
    refused(await verify(bundle, by('\f\u001chttps://github.com/acme/shop')), 'SignerNotTrusted');
  });

  it('T18 trap: the library gives one subject of several; here any may match', async () => {
    const certificate = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
      names: [
        { type: 'email', value: 'dev@acme.example' },
        { type: 'url', value: subject },
      ],
    });
    const { bundle } = await signed({ certificate, keyPair });
    for (const name of ['dev@acme.example', subject]) {
      const issuer = keyless({ sct: 'NotRequired', identities: rule(name) });
      expect((await verify(bundle, issuer)).evidence).toHaveLength(1);
    }
  });

  it('T28 trap: a certificate without any timestamp throws a TypeError; here it is a named failure', async () => {
    refused(await verify(bare.bundle, keyless(nothingRequired)), 'TrustedTimeMissing');
  });

  const rootWith = (timestampAuthorities: object[]) => ({
    json: JSON.stringify({ ...(JSON.parse(authority.trustedRoot.json) as object), timestampAuthorities }),
    fingerprint: `authorities ${timestampAuthorities.length} ${Math.random()}`,
  });
  const chainOf = (...certificates: readonly Buffer[]) => ({
    certChain: { certificates: certificates.map((der) => ({ rawBytes: der.toString('base64') })) },
    validFor: { start: '2020-01-01T00:00:00Z' },
  });

  it('trap: a timestamp by RSA with SHA-512 fails in the library; here it counts, and over other bytes does not', async () => {
    const genTime = new Date(Math.ceil((Date.now() + 60_000) / 1000) * 1000);
    const rsa = await createRsaTimestampAuthority(genTime);
    const issuer = keyless({ ...timestampOnly, trustedRoot: rootWith([chainOf(...rsa.chain)]) });
    const shape = { keyPair, statement, certificate: { subject, issuer: oidcIssuer } };
    const { evidence } = await verifyText(
      await signShape(authority, { ...shape, timestamps: [rsa] }),
      issuer,
    );
    expect(evidence).toMatchObject([{ signedAtMs: genTime.getTime(), timeSource: 'SignedTimestamp' }]);
    const overOther = { timestamp: () => rsa.timestamp(Buffer.from('other')) };
    refused(
      await verifyText(await signShape(authority, { ...shape, timestamps: [overOther] }), issuer),
      'TrustedTimeMissing',
    );
    // And its leaf must be in the root.
    const leafless = keyless({ ...timestampOnly, trustedRoot: rootWith([chainOf(...rsa.chain.slice(1))]) });
    refused(
      await verifyText(await signShape(authority, { ...shape, timestamps: [rsa] }), leafless),
      'TrustedTimeMissing',
    );
  });

  it('trap: the purpose of a timestamp authority is not looked at by the library; here one for code signing dates nothing', async () => {
    const codeSigner = await makeFulcioCertificate(authority.caKey, keyPair.publicKey, {
      issuer: oidcIssuer,
    });
    const issuer = keyless({ ...timestampOnly, trustedRoot: rootWith([chainOf(codeSigner)]) });
    refused(await verify(stamped.bundle, issuer), 'TrustedTimeMissing');
  });

  it('trap: thresholds may be 0 in the library; here keyless without log still needs SCT and timestamp', async () => {
    const silent = await signed({
      certificate: { subject, issuer: oidcIssuer, sct: false },
      log: false,
      timestamp: true,
    });
    const defaults = keyless({ transparencyLog: 'NotRequired' });
    refused(await verify(silent.bundle, defaults), 'CertificateTransparencyMissing');
    refused(await verify(bare.bundle, defaults), 'TrustedTimeMissing');
    expect((await verify(stamped.bundle, defaults)).evidence).toHaveLength(1);
    expect((await verify(logged.bundle, defaults)).evidence).toHaveLength(1);
  });

  it("T16 trap: the statement's subject is the caller's to check; here another image's does not count", async () => {
    const about = { ...statement, subject: [{ digest: { sha256: 'b2'.repeat(32) } }] };
    refused(await verify((await signed({ statement: about })).bundle, keyless()), 'SubjectMismatch');
  });

  it('T16 trap: a signature is the one predicate type of cosign, and every other is an attestation of its type', async () => {
    const kindOf = async (predicateType: string) => {
      const { evidence } = await verify(
        (await signed({ statement: { ...statement, predicateType } })).bundle,
        keyless(),
      );
      return evidence.map((item) => [item.kind, item.predicateType]);
    };
    expect(await kindOf('https://sigstore.dev/cosign/sign/v1')).toEqual([['signature', undefined]]);
    for (const type of ['https://sigstore.dev/cosign/sign/v1/', 'https://slsa.dev/provenance/v1'])
      expect(await kindOf(type)).toEqual([['attestation', type]]);
  });

  it('T15 trap: a legacy payload is bound to its image by the digest in it, and by nothing else', async () => {
    const key = createKeyIssuer('acme');
    const { payload, annotations } = signatureLayer(other, key);
    const request = layerRequest(payload, simpleSigningType, image, [key.issuer], annotations);
    const outcome = await createVerifier().verify(request);
    refused(outcome, 'SubjectMismatch');
    expect(outcome.rejections[0]?.message).toMatch(
      new RegExp(`^Signed by key sha256:[0-9a-f]{12} for ${other}, not for ${image}\\.$`),
    );
  });

  it('trap: a root whose log lacks validFor.start is taken for valid since ever by the library; here it is refused', async () => {
    const root = JSON.parse(authority.trustedRoot.json) as { tlogs: { publicKey: { validFor: object } }[] };
    for (const { publicKey } of root.tlogs) publicKey.validFor = {};
    const trustedRoot = { json: JSON.stringify(root), fingerprint: 'no start' };
    refused(await verify(logged.bundle, keyless({ trustedRoot })), 'TrustMaterialInvalid');
  });
});
