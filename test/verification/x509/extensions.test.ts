import { describe, expect, it } from 'vitest';
import { DerFault } from '../../../src/verification/x509/der.ts';
import {
  basicConstraints,
  extensionOid,
  keyUsage,
  purposes,
  readExtensions,
} from '../../../src/verification/x509/extensions.ts';
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

describe('what follows the value of an extension', () => {
  const nothing = Buffer.of(5, 0);
  const more = new DerFault('more than belongs there');
  const values = {
    basicConstraints: sequence(Buffer.of(1, 1, 0xff), Buffer.of(2, 1, 3)),
    keyUsage: bits(Buffer.of(0x80)),
    extendedKeyUsage: sequence(oid('1.2.3'), oid('1.2.4')),
  };
  const readers = { basicConstraints, keyUsage, extendedKeyUsage: purposes };

  it.each(['basicConstraints', 'keyUsage', 'extendedKeyUsage'] as const)('is refused in %s', (name) => {
    const readValue = (value: Uint8Array): unknown =>
      readers[name](read(extension(extensionOid[name], value)));
    expect(readValue(values[name])).toBeDefined();
    expect(() => readValue(Buffer.concat([values[name], nothing]))).toThrow(DerFault);
  });

  it('is refused within basic constraints and within an extension', () => {
    const constraints = sequence(Buffer.of(1, 1, 0xff), Buffer.of(2, 1, 3), nothing);
    expect(() => basicConstraints(read(extension(extensionOid.basicConstraints, constraints)))).toThrow(more);
    expect(() => read(sequence(oid('1.2.3'), octets(nothing), nothing))).toThrow(more);
  });

  it('leaves out of basic constraints what is not said', () => {
    const constraints = (...parts: Uint8Array[]): unknown =>
      basicConstraints(read(extension(extensionOid.basicConstraints, sequence(...parts))));
    expect(constraints()).toStrictEqual({ isCa: false, isCritical: false });
    expect(constraints(Buffer.of(1, 1, 0xff))).toStrictEqual({ isCa: true, isCritical: false });
  });

  it('reads 32 purposes, and no more', () => {
    const of = (count: number): readonly string[] | undefined =>
      purposes(
        read(
          extension(
            extensionOid.extendedKeyUsage,
            sequence(...Array.from({ length: count }, (_, i) => oid(`1.2.${i}`))),
          ),
        ),
      );
    expect(of(32)).toHaveLength(32);
    expect(() => of(33)).toThrow(more);
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
