import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySha256 } from '../../src/verification/prehashed-signatures.ts';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

describe('verifySha256', () => {
  const ecdsa = ['P-256', 'P-384', 'P-521'].map(
    (namedCurve) => [namedCurve, generateKeyPairSync('ec', { namedCurve })] as const,
  );
  const rsa = ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })] as const;

  it.each([...ecdsa, rsa])('agrees with node:crypto about %s', (_kind, { publicKey, privateKey }) => {
    const message = randomBytes(100);
    for (let round = 0; round < 2; round++) {
      const signature = sign('sha256', message, privateKey);
      expect(verifySha256(sha256(message), publicKey, signature)).toBe(true);
      expect(verifySha256(sha256(signature), publicKey, signature)).toBe(false);
      const altered = Buffer.from(signature);
      altered[altered.length - 1 - round] = (altered.at(-1 - round) ?? 0) ^ 1;
      expect(verifySha256(sha256(message), publicKey, altered)).toBe(false);
    }
  });

  it.each(ecdsa)('of %s takes no other key and no other hash', (namedCurve, { publicKey, privateKey }) => {
    const message = randomBytes(100);
    const other = generateKeyPairSync('ec', { namedCurve });
    expect(verifySha256(sha256(message), publicKey, sign('sha256', message, other.privateKey))).toBe(false);
    expect(verifySha256(sha256(message), publicKey, sign('sha512', message, privateKey))).toBe(false);
  });

  it('takes no signature of zero, of negative numbers or beyond the order', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
    for (const hex of [
      '3006020100020100',
      '3006020101020100',
      '30060201ff0201ff',
      `3026022100${order}020101`,
    ]) {
      expect(verifySha256(Buffer.alloc(32, 1), publicKey, Buffer.from(hex, 'hex'))).toBe(false);
    }
  });

  it('takes no second signature that is the first with a number beyond the order', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const message = Buffer.from('message');
    const raw = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const [r, s] = [raw.subarray(0, 32), raw.subarray(32)].map((half) => BigInt(`0x${half.toString('hex')}`));
    const number = (value: bigint): Buffer => {
      const bytes = Buffer.from(`00${value.toString(16).padStart(66, '0')}`, 'hex');
      return Buffer.concat([Buffer.of(2, bytes.length), bytes]);
    };
    const verifies = (one = 0n, other = 0n, ...rest: Buffer[]): boolean => {
      const content = Buffer.concat([number(one), number(other), ...rest]);
      return verifySha256(
        sha256(message),
        publicKey,
        Buffer.concat([Buffer.of(0x30, content.length), content]),
      );
    };
    expect(verifies(r, s)).toBe(true);
    expect(verifies(r, (s ?? 0n) + order)).toBe(false);
    expect(verifies((r ?? 0n) + order, s)).toBe(false);
    expect(verifies(r, s, number(1n))).toBe(false);
  });

  it('answers false for schemes that need the bytes, and for junk', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const hash = Buffer.alloc(32, 1);
    expect(verifySha256(hash, publicKey, sign(null, hash, privateKey))).toBe(false);
    expect(verifySha256(hash, generateKeyPairSync('x25519').publicKey, hash)).toBe(false);
    for (const [, { publicKey: key }] of [...ecdsa, rsa]) {
      for (const junk of [Buffer.alloc(0), hash, randomBytes(256)])
        expect(verifySha256(hash, key, junk)).toBe(false);
    }
  });

  it('verifies a signature of another implementation: RFC 6979, A.2.5, P-256 with SHA-256, "sample"', () => {
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: Buffer.from('60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6', 'hex').toString(
          'base64url',
        ),
        y: Buffer.from('7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299', 'hex').toString(
          'base64url',
        ),
      },
    });
    const r = '00EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716';
    const s = '00F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8';
    const signature = Buffer.from(`30460221${r}0221${s}`, 'hex');
    expect(verifySha256(sha256(Buffer.from('sample')), key, signature)).toBe(true);
    expect(verifySha256(sha256(Buffer.from('test')), key, signature)).toBe(false);
  });
});
