import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeyIssuer } from '../../../src/policy/resolved-issuer.ts';
import {
  authority,
  stranger,
  statement,
  keyless,
  verify,
  edited,
  refused,
  both,
  logged,
  bare,
} from '../../support/own-sigstore.ts';
import { dsseEntry, pem, signBundle } from '../../support/sigstore-authority.ts';
import type { BundleJson, SignedBundle } from '../../support/sigstore-authority.ts';

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

  it('T25 dates nothing by a time that no promise signs', async () => {
    const bundle = edited(both, ({ verificationMaterial: { tlogEntries } }) => {
      for (const entry of tlogEntries) {
        delete entry['inclusionPromise'];
        entry['integratedTime'] = '1000';
      }
    });
    const { evidence } = await verify(bundle, keyless());
    expect(evidence).toHaveLength(1);
    expect(evidence[0]?.signedAtMs).toBeGreaterThan(Date.now() - 600_000);
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
  const byKey = (log: boolean, timestamp = false) =>
    signBundle(authority, { statement, keyPair, log, timestamp });

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

  it('T25 is dated by an entry or timestamp that is not required, by a good one only', async () => {
    const open = keyed({ transparencyLog: 'NotRequired' });
    const timeOf = async (bundle: BundleJson, issuer: KeyIssuer) => {
      const { evidence } = await verify(bundle, issuer);
      expect(evidence).toHaveLength(1);
      return evidence[0]?.signedAtMs;
    };
    const withEntry = await byKey(true);
    const [entry] = withEntry.bundle.verificationMaterial.tlogEntries;
    const loggedAtMs = Number(entry?.['integratedTime']) * 1000;
    expect(await timeOf(withEntry.bundle, open)).toBe(loggedAtMs);
    const stamped = await byKey(false, true);
    expect(await timeOf(stamped.bundle, open)).toBeGreaterThan(Date.now() - 600_000);
    const foreign = keyed({ transparencyLog: 'NotRequired', trustedRoot: stranger.trustedRoot });
    expect(await timeOf(withEntry.bundle, foreign)).toBeUndefined();
    expect(await timeOf(stamped.bundle, foreign)).toBeUndefined();
    expect(await timeOf((await byKey(false)).bundle, open)).toBeUndefined();
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
      'Issuer vendor has no trusted root for the log or timestamp it requires.',
    );
  });
});
