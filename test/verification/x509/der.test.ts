import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DerFault, DerReader, derTag, openDer } from '../../../src/verification/x509/der.ts';
import { encodeDer } from '../../../src/verification/x509/encode-der.ts';
import { oid } from '../../support/der-values.ts';

const reader = (hex: string): DerReader => new DerReader(Buffer.from(hex, 'hex'));

describe('DerReader', () => {
  it('reads what was encoded, of any size', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70_000 }).filter(({ length }) => length < 0x1_0000),
        (content) => {
          const encoded = encodeDer(derTag.octetString, content);
          const read = new DerReader(encoded);
          const element = read.read(derTag.octetString);
          read.finish();
          expect(Buffer.from(element.content).equals(content)).toBe(true);
          expect(element.whole.length).toBe(encoded.length);
        },
      ),
    );
  });

  it.each([0, 127, 128, 255, 256, 65_535])('reads what was encoded, of %i bytes', (length) => {
    const content = Buffer.alloc(length, 7);
    expect(Buffer.from(new DerReader(encodeDer(derTag.octetString, content)).read().content)).toEqual(
      content,
    );
  });

  it.each([
    ['', 'an element that is cut short'],
    ['04', 'an element that is cut short'],
    ['0402ff', 'an element that is cut short'],
    ['0482ff', 'an element that is cut short'],
    ['0480ff0000', 'an indefinite or excessive length'],
    ['04850000000001ff', 'an indefinite or excessive length'],
    ['048101ff', 'a length that is not the shortest'],
    ['04820080', 'a length that is not the shortest'],
    ['0484ffffffff', 'an element that is cut short'],
    ['1f8101', 'a tag of more than one byte'],
  ])('refuses %s', (hex, why) => {
    expect(() => reader(hex).read()).toThrow(new DerFault(why));
  });

  it('refuses another tag, and more than belongs there', () => {
    expect(() => reader('0500').read(derTag.integer)).toThrow(new DerFault('tag 5 instead of 2'));
    expect(() => openDer(Buffer.from('30000500', 'hex'))).toThrow(new DerFault('more than belongs there'));
  });

  it.each([
    ['020100', 0],
    ['02017f', 127],
    ['02020080', 128],
    ['02047fffffff', 0x7fff_ffff],
  ])('reads the number %s', (hex, value) => {
    expect(reader(hex).count()).toBe(value);
  });

  it.each(['0200', '0201ff', '02020001', '02050080000000', '020480000000'])(
    'refuses the number %s',
    (hex) => {
      expect(() => reader(hex).count()).toThrow(new DerFault('a number out of range'));
    },
  );

  it.each(['010101', '01020000', '0100'])('refuses the boolean %s', (hex) => {
    expect(() => reader(hex).boolean()).toThrow(new DerFault('a malformed boolean'));
  });

  it.each(['0300', '030101'])('refuses the bits %s for a key or signature', (hex) => {
    expect(() => reader(hex).bitString()).toThrow(new DerFault('bits that are no whole bytes'));
  });

  it.each([
    '1.2.840.113549.1.1.11',
    '2.5.29.15',
    '2.16.840.1.101.3.4.2.1',
    '1.3.6.1.5.5.7.48.1',
    '0.4.0.2023.1.1',
    '1.2.16384',
    '2.40',
    `1.2${'.1'.repeat(63)}`,
  ])('reads the object identifier %s', (text) => {
    expect(new DerReader(oid(text)).oid()).toBe(text);
  });

  it.each(['0600', '06028001', '060181', `0641${'01'.repeat(65)}`])(
    'refuses the object identifier %s',
    (hex) => {
      expect(() => reader(hex).oid()).toThrow(new DerFault('a malformed object identifier'));
    },
  );
});
