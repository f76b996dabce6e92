import { describe, expect, it } from 'vitest';
import { checkBounds } from '../../../src/verification/notation/signed-envelope.ts';
import type { SignedEnvelope } from '../../../src/verification/notation/signed-envelope.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const names = (length: number): string[] => Array.from({ length }, (_, i) => `attribute ${i}`);
const envelope: SignedEnvelope = {
  algorithm: 'PS256',
  contentType: 'x',
  payload: bytes(1),
  signedBytes: bytes(1),
  signature: bytes(1),
  attributes: { signingScheme: 'x', critical: [], present: [] },
  certificates: [bytes(1)],
};
const attributes = (change: Partial<SignedEnvelope['attributes']>): Partial<SignedEnvelope> => ({
  attributes: { ...envelope.attributes, ...change },
});

describe('T11 the bounds of a Notation envelope', () => {
  it.each<[string, Partial<SignedEnvelope>, Partial<SignedEnvelope>]>([
    ['has no payload', {}, { payload: bytes(0) }],
    ['has a payload larger than 65536 bytes', { payload: bytes(65_536) }, { payload: bytes(65_537) }],
    ['has no signature', {}, { signature: bytes(0) }],
    ['has a signature larger than 1024 bytes', { signature: bytes(1024) }, { signature: bytes(1025) }],
    ['has no certificates', {}, { certificates: [] }],
    [
      'has more than 10 certificates',
      { certificates: Array.from({ length: 10 }, () => bytes(1)) },
      { certificates: Array.from({ length: 11 }, () => bytes(1)) },
    ],
    [
      'has a certificate larger than 32768 bytes',
      { certificates: [bytes(32_768)] },
      { certificates: [bytes(1), bytes(32_769)] },
    ],
    [
      'has a timestamp larger than 16384 bytes',
      { timestampToken: bytes(16_384) },
      { timestampToken: bytes(16_385) },
    ],
    [
      'has more than 64 protected attributes',
      attributes({ present: names(64) }),
      attributes({ present: names(65) }),
    ],
    [
      'has more than 64 protected attributes',
      attributes({ critical: names(64) }),
      attributes({ critical: names(65) }),
    ],
  ])('%s', (what, within, beyond) => {
    expect(checkBounds({ ...envelope, ...within })).toMatchObject(within);
    expect(() => checkBounds({ ...envelope, ...beyond })).toThrow(`The signature envelope ${what}.`);
  });
});
