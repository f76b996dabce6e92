import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { authority, oidcIssuer, stranger, subject } from '../support/own-sigstore.ts';
import { runCommandLine } from '../support/run-command-line.ts';
import { signShape } from '../support/signed-shapes.ts';

const directory = mkdtempSync(join(tmpdir(), 'refwarden-conformance-'));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const message = Buffer.from('an artifact');
const artifact = file('artifact', message);
const digest = computeDigest(message);
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'artifact', digest: { sha256: digest.slice('sha256:'.length) } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {},
};
const shape = {
  keyPair,
  certificate: { subject, issuer: oidcIssuer },
  entries: ['hashedrekord 0.0.1'] as const,
};
const root = file('root.json', authority.trustedRoot.json);
const messageBundle = file('message.json', await signShape(authority, { ...shape, message }));
const statementBundle = file(
  'statement.json',
  await signShape(authority, { ...shape, statement, entries: ['dsse 0.0.2'], timestamps: [authority] }),
);
const keyBundle = file('key.json', await signShape(authority, { keyPair, message, entries: shape.entries }));
const key = file('key.pub', keyPair.publicKey.export({ format: 'pem', type: 'spki' }));
const otherKey = file(
  'other.pub',
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }),
);

const client = (...argv: string[]) => runCommandLine('sigstore-conformance', ...argv);
const identity = ['--certificate-identity', subject, '--certificate-oidc-issuer', oidcIssuer];
const verify = (bundle: string, signer: readonly string[], what: string, trustedRoot = root) =>
  client('verify-bundle', '--bundle', bundle, ...signer, '--trusted-root', trustedRoot, what);

describe('refwarden sigstore-conformance verify-bundle', () => {
  it.each([
    ['a message signature, by path', messageBundle, identity, artifact],
    ['a message signature, by digest', messageBundle, identity, digest],
    ['a statement, by path', statementBundle, identity, artifact],
    ['a statement, by digest', statementBundle, identity, digest],
    ['a key, by path', keyBundle, ['--key', key], artifact],
    ['a key, by digest', keyBundle, ['--key', key], digest],
  ])('answers 0 and nothing for %s', async (_what, bundle, signer, what) => {
    expect(await verify(bundle, signer, what)).toEqual({ code: 0, out: '', err: '' });
  });

  const other = file('other', 'another artifact');
  const otherDigest = computeDigest(Buffer.from('another artifact'));
  it.each([
    ['T15 another artifact', messageBundle, identity, other, 'SubjectMismatch: '],
    ['T15 another digest', messageBundle, identity, otherDigest, 'SubjectMismatch: '],
    ['T16 another subject', statementBundle, identity, other, 'SubjectMismatch: '],
    ['T16 another subject, by digest', statementBundle, identity, otherDigest, 'SubjectMismatch: '],
    [
      'T18 another identity',
      messageBundle,
      ['--certificate-identity', `${subject}x`, '--certificate-oidc-issuer', oidcIssuer],
      artifact,
      'SignerNotTrusted: ',
    ],
    [
      'T18 a pattern, which is no identity',
      messageBundle,
      ['--certificate-identity', '.*', '--certificate-oidc-issuer', oidcIssuer],
      artifact,
      'SignerNotTrusted: ',
    ],
    ['another key', keyBundle, ['--key', otherKey], artifact, 'SignerNotTrusted: '],
    ['another key, by digest', keyBundle, ['--key', otherKey], digest, 'SignerNotTrusted: '],
    ['an identity for a key', keyBundle, identity, artifact, 'SignerNotTrusted: '],
    ['what is no bundle', artifact, identity, artifact, 'PayloadInvalid: '],
  ])('answers 1 and why for %s', async (_what, bundle, signer, what, err) => {
    const answer = await verify(bundle, signer, what);
    expect(answer).toMatchObject({ code: 1, out: '' });
    expect(answer.err).toMatch(new RegExp(`^${err}.+\\n$`));
  });

  it('answers 1 for the root of another instance, and takes the public one by default', async () => {
    const foreign = file('foreign.json', stranger.trustedRoot.json);
    expect(await verify(messageBundle, identity, artifact, foreign)).toMatchObject({ code: 1 });
    expect(await client('verify-bundle', '--bundle', messageBundle, ...identity, artifact)).toMatchObject({
      code: 1,
      err: expect.stringContaining('CertificateInvalid: ') as string,
    });
  });

  it('demands a timestamp that the bundle brings, as the suite does', async () => {
    const bad = await signShape(authority, { ...shape, message, timestamps: [stranger] });
    expect(await verify(file('bad-timestamp.json', bad), identity, artifact)).toMatchObject({
      code: 1,
      err: expect.stringContaining('TrustedTimeMissing: ') as string,
    });
  });

  it('answers 2 for a command line that is none, and for files that cannot be read', async () => {
    expect(await verify(messageBundle, [], artifact)).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'Give --key, or --certificate-identity with --certificate-oidc-issuer.',
      ) as string,
    });
    expect(await verify(messageBundle, ['--key', key, ...identity], artifact)).toMatchObject({ code: 2 });
    expect(await verify(join(directory, 'nothing'), identity, artifact)).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing cannot be read.') as string,
    });
    expect(await verify(messageBundle, identity, 'sha256:1234')).toMatchObject({ code: 2 });
    expect(
      await client('verify-bundle', '--staging', '--bundle', messageBundle, ...identity, artifact),
    ).toMatchObject({
      code: 2,
      err: expect.stringContaining('The root of the staging instance does not ship with Refwarden') as string,
    });
  });

  it('takes --staging with a root', async () => {
    const argv = ['--staging', '--bundle', messageBundle, ...identity, '--trusted-root', root, artifact];
    expect(await client('verify-bundle', ...argv)).toMatchObject({ code: 0 });
  });
});

describe('refwarden sigstore-conformance', () => {
  it('signs nothing, and says so', async () => {
    expect(
      await client('sign-bundle', '--identity-token', 'x', '--bundle', join(directory, 'made'), artifact),
    ).toMatchObject({ code: 2, err: expect.stringContaining('signs nothing') as string });
  });

  it('is hidden from help', async () => {
    expect((await runCommandLine('--help')).out).not.toContain('conformance');
  });
});
