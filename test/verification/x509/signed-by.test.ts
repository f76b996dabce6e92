import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSignedBy, readSignatureAlgorithm } from '../../../src/verification/x509/signed-by.ts';
import type { HashName } from '../../../src/verification/x509/signed-by.ts';
import { integer, nothing, oid, sequence, tagged } from '../../support/der-values.ts';
import { takenThoughExtended } from '../../support/extended-der.ts';

const bytes = Buffer.from('what is signed');
const hashOid = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
const hashes = ['sha256', 'sha384', 'sha512'] as const;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const hashIdentifier = (hash: string): Uint8Array => sequence(oid(hash), nothing);
const pssParameters = (hash: string, mask: string, salt: number, ...rest: Uint8Array[]): Uint8Array =>
  sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(
      tagged(0, hashIdentifier(hash)),
      tagged(1, sequence(oid('1.2.840.113549.1.1.8'), hashIdentifier(mask))),
      tagged(2, integer(salt)),
      ...rest,
    ),
  );
const pss = (hash: HashName, mask: HashName, salt: number): Uint8Array =>
  pssParameters(hashOid[hash], hashOid[mask], salt);
const pssOf = (hash: string, ...rest: Uint8Array[]): Uint8Array => pssParameters(hash, hash, 20, ...rest);

function verifies(identifier: Uint8Array, key: typeof rsa, signature: Uint8Array): boolean {
  const algorithm = readSignatureAlgorithm(identifier);
  return algorithm !== undefined && isSignedBy(bytes, key.publicKey, signature, algorithm);
}

describe('isSignedBy', () => {
  it.each(hashes)('takes RSA with %s, PKCS #1 v1.5', (hash) => {
    const identifier = sequence(oid(`1.2.840.113549.1.1.${11 + hashes.indexOf(hash)}`), nothing);
    expect(verifies(identifier, rsa, sign(hash, bytes, rsa.privateKey))).toBe(true);
    expect(verifies(identifier, rsa, sign('sha224', bytes, rsa.privateKey))).toBe(false);
  });

  it.each(hashes)('takes RSA with %s, PSS', (hash) => {
    const saltLength = 20;
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    const signature = sign(hash, bytes, { key: rsa.privateKey, ...padding });
    expect(verifies(pss(hash, hash, saltLength), rsa, signature)).toBe(true);
    expect(verifies(pss(hash, hash, 32), rsa, signature)).toBe(false);
    const identifier = sequence(oid('1.2.840.113549.1.1.11'), nothing);
    expect(verifies(identifier, rsa, signature)).toBe(false);
  });

  it.each([
    ['without parameters', sequence(oid('1.2.840.113549.1.1.10'))],
    ['with SHA-1', pssOf('1.3.14.3.2.26')],
    ['with another trailer', pssOf('2.16.840.1.101.3.4.2.1', tagged(3, integer(2)))],
  ])('takes no PSS %s', (_, identifier) => {
    expect(readSignatureAlgorithm(identifier)).toBeUndefined();
  });

  it.each([
    [
      'hash',
      [
        tagged(1, sequence(oid('1.2.840.113549.1.1.8'), hashIdentifier(hashOid.sha256))),
        tagged(2, integer(32)),
      ],
    ],
    ['mask', [tagged(0, hashIdentifier(hashOid.sha256)), tagged(2, integer(32))]],
    [
      'salt',
      [
        tagged(0, hashIdentifier(hashOid.sha256)),
        tagged(1, sequence(oid('1.2.840.113549.1.1.8'), hashIdentifier(hashOid.sha256))),
      ],
    ],
  ])('takes no PSS that leaves the %s to its default', (_what, parts) => {
    const identifier = sequence(oid('1.2.840.113549.1.1.10'), sequence(...parts));
    expect(readSignatureAlgorithm(identifier)).toBeUndefined();
  });

  it.each([
    ['an algorithm', sequence(oid('1.2.840.10045.4.3.2'))],
    ['PSS', pss('sha256', 'sha256', 32)],
  ])('takes nothing more than belongs into %s', (_what, identifier) => {
    // What is explicit holds one value, and what follows it is not looked at: the mask generator and the tags.
    const unread = ['1.0', '1.1', '1.1.0', '1.2'];
    const taken = takenThoughExtended(identifier, (extended) => {
      if (readSignatureAlgorithm(extended) === undefined) throw new Error('more than belongs there');
    });
    expect(taken.filter((path) => !unread.includes(path))).toEqual(identifier.length < 20 ? [''] : []);
  });

  it('takes nothing after the NULL of an algorithm', () => {
    const of = (...rest: Uint8Array[]) =>
      readSignatureAlgorithm(sequence(oid('1.2.840.113549.1.1.11'), ...rest));
    expect(of(nothing)).toEqual({ keys: 'RSA', hash: 'sha256' });
    expect(() => of(nothing, nothing)).toThrow('more than belongs there');
  });

  it('takes PSS that states its trailer', () => {
    expect(readSignatureAlgorithm(pssOf('2.16.840.1.101.3.4.2.1', tagged(3, integer(1))))).toEqual({
      keys: 'RSA',
      hash: 'sha256',
      pssSaltLength: 20,
    });
  });

  it('takes no PSS whose mask is of another hash', () => {
    expect(readSignatureAlgorithm(pss('sha256', 'sha512', 32))).toBeUndefined();
  });

  it.each(['P-256', 'P-384', 'P-521'])('takes ECDSA over %s with each hash', (namedCurve) => {
    const key = generateKeyPairSync('ec', { namedCurve });
    for (const [index, hash] of hashes.entries()) {
      const identifier = sequence(oid(`1.2.840.10045.4.3.${2 + index}`));
      expect(verifies(identifier, key, sign(hash, bytes, key.privateKey))).toBe(true);
      expect(verifies(identifier, rsa, sign(hash, bytes, rsa.privateKey))).toBe(false);
    }
  });

  it('takes Ed25519', () => {
    const key = generateKeyPairSync('ed25519');
    expect(verifies(sequence(oid('1.3.101.112')), key, sign(null, bytes, key.privateKey))).toBe(true);
  });

  it.each([
    ['1.2.840.113549.1.1.5', 'RSA with SHA-1'],
    ['1.2.840.113549.1.1.4', 'RSA with MD5'],
    ['1.2.840.10045.4.1', 'ECDSA with SHA-1'],
    ['1.2.840.10040.4.3', 'DSA'],
  ])('takes no %s: %s', (text) => {
    expect(readSignatureAlgorithm(sequence(oid(text), nothing))).toBeUndefined();
  });

  it('takes no algorithm that names a key and no hash', () => {
    const identifier = sequence(oid('1.2.840.113549.1.1.1'), nothing);
    expect(verifies(identifier, rsa, sign('sha256', bytes, rsa.privateKey))).toBe(false);
  });

  it('takes no small RSA key', () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const identifier = sequence(oid('1.2.840.113549.1.1.11'), nothing);
    expect(verifies(identifier, small, sign('sha256', bytes, small.privateKey))).toBe(false);
  });
});
