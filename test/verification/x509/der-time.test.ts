import { describe, expect, it } from 'vitest';
import { DerFault, derTag, DerReader } from '../../../src/verification/x509/der.ts';
import { readFractionalTime, readTime } from '../../../src/verification/x509/der-time.ts';
import { encodeDer } from '../../../src/verification/x509/encode-der.ts';
import { generalizedTime, integer } from '../../support/der-values.ts';

const read = (encoded: Uint8Array): string => new Date(readTime(new DerReader(encoded))).toISOString();
const utcTime = (text: string): Uint8Array => encodeDer(derTag.utcTime, Buffer.from(text));

describe('readTime', () => {
  it.each([
    ['491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['991231235959Z', '1999-12-31T23:59:59.000Z'],
    ['000229000000Z', '2000-02-29T00:00:00.000Z'],
  ])('reads the UTCTime %s in the century of RFC 5280', (text, time) => {
    expect(read(utcTime(text))).toBe(time);
  });

  it.each(['00010101000000Z', '99991231235959Z'])('reads the GeneralizedTime %s', (text) => {
    expect(read(generalizedTime(text)).replace(/[-:T]|\.000/g, '')).toBe(text);
  });

  it.each([
    ['a UTCTime without seconds', utcTime('2611261200Z')],
    ['a UTCTime of a zone', utcTime('261126120000+0100')],
    ['a GeneralizedTime with a fraction', generalizedTime('20261126120000.5Z')],
    ['a GeneralizedTime with a digit before it', generalizedTime('020261126120000Z')],
    ['a GeneralizedTime with more behind it', generalizedTime('20261126120000Z0')],
  ])('refuses %s', (_, encoded) => {
    expect(() => read(encoded)).toThrow(new DerFault('a malformed time'));
  });

  it('refuses a day that does not exist, and what is no time', () => {
    expect(() => read(utcTime('260229000000Z'))).toThrow(new DerFault('a time that does not exist'));
    expect(() => read(integer(5))).toThrow(new DerFault('something else than a time'));
  });
});

describe('readFractionalTime', () => {
  const fractional = (text: string) => readFractionalTime(new DerReader(generalizedTime(text)));

  it.each(['020261126120000Z', '20261126120000Z0', '20261126120000.5Z0'])('refuses %s', (text) => {
    expect(() => fractional(text)).toThrow(new DerFault('a malformed time'));
  });

  it('T11 reads 64 characters, and no more', () => {
    const timeMs = Date.parse('2026-11-26T12:00:00Z');
    expect(fractional(`20261126120000.${'0'.repeat(48)}Z`)).toEqual({ timeMs, isRounded: false });
    expect(() => fractional(`20261126120000.${'0'.repeat(49)}Z`)).toThrow(new DerFault('a malformed time'));
  });
});
