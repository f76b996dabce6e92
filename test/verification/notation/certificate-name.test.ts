import { describe, expect, it } from 'vitest';
import { readName } from '../../../src/verification/notation/certificate-name.ts';
import { encodeDer } from '../../../src/verification/x509/encode-der.ts';
import { nothing, oid, sequence, set } from '../../support/der-values.ts';

const commonName = oid('2.5.4.3');
const valueOf = (tag: number, ...bytes: number[]): string | undefined =>
  readName(sequence(set(sequence(commonName, encodeDer(tag, Buffer.from(bytes))))))[0]?.[0]?.value;

describe('readName', () => {
  it('reads every type of text', () => {
    expect(valueOf(0x0c, 0xc3, 0xa9)).toBe('é'); // UTF8String
    for (const ascii of [0x12, 0x13, 0x16, 0x1a]) expect(valueOf(ascii, 0x41, 0x7f)).toBe('A\u007f');
    expect(valueOf(0x14, 0xe9)).toBe('é'); // TeletexString
    expect(valueOf(0x1e, 0x00, 0x41, 0x20, 0xac)).toBe('A€'); // BMPString
    expect(valueOf(0x0c, 0xef, 0xbb, 0xbf, 0x41)).toBe('\ufeffA'); // a mark is part of the text
  });

  it('gives in hexadecimal what is no text of its type', () => {
    expect(valueOf(0x0c, 0xc3)).toBe('#0c01c3');
    for (const [tag, hex] of [
      [0x12, '12'],
      [0x13, '13'],
      [0x16, '16'],
      [0x1a, '1a'],
    ] as const) {
      expect(valueOf(tag, 0x41, 0x80)).toBe(`#${hex}024180`);
    }
    expect(valueOf(0x1e, 0x41)).toBe('#1e0141');
    expect(valueOf(0x04, 0x41)).toBe('#040141'); // an OCTET STRING
  });

  it('keeps attributes that stand together apart from those that follow', () => {
    const attribute = (id: string, text: string): Uint8Array =>
      sequence(oid(id), encodeDer(0x0c, Buffer.from(text)));
    const name = sequence(
      set(attribute('2.5.4.6', 'US')),
      set(attribute('2.5.4.10', 'Acme'), attribute('1.2.3.4', 'x')),
    );
    expect(readName(name)).toEqual([
      [{ type: 'C', value: 'US' }],
      [
        { type: 'O', value: 'Acme' },
        { type: '1.2.3.4', value: 'x' },
      ],
    ]);
  });

  it('takes nothing more than a type and a value', () => {
    expect(() => readName(sequence(set(sequence(commonName, nothing, nothing))))).toThrow(
      'The subject of the signing certificate does not parse: it has more than belongs there.',
    );
  });
});
