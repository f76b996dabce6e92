import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { describe, expect, it } from 'vitest';
import {
  checkBounds,
  isSignedBy,
  signatureContent,
} from '../../../src/verification/sigstore/signed-entity.ts';
import type { SignedEntity } from '../../../src/verification/sigstore/signed-entity.ts';

const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signedBytes = Buffer.from('signed');
const signature = sign('sha256', signedBytes, keyPair.privateKey);
const entity: SignedEntity = {
  signature,
  signedBytes,
  payload: Buffer.from('payload'),
  timestampedBytes: signature,
  logEntries: [],
  timestamps: [],
};
const entryOf = (length: number) => ({ canonicalizedBody: Buffer.alloc(length) }) as TransparencyLogEntry;
const repeat = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const sha = (hash: string, bytes: Uint8Array): Buffer => createHash(hash).update(bytes).digest();

describe('T11 the bounds of a signature', () => {
  const timestamp = Buffer.alloc(16 * 1024);
  it.each<[string, Partial<SignedEntity>, Partial<SignedEntity>, string]>([
    [
      'a signature',
      { signature: Buffer.alloc(16 * 1024) },
      { signature: Buffer.alloc(16 * 1024 + 1) },
      'The signature is empty or larger than 16384 bytes.',
    ],
    [
      'no signature',
      { signature: Buffer.alloc(1) },
      { signature: Buffer.alloc(0) },
      'The signature is empty or larger than 16384 bytes.',
    ],
    [
      'log entries',
      { logEntries: repeat(8, entryOf(1)) },
      { logEntries: repeat(9, entryOf(1)) },
      'The signature brings more than 8 log entries or timestamps.',
    ],
    [
      'timestamps',
      { timestamps: repeat(8, Buffer.alloc(1)) },
      { timestamps: repeat(9, Buffer.alloc(1)) },
      'The signature brings more than 8 log entries or timestamps.',
    ],
    [
      'a timestamp',
      { timestamps: [timestamp] },
      { timestamps: [Buffer.alloc(1), Buffer.alloc(16 * 1024 + 1)] },
      'A timestamp is larger than 16384 bytes.',
    ],
    [
      'a log entry',
      { logEntries: [entryOf(512 * 1024)] },
      { logEntries: [entryOf(1), entryOf(512 * 1024 + 1)] },
      'A log entry or timestamp is larger than 524288 bytes.',
    ],
  ])('hold %s', (_what, within, beyond, message) => {
    expect(() => {
      checkBounds({ ...entity, ...within });
    }).not.toThrow();
    expect(() => {
      checkBounds({ ...entity, ...beyond });
    }).toThrow(message);
  });
});

describe('a signature of which only the SHA-256 of what is signed is known', () => {
  const none = Buffer.alloc(0);
  const prehashed = sha('sha256', signedBytes);
  const ofDigest = { ...entity, signedBytes: none, payload: none, prehashed };

  it('is verified by that', () => {
    expect(isSignedBy(ofDigest, keyPair.publicKey)).toBe(true);
    expect(isSignedBy({ ...ofDigest, prehashed: sha('sha256', none) }, keyPair.publicKey)).toBe(false);
    expect(isSignedBy(entity, keyPair.publicKey)).toBe(true);
  });

  it('T17 is logged with that hash alone', () => {
    const content = signatureContent(ofDigest);
    expect(content.compareSignedDigest(prehashed)).toBe(true);
    expect(content.compareSignedDigest(sha('sha256', none))).toBe(false);
    expect(content.compareDigest(sha('sha256', none))).toBe(false);
  });
});

describe('T17 what a log entry says of a signature', () => {
  const content = signatureContent(entity);
  it.each(['sha256', 'sha384', 'sha512'])('is compared by %s', (hash) => {
    expect(content.compareDigest(sha(hash, entity.payload))).toBe(true);
    expect(content.compareDigest(sha(hash, signedBytes))).toBe(false);
    expect(content.compareSignedDigest(sha(hash, signedBytes))).toBe(true);
    expect(content.compareSignedDigest(sha(hash, entity.payload))).toBe(false);
  });

  it('is compared by no shorter hash, and by none', () => {
    for (const digest of [sha('sha1', signedBytes), sha('md5', signedBytes), Buffer.alloc(0)]) {
      expect(content.compareSignedDigest(digest)).toBe(false);
    }
  });

  it('is of this very signature', () => {
    expect(content.compareSignature(signature)).toBe(true);
    expect(content.compareSignature(Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
  });
});
