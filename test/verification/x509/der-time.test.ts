import { describe, expect, it } from 'vitest';
import { DerFault, derTag, DerReader } from '../../../src/verification/x509/der.ts';
import { readTime } from '../../../src/verification/x509/der-time.ts';
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
  ])('refuses %s', (_, encoded) => {
    expect(() => read(encoded)).toThrow(new DerFault('a malformed time'));
  });

  it('refuses a day that does not exist, and what is no time', () => {
    expect(() => read(utcTime('260229000000Z'))).toThrow(new DerFault('a time that does not exist'));
    expect(() => read(integer(5))).toThrow(new DerFault('something else than a time'));
  });
});
