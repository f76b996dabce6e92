import { describe, expect, it } from 'vitest';
import type { KeyIssuer, KeylessIssuer } from '../../src/policy/resolved-issuer.ts';
import { checkIssuerMaterial } from '../../src/verification/issuer-material.ts';
import { fixtureKeyIssuer, fixtureKeylessIssuer, fixtureTrustedRoot } from '../support/cosign-fixture.ts';
import { createSigstoreAuthority } from '../support/sigstore-authority.ts';

const full = (await createSigstoreAuthority()).trustedRoot;
const fixture = fixtureTrustedRoot();
const edited = (edit: (root: Record<string, unknown[]>) => void) => {
  const root = JSON.parse(full.json) as Record<string, unknown[]>;
  edit(root);
  return { json: JSON.stringify(root), fingerprint: 'edited' };
};
const key = (change: Partial<KeyIssuer>): KeyIssuer => ({ ...fixtureKeyIssuer('release'), ...change });
const keyless = (change: Partial<KeylessIssuer>): KeylessIssuer => fixtureKeylessIssuer('person', change);

describe('checkIssuerMaterial', () => {
  it.each([
    ['a key', key({})],
    ['a key with a log', key({ transparencyLog: 'Required', trustedRoot: full })],
    ['a key whose signatures a timestamp may date', key({ trustedRoot: fixture })],
    ['an identity with a signed timestamp', keyless({})],
    [
      'an identity with everything',
      keyless({ trustedRoot: full, sct: 'Required', transparencyLog: 'Required' }),
    ],
  ])('takes %s', (_what, issuer) => {
    expect(checkIssuerMaterial(issuer)).toBeUndefined();
  });

  it.each([
    [
      'a broken key',
      key({ pem: 'x' }),
      'IssuerInvalid',
      'Issuer release: The PEM is not a single block "-----BEGIN PUBLIC KEY-----".',
    ],
    [
      'a key that lacks its root',
      key({ transparencyLog: 'Required' }),
      'TrustMaterialMissing',
      'Issuer release requires a transparency log or timestamp and has no trusted root.',
    ],
    [
      'a key whose root has no log',
      key({ transparencyLog: 'Required', trustedRoot: fixture }),
      'TrustMaterialInvalid',
      'The trusted root of issuer release has no usable transparency log.',
    ],
    [
      'a key whose root does not parse, though it is not required',
      key({ trustedRoot: { json: '{', fingerprint: 'broken' } }),
      'TrustMaterialInvalid',
      'Issuer release: trusted root is not valid JSON.',
    ],
    [
      'a key whose root can date nothing',
      key({
        trustedRoot: edited((root) => {
          root['tlogs'] = [];
          root['timestampAuthorities'] = [];
        }),
      }),
      'TrustMaterialInvalid',
      'The trusted root of issuer release has no usable transparency log or timestamp authority.',
    ],
    [
      'a key that lacks the root of its timestamps',
      key({ signedTimestamp: 'Required' }),
      'TrustMaterialMissing',
      'Issuer release requires a transparency log or timestamp and has no trusted root.',
    ],
    [
      'T19 a threshold that counts a log twice',
      key({
        transparencyLog: 'Required',
        thresholds: { transparencyLog: 2 },
        trustedRoot: edited((root) => root['tlogs']?.push(...root['tlogs'])),
      }),
      'TrustMaterialInvalid',
      'The trusted root of issuer release counts 1 as distinct transparency log, and 2 are required.',
    ],
    [
      'T19 a threshold that counts an authority twice',
      keyless({
        signedTimestamp: 'Required',
        thresholds: { signedTimestamp: 2 },
        trustedRoot: edited((root) => root['timestampAuthorities']?.push(...root['timestampAuthorities'])),
      }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person counts 1 as distinct timestamp authority, and 2 are required.',
    ],
    ['T21 no identity', keyless({ identities: [] }), 'IssuerInvalid', 'Issuer person names no identity.'],
    [
      'an identity of anybody',
      keyless({ identities: [{ issuer: 'https://a', extensions: [] }] }),
      'IssuerInvalid',
      'Issuer person has an identity without subject and extensions: anybody could sign.',
    ],
    [
      'a subject pattern that is not RE2',
      keyless({ identities: [{ issuer: 'https://a', subject: { pattern: '(?!a)' }, extensions: [] }] }),
      'IssuerInvalid',
      'Issuer person: The pattern "(?!a)" is not RE2: invalid or unsupported Perl syntax: `(?!`.',
    ],
    [
      'an extension pattern that is not RE2',
      keyless({
        identities: [{ issuer: 'https://a', extensions: [{ name: 'buildTrigger', rule: { pattern: '[' } }] }],
      }),
      'IssuerInvalid',
      'Issuer person: The pattern "[" is not RE2: missing closing ]: `[`.',
    ],
    [
      'a broken root',
      keyless({ trustedRoot: { json: '{}', fingerprint: 'x' } }),
      'TrustMaterialInvalid',
      'Issuer person: trusted root: is not a Sigstore trusted root by its mediaType.',
    ],
    [
      'a root without a CT log where SCTs are demanded',
      keyless({ sct: 'Required' }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person has no usable certificate transparency log.',
    ],
    [
      'a root without a log where entries are demanded',
      keyless({ transparencyLog: 'Required' }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person has no usable transparency log.',
    ],
    [
      'a root without CA',
      keyless({ trustedRoot: edited((root) => root['certificateAuthorities']?.splice(0)) }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person has no usable certificate authority.',
    ],
    [
      'a root without TSA where timestamps are demanded',
      keyless({ trustedRoot: edited((root) => root['timestampAuthorities']?.splice(0)) }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person has no usable timestamp authority.',
    ],
    [
      'a root from which no time could come',
      keyless({
        signedTimestamp: 'NotRequired',
        trustedRoot: edited((root) => [root['timestampAuthorities']?.splice(0), root['tlogs']?.splice(0)]),
      }),
      'TrustMaterialInvalid',
      'The trusted root of issuer person has no usable transparency log or timestamp authority.',
    ],
  ])('names %s', (_what, issuer, code, message) => {
    expect(checkIssuerMaterial(issuer)).toEqual({ code, message });
  });
});
