import { describe, expect, it } from 'vitest';
import { DerFault } from '../../../src/verification/x509/der.ts';
import { extensionOid, keyUsage, readExtensions } from '../../../src/verification/x509/extensions.ts';
import { DerReader } from '../../../src/verification/x509/der.ts';
import { bits, extension, octets, oid, sequence } from '../../support/der-values.ts';

const read = (...extensions: Uint8Array[]) => readExtensions(new DerReader(Buffer.concat(extensions)));
/** With `critical` as these bytes. */
const withFlag = (hex: string): Uint8Array =>
  sequence(oid('1.2.3'), Buffer.from(hex, 'hex'), octets(Buffer.of(5, 0)));

describe('readExtensions', () => {
  it('tells what is critical, and takes a false that is written out', () => {
    expect(read(withFlag('0101ff')).get('1.2.3')?.isCritical).toBe(true);
    expect(read(withFlag('010100')).get('1.2.3')?.isCritical).toBe(false);
    expect(read(withFlag('')).get('1.2.3')?.isCritical).toBe(false);
  });

  it('takes no other truth for one', () => {
    expect(() => read(withFlag('010101'))).toThrow(new DerFault('a malformed boolean'));
  });

  it('takes no extension twice, nor more than 64', () => {
    const why = new DerFault('an extension twice, or too many');
    expect(() => read(withFlag(''), withFlag(''))).toThrow(why);
    const many = Array.from({ length: 65 }, (_, index) => extension(`1.2.${index}`, Buffer.of(5, 0)));
    expect(read(...many.slice(1)).size).toBe(64);
    expect(() => read(...many)).toThrow(why);
  });
});

describe('keyUsage', () => {
  const usage = (...bytes: number[]): Uint8Array =>
    extension(extensionOid.keyUsage, bits(Buffer.from(bytes)));

  it('reads nine bits, and no more than two bytes', () => {
    expect(keyUsage(read(usage(0x80, 0x80)))).toEqual(new Set([0, 8]));
    expect(() => keyUsage(read(usage(0x80, 0, 0)))).toThrow(new DerFault('a malformed key usage'));
    expect(keyUsage(new Map())).toBeUndefined();
  });
});
