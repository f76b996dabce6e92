import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifyBytes } from '../../src/verification/signature-schemes.ts';

const bytes = Buffer.from('the signed bytes');
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

describe('verifyBytes', () => {
  it.each([
    ['P-256', 'sha256', true],
    ['P-256', 'sha384', false],
    ['P-256', 'sha1', false],
    ['P-384', 'sha384', true],
    ['P-384', 'sha256', true],
    ['P-384', 'sha1', false],
    ['P-521', 'sha512', true],
    ['P-521', 'sha256', true],
    ['P-521', 'sha384', false],
    ['secp256k1', 'sha256', false],
  ])('%s with %s: %s', (curve, hash, expected) => {
    const { privateKey, publicKey } = ec(curve);
    const signature = sign(hash, bytes, privateKey);
    expect(verifyBytes(bytes, publicKey, signature)).toBe(expected);
    expect(verifyBytes(Buffer.from('other bytes'), publicKey, signature)).toBe(false);
  });

  it('takes RSA with SHA-256, PKCS #1 v1.5 and PSS', () => {
    expect(verifyBytes(bytes, rsa.publicKey, sign('sha256', bytes, rsa.privateKey))).toBe(true);
    expect(verifyBytes(bytes, rsa.publicKey, sign('sha256', bytes, { key: rsa.privateKey, ...pss }))).toBe(
      true,
    );
    expect(verifyBytes(bytes, rsa.publicKey, sign('sha1', bytes, rsa.privateKey))).toBe(false);
    expect(verifyBytes(bytes, rsa.publicKey, sign('sha256', Buffer.from('other'), rsa.privateKey))).toBe(
      false,
    );
  });

  it('takes no RSA key below 2048 bits, whatever it signed', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(verifyBytes(bytes, short.publicKey, sign('sha256', bytes, short.privateKey))).toBe(false);
  });

  it('takes Ed25519', () => {
    expect(verifyBytes(bytes, ed25519.publicKey, sign(null, bytes, ed25519.privateKey))).toBe(true);
    expect(verifyBytes(bytes, ed25519.publicKey, sign(null, Buffer.from('other'), ed25519.privateKey))).toBe(
      false,
    );
  });

  it('answers false for junk', () => {
    for (const { publicKey } of [ec('P-256'), rsa, ed25519]) {
      expect(verifyBytes(bytes, publicKey, Buffer.alloc(0))).toBe(false);
      expect(verifyBytes(bytes, publicKey, Buffer.alloc(5000, 1))).toBe(false);
    }
  });
});
