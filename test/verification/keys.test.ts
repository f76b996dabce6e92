import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { maxPemLength } from '../../src/policy/resolved-issuer.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import { parsePublicKey } from '../../src/verification/keys.ts';
import { readTrust } from '../support/cosign-fixture.ts';
import { makeFulcioCertificate } from '../support/fulcio-certificate.ts';
import { pem } from '../support/sigstore-authority.ts';

const spki = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();
const refusal = (text: string) => {
  try {
    return parsePublicKey(text);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RefwardenError);
    const { code, message } = thrown as RefwardenError;
    return { code, message };
  }
};

/** With the modulus of a sound key. */
function rsaKey(exponent: bigint): string {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const hex = exponent.toString(16);
  const e = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
  return spki(createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }));
}

describe('parsePublicKey', () => {
  it.each([
    ['release', 'P-256'],
    ['rsa', 'RSA'],
    ['ed25519', 'Ed25519'],
  ])('takes the %s key that cosign wrote', (name, kind) => {
    expect(parsePublicKey(readTrust(`${name}.pub`))).toMatchObject({
      kind,
      fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
    });
  });

  it.each([3n, 17n, 2n ** 31n - 1n])('takes an RSA key with the exponent %d', (exponent) => {
    expect(parsePublicKey(rsaKey(exponent)).kind).toBe('RSA');
  });

  it.each(['P-384', 'P-521'])('takes %s', (namedCurve) => {
    expect(parsePublicKey(spki(generateKeyPairSync('ec', { namedCurve }).publicKey)).kind).toBe(namedCurve);
  });

  it('T36 gives one key one fingerprint, whatever the encoding of its point', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = publicKey.export({ format: 'der', type: 'spki' });
    const point = der.subarray(-64);
    const compressed = Buffer.concat([
      Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
      Buffer.from([2 + ((point[63] ?? 0) & 1)]),
      point.subarray(0, 32),
    ]);
    const other = `-----BEGIN PUBLIC KEY-----\n${compressed.toString('base64')}\n-----END PUBLIC KEY-----\n`;
    expect(parsePublicKey(other).fingerprint).toBe(parsePublicKey(spki(publicKey)).fingerprint);
  });

  it('refuses a private key without repeating it', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(refusal(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toEqual({
      code: 'IssuerInvalid',
      message: 'The PEM holds a private key: give the public key, and take the private one for leaked.',
    });
  });

  it('refuses a certificate, whose expiry would be lost', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(refusal(pem(await makeFulcioCertificate(key, key.publicKey, {})))).toEqual({
      code: 'IssuerInvalid',
      message: 'The PEM holds a certificate: give its public key.',
    });
  });

  it.each([
    [
      'a short RSA key',
      () => spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      'The RSA key has 1024 bits: use 2048 or more.',
    ],
    ...[1n, 2n ** 31n + 1n, 2n ** 2000n + 1n].map((exponent): [string, () => string, string] => [
      `an RSA key with an exponent of ${exponent.toString(2).length} bits`,
      () => rsaKey(exponent),
      'The RSA key has an exponent that no key should have: use 65537.',
    ]),
    [
      'another curve',
      () => spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
      'The curve secp256k1 is not supported: use P-256, P-384 or P-521.',
    ],
    [
      'another kind',
      () => spki(generateKeyPairSync('x25519').publicKey),
      'Keys of type x25519 are not supported: use ECDSA, RSA or Ed25519.',
    ],
    [
      'two keys',
      () => readTrust('release.pub') + readTrust('second.pub'),
      'The PEM is not a single block "-----BEGIN PUBLIC KEY-----".',
    ],
    ['no PEM', () => 'release', 'The PEM is not a single block "-----BEGIN PUBLIC KEY-----".'],
    [
      'a broken PEM',
      () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      'The PEM does not parse as a public key.',
    ],
    ['a long text', () => 'A'.repeat(maxPemLength + 1), 'The key is longer than 8192 characters.'],
  ])('refuses %s', (_what, make, message) => {
    expect(refusal(make())).toEqual({ code: 'IssuerInvalid', message });
  });
});
