import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeyIssuer, KeylessIssuer, TrustedRootMaterial } from '../../../src/policy/resolved-issuer.ts';
import {
  authority,
  keyless,
  oidcIssuer,
  refused,
  statement,
  subject,
  verifyText,
} from '../../support/own-sigstore.ts';
import { signShape } from '../../support/signed-shapes.ts';
import type { Shape } from '../../support/signed-shapes.ts';
import { createSigstoreAuthority } from '../../support/sigstore-authority.ts';

/** Of another clock: serial numbers are alike in every mock, and with the times they would pass for one timestamp. */
const stranger = await createSigstoreAuthority(120_000);
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const certificate = { subject, issuer: oidcIssuer };
const base: Shape = { keyPair, statement };

/** A root that knows the logs and timestamp authorities of both. */
const rootOfBoth = ((): TrustedRootMaterial => {
  const [root, other] = [authority, stranger].map(
    ({ trustedRoot }) => JSON.parse(trustedRoot.json) as Record<string, unknown[]>,
  );
  for (const field of ['tlogs', 'timestampAuthorities', 'ctlogs'])
    root?.[field]?.push(...(other?.[field] ?? []));
  return { json: JSON.stringify(root), fingerprint: 'both' };
})();
const required = { transparencyLog: 'Required', trustedRoot: rootOfBoth } as const;
const verify = async (shape: Shape, issuer: KeyIssuer | KeylessIssuer) =>
  verifyText(await signShape(authority, shape), issuer);

describe('T19 a threshold of logs', () => {
  const two = keyless({ ...required, thresholds: { transparencyLog: 2 } });
  it('is met by entries of distinct logs', async () => {
    const shape: Shape = { ...base, certificate, entries: ['dsse 0.0.1'], logs: [stranger] };
    expect((await verify(shape, two)).evidence).toHaveLength(1);
  });

  it('is not met by two entries of one log', async () => {
    const message = 'The signature is in 1 distinct transparency logs, and 2 are required.';
    const twice: Shape = { ...base, certificate, entries: ['dsse 0.0.1', 'hashedrekord 0.0.1'] };
    refused(await verify(twice, two), 'TransparencyLogMissing', message);
    refused(
      await verify({ ...base, certificate, entries: ['dsse 0.0.1'] }, two),
      'TransparencyLogMissing',
      message,
    );
    refused(
      await verify({ ...base, certificate }, two),
      'TransparencyLogMissing',
      'The signature is in 0 distinct transparency logs, and 2 are required.',
    );
  });

  it('is not met by a log that the root does not know', async () => {
    const shape: Shape = { ...base, certificate, entries: ['dsse 0.0.1'], logs: [stranger] };
    const trustedRoot = authority.trustedRoot;
    refused(await verify(shape, { ...two, trustedRoot }), 'TransparencyLogMissing');
    expect((await verify(shape, keyless({ trustedRoot }))).evidence).toHaveLength(1);
  });
});

describe('T19 a threshold of timestamp authorities', () => {
  const two = keyless({
    transparencyLog: 'NotRequired',
    signedTimestamp: 'Required',
    thresholds: { signedTimestamp: 2 },
    trustedRoot: rootOfBoth,
  });
  it('is met by distinct authorities, and not by two timestamps of one', async () => {
    const shape: Shape = { ...base, certificate, timestamps: [authority, stranger] };
    expect((await verify(shape, two)).evidence).toMatchObject([{ timeSource: 'SignedTimestamp' }]);
    refused(
      await verify({ ...shape, timestamps: [authority, authority] }, two),
      'TrustedTimeMissing',
      'The signature has timestamps of 1 distinct authorities, and 2 are required.',
    );
  });

  it('takes two timestamps of one authority for one, and not for a fault', async () => {
    const shape: Shape = { ...base, certificate, timestamps: [authority, authority] };
    expect((await verify(shape, { ...two, thresholds: {} })).evidence).toHaveLength(1);
  });

  it('holds for keys alike', async () => {
    const issuer: KeyIssuer = {
      kind: 'key',
      name: 'vendor',
      fingerprint: 'vendor',
      pem: keyPair.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      transparencyLog: 'NotRequired',
      signedTimestamp: 'Required',
      thresholds: { signedTimestamp: 2 },
      trustedRoot: rootOfBoth,
    };
    expect((await verify({ ...base, timestamps: [authority, stranger] }, issuer)).evidence).toHaveLength(1);
    refused(
      await verify({ ...base, timestamps: [stranger] }, issuer),
      'TrustedTimeMissing',
      'The signature has timestamps of 1 distinct authorities, and 2 are required.',
    );
    refused(
      await verify(base, { ...issuer, thresholds: {} }),
      'TrustedTimeMissing',
      'The signature has no signed timestamp.',
    );
  });
});

describe('T19 a threshold of SCTs', () => {
  it('is not met by the one of a single certificate transparency log', async () => {
    const shape: Shape = { ...base, certificate, entries: ['dsse 0.0.1'] };
    expect((await verify(shape, keyless({ thresholds: { sct: 1 } }))).evidence).toHaveLength(1);
    refused(await verify(shape, keyless({ thresholds: { sct: 2 } })), 'CertificateTransparencyMissing');
  });
});

describe('T29 material that does not verify', () => {
  it('is set aside, each by itself: good entries and timestamps beside it still count', async () => {
    const shape: Shape = {
      ...base,
      certificate,
      entries: ['dsse 0.0.1'],
      logs: [stranger],
      timestamps: [stranger, authority],
    };
    const issuer = keyless({ signedTimestamp: 'Required' });
    expect((await verify(shape, issuer)).evidence).toHaveLength(1);
    const text = await signShape(authority, shape);
    const junk = text.replace('"rfc3161Timestamps":[', '"rfc3161Timestamps":[{"signedTimestamp":"AAAA"},');
    expect(junk).not.toBe(text);
    expect((await verifyText(junk, issuer)).evidence).toHaveLength(1);
  });
});

describe("GitHub's own instance: no transparency log, no SCT, timestamps only", () => {
  const root = JSON.parse(authority.trustedRoot.json) as Record<string, unknown>;
  const trustedRoot = { json: JSON.stringify({ ...root, tlogs: [], ctlogs: [] }), fingerprint: 'github' };
  // As compiled for trustedRoot.builtIn: GitHub.
  const github = keyless({ trustedRoot, sct: 'NotRequired', transparencyLog: 'NotRequired' });
  const shape: Shape = { ...base, certificate: { ...certificate, sct: false }, timestamps: [authority] };

  it('counts by its timestamp', async () => {
    expect((await verify(shape, github)).evidence).toMatchObject([
      { signer: { kind: 'keyless', subject }, timeSource: 'SignedTimestamp' },
    ]);
  });

  it('T25 never counts without one, nor by one of another authority', async () => {
    refused(await verify({ ...shape, timestamps: [] }, github), 'TrustedTimeMissing');
    refused(await verify({ ...shape, timestamps: [stranger] }, github), 'TrustedTimeMissing');
    refused(
      await verify({ ...shape, timestamps: [], entries: ['dsse 0.0.1'] }, github),
      'TransparencyLogMissing',
    );
  });
});
