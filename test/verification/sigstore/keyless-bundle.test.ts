import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import { canonicalKey, keyFingerprint } from '../../../src/verification/keys.ts';
import { makeFulcioCertificate } from '../../support/fulcio-certificate.ts';
import {
  authority,
  stranger,
  image,
  oidcIssuer,
  subject,
  keyless,
  timestampOnly,
  nothingRequired,
  signed,
  verify,
  edited,
  refused,
  rootWithout,
  both,
  logged,
  stamped,
  bare,
} from '../../support/own-sigstore.ts';

describe('a keyless bundle', () => {
  it('counts with SCT and log entry, at the time of the entry', async () => {
    const { certificate: given, tlogEntries } = logged.bundle.verificationMaterial;
    const certificate = Buffer.from(given?.rawBytes ?? '', 'base64');
    const [entry] = tlogEntries;
    expect((await verify(logged.bundle, keyless())).evidence).toEqual([
      {
        kind: 'signature',
        issuer: 'acme',
        format: 'SigstoreBundle',
        subject: image,
        signedAtMs: Number(entry?.['integratedTime']) * 1000,
        timeSource: 'TransparencyLog',
        signer: {
          kind: 'keyless',
          issuer: oidcIssuer,
          subject,
          certificateFingerprint: computeDigest(certificate),
          keyFingerprint: keyFingerprint(canonicalKey(new X509Certificate(certificate).publicKey)),
        },
      },
    ]);
  });

  it('counts with SCT and signed timestamp, and with both', async () => {
    expect((await verify(stamped.bundle, keyless(timestampOnly))).evidence).toHaveLength(1);
    expect((await verify(both.bundle, keyless({ signedTimestamp: 'Required' }))).evidence).toHaveLength(1);
  });

  it('never counts without a trusted time, however little is required', async () => {
    const undated = await verify(bare.bundle, keyless(nothingRequired));
    refused(undated, 'TrustedTimeMissing');
    expect(undated.rejections[0]?.message).toMatch(
      /^No log entry or signed timestamp of the trusted root says when it was signed\. The certificate expired 20\d\d-\S+Z \(\d+ days ago\)\.$/,
    );
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

  it('counts by the material that is good when the other is of a stranger and not required', async () => {
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
    const outcome = await verify(late.bundle, keyless({ sct: 'NotRequired' }));
    refused(outcome, 'CertificateInvalid');
    expect(outcome.rejections[0]?.message).toMatch(
      /^The signing certificate expired \S+Z \(\d+ days ago\), and signed \S+Z \(\d+ days ago\)\.$/,
    );
    const root = JSON.parse(authority.trustedRoot.json) as { certificateAuthorities: { validFor: object }[] };
    for (const ca of root.certificateAuthorities)
      ca.validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
    const trustedRoot = { json: JSON.stringify(root), fingerprint: 'ended' };
    refused(
      await verify(logged.bundle, keyless({ trustedRoot })),
      'CertificateInvalid',
      'The signing certificate does not chain to the trusted root, or was not valid when it signed.',
    );
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
