import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../../src/image/digest.ts';
import type { KeyIssuer, KeylessIssuer } from '../../../src/policy/resolved-issuer.ts';
import { verifyBundle } from '../../../src/verification/sigstore/verify-bundle.ts';
import { authority, keyless, oidcIssuer, statement, subject } from '../../support/own-sigstore.ts';
import { signShape } from '../../support/signed-shapes.ts';
import type { BundleVersion, EntryKind, Shape } from '../../support/signed-shapes.ts';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const p256 = ec('P-256');
const message = Buffer.from('{"schemaVersion":2}');
const digest = computeDigest(message);
const certificate = { subject, issuer: oidcIssuer };
const about = { ...statement, subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }] };

const byKey = (keyPair = p256, change: Partial<KeyIssuer> = {}): KeyIssuer => ({
  kind: 'key',
  name: 'vendor',
  fingerprint: 'vendor',
  pem: keyPair.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  transparencyLog: 'NotRequired',
  trustedRoot: authority.trustedRoot,
  ...change,
});
const verify = async (shape: Shape, issuer: KeyIssuer | KeylessIssuer) =>
  verifyBundle({
    bundle: Buffer.from(await signShape(authority, shape)),
    artifact: message,
    issuer,
    nowMs: Date.now() + 120_000,
  });

const contents = { message: { message }, statement: { statement: about } };
type Content = keyof typeof contents;
const v1: readonly EntryKind[] = ['hashedrekord 0.0.1', 'dsse 0.0.1', 'intoto 0.0.2'];
const v2: readonly EntryKind[] = ['hashedrekord 0.0.2', 'dsse 0.0.2'];
const kindsOf = (content: Content): readonly EntryKind[] =>
  content === 'message' ? ['hashedrekord 0.0.1', 'hashedrekord 0.0.2'] : [...v1, ...v2];

describe('a bundle of every shape', () => {
  const shapes = (['v0.1', 'v0.2', 'v0.3'] as const).flatMap((version) =>
    (['message', 'statement'] as const).flatMap((content) =>
      kindsOf(content).flatMap((kind) =>
        (['key', 'certificate'] as const).map(
          (signer): [BundleVersion, Content, EntryKind, 'key' | 'certificate'] => [
            version,
            content,
            kind,
            signer,
          ],
        ),
      ),
    ),
  );
  // A v0.1 bundle must bring a promise, which Rekor v2 makes none of.
  const possible = shapes.filter(([version, , kind]) => version !== 'v0.1' || !v2.includes(kind));

  it.each(possible)(
    '%s with a %s, a log entry of %s, by %s, counts',
    async (version, content, kind, signer) => {
      const shape: Shape = {
        version,
        keyPair: p256,
        ...contents[content],
        entries: [kind],
        timestamps: v2.includes(kind) ? [authority] : [],
        ...(signer === 'key' ? {} : { certificate }),
      };
      const issuer = signer === 'key' ? byKey(p256, { transparencyLog: 'Required' }) : keyless();
      const { evidence, rejections } = await verify(shape, issuer);
      expect(rejections).toEqual([]);
      expect(evidence).toMatchObject([
        {
          kind: 'signature',
          subject: digest,
          timeSource: v2.includes(kind) ? 'SignedTimestamp' : 'TransparencyLog',
        },
      ]);
    },
  );

  it.each(v1)(
    'Rekor v1, %s: counts by promise alone in v0.1, by inclusion alone with a timestamp',
    async (kind) => {
      const shape: Shape = { keyPair: p256, certificate, statement: about, entries: [kind] };
      expect(
        (await verify({ ...shape, version: 'v0.1', proof: 'promise' }, keyless())).evidence,
      ).toHaveLength(1);
      const stamped: Shape = { ...shape, proof: 'inclusion', timestamps: [authority] };
      expect((await verify(stamped, keyless())).evidence).toMatchObject([{ timeSource: 'SignedTimestamp' }]);
      expect((await verify({ ...shape, proof: 'promise' }, keyless())).rejections).toMatchObject([
        { code: 'PayloadInvalid', message: 'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.' },
      ]);
    },
  );

  it.each(v2)('Rekor v2, %s: dates nothing by itself', async (kind) => {
    const content = kind === 'dsse 0.0.2' ? { statement: about } : { message };
    const shape: Shape = { keyPair: p256, certificate, ...content, entries: [kind] };
    expect((await verify(shape, keyless())).rejections).toMatchObject([{ code: 'TrustedTimeMissing' }]);
  });

  it('trap: the old intoto 0.0.1 is refused by name', async () => {
    const shape: Shape = { keyPair: p256, certificate, statement: about, entries: ['intoto 0.0.1'] };
    expect((await verify(shape, keyless())).rejections).toMatchObject([
      {
        code: 'TransparencyLogMissing',
        message: 'Log entries of kind "intoto 0.0.1" are not supported.',
      },
    ]);
  });
});

describe('a bundle by a key of every kind', () => {
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
  const rsa2048 = rsa(2048);
  it.each<[string, Pick<Shape, 'keyPair' | 'hash' | 'pss'>]>([
    ['ECDSA P-256', { keyPair: p256 }],
    ['trap: ECDSA P-384 with SHA-384', { keyPair: ec('P-384'), hash: 'sha384' }],
    ['ECDSA P-384 with SHA-256', { keyPair: ec('P-384') }],
    ['trap: ECDSA P-521 with SHA-512', { keyPair: ec('P-521'), hash: 'sha512' }],
    ['RSA 2048 PKCS #1 v1.5', { keyPair: rsa2048 }],
    ['RSA 2048 PSS', { keyPair: rsa2048, pss: true }],
    ['RSA 3072 PKCS #1 v1.5', { keyPair: rsa(3072) }],
    ['RSA 4096 PSS', { keyPair: rsa(4096), pss: true }],
    ['trap: Ed25519', { keyPair: generateKeyPairSync('ed25519'), hash: null }],
  ])('%s counts, over a message and over a statement', async (_kind, signing) => {
    for (const content of Object.values(contents)) {
      const { evidence, rejections } = await verify({ ...signing, ...content }, byKey(signing.keyPair));
      expect(rejections).toEqual([]);
      expect(evidence).toHaveLength(1);
      const other = await verify({ ...signing, ...content }, byKey(ec('P-256')));
      expect(other.rejections).toMatchObject([{ code: 'SignerNotTrusted' }]);
    }
  });
});
