import { describe, expect, it } from 'vitest';
import { findRevoked } from '../../../src/verification/revocation/find-revoked.ts';
import { DerFault } from '../../../src/verification/x509/der.ts';
import { sequence, integer, truth } from '../../support/der-values.ts';

const serial = Buffer.of(0x11, 0x22);
const bytes = (...values: (number | Uint8Array)[]): Buffer =>
  Buffer.concat(values.map((value) => (typeof value === 'number' ? Buffer.of(value) : value)));
const filled = (length: number, value = 0x55): Buffer => Buffer.alloc(length, value);
const wanted = bytes(0x02, 2, serial);
const find = (entries: Uint8Array, checked: Uint8Array[] = []): Promise<Uint8Array | undefined> =>
  findRevoked(entries, serial, (content) => void checked.push(content));
const fault = (entries: Uint8Array): Promise<string> =>
  find(entries).then(
    () => 'no fault',
    (error: unknown) => (error instanceof DerFault ? error.message : String(error)),
  );

describe('findRevoked', () => {
  it('reads entries with lengths of one, two and three bytes', async () => {
    for (const length of [3, 0x7b, 0x7c, 0xfb, 0xfc, 0xfff0]) {
      const content = bytes(wanted, filled(length));
      const size = content.length;
      const header = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
      const entry = bytes(0x30, ...header, content);
      expect(await find(bytes(sequence(integer(5)), entry, sequence(integer(6)))), `${length}`).toEqual(
        content,
      );
    }
  });

  it('reads serial numbers with a long length', async () => {
    const long = filled(0x80, 0x33);
    const entry = sequence(bytes(0x02, 0x81, 0x80, long));
    expect(await findRevoked(bytes(entry), long, () => undefined)).toBeDefined();
    const longer = filled(0x102, 0x33);
    const other = sequence(bytes(0x02, 0x82, 0x01, 0x02, longer));
    expect(await findRevoked(bytes(entry, other), longer, () => undefined)).toBeDefined();
  });

  it.each([
    ['a length with more bytes than it takes', bytes(0x30, 0x81, 0x05, wanted, 0)],
    ['a length of two bytes that takes one', bytes(0x30, 0x82, 0x00, 0x84, wanted, filled(0x80))],
    ['a length of three bytes', bytes(0x30, 0x83, 0x01, 0x00, 0x00, wanted)],
    ['a length that is not stated', bytes(0x30, 0x80, wanted, 0, 0)],
    ['no length', bytes(0x30)],
    ['a serial number without a length', bytes(0x30, 1, 0x02)],
  ])('takes no entry with %s', async (_what, entry) => {
    expect(await fault(entry)).toMatch(/^a malformed length$/);
  });

  it('takes no entry that is cut short, and one that ends with its serial number', async () => {
    const cut = 'an entry that is cut short';
    expect(await fault(bytes(0x30, 5, wanted))).toBe(cut);
    expect(await fault(bytes(0x30, 0x82, 0xff, 0xff, wanted, filled(10)))).toBe(cut);
    expect(await fault(bytes(0x30, 3, wanted))).toBe(cut); // the serial number goes beyond its entry
    expect(await find(bytes(0x30, 4, wanted))).toEqual(wanted);
  });

  it('takes nothing else than entries', async () => {
    expect(await fault(bytes(0x31, 4, wanted))).toBe('tag 49 instead of 48');
    expect(await fault(bytes(0x30, 3, 0x04, 1, 0))).toBe('tag 4 instead of 2');
    expect(await fault(bytes(0x30, 0))).toBe('tag none instead of 2');
  });

  it('has those with a critical extension looked at, and no others', async () => {
    const checked: Uint8Array[] = [];
    const critical = sequence(integer(9), truth);
    const entries = [
      critical,
      sequence(integer(9), Buffer.of(1, 1, 0)), // false
      sequence(integer(9), Buffer.of(2, 1, 0xff)), // no BOOLEAN
      sequence(integer(9), Buffer.of(1, 2, 0xff, 0)),
      sequence(Buffer.of(2, 3, 1, 1, 0xff)), // a serial number
    ];
    await find(bytes(...entries), checked);
    expect(checked).toEqual([critical.subarray(2)]);
    await find(sequence(integer(9), truth), checked);
    expect(checked).toHaveLength(2);
  });

  it('T11 looks at a thousand of them, and refuses more', async () => {
    const entry = sequence(integer(9), truth);
    const of = (count: number): Buffer => bytes(...Array.from({ length: count }, () => entry));
    expect(await find(of(1000))).toBeUndefined();
    expect(await fault(of(1001))).toBe('more than 1000 entries with critical extensions');
  });

  it('takes no certificate that is listed twice', async () => {
    expect(await fault(bytes(sequence(wanted), sequence(integer(5)), sequence(wanted)))).toBe(
      'a certificate listed twice',
    );
  });
});
