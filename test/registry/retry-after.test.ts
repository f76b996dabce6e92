import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/registry/retry-after.ts';

const nowMs = Date.UTC(2026, 10, 25, 12);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['007', 7000],
    ['999999999', 999_999_999_000],
    ['Wed, 25 Nov 2026 12:00:30 GMT', 30_000],
    // In the past: at once.
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ])('reads %s', (header, delayMs) => {
    expect(parseRetryAfter(header, nowMs)).toBe(delayMs);
  });

  it.each([
    [undefined],
    [''],
    [['1', '2']],
    ['-1'],
    ['+1'],
    ['1.5'],
    ['1e9'],
    ['0x10'],
    [' 1'],
    ['1\n'],
    ['１'],
    ['1000000000'],
    ['Infinity'],
    ['2026-11-25T12:00:30Z'],
    ['Wed, 25 Nov 2026 12:00:30 CET'],
    ['Wed, 99 Nov 2026 12:00:30 GMT'],
    ['Wed, 25 Nov 2026 99:99:99 GMT'],
    ['Wed, 25 Xyz 2026 12:00:30 GMT'],
    ['Wed, 25 Nov 2026 :::::::: GMT'],
    ['Mon, 30 Feb 2026 12:00:00 GMT'],
    ['Fri, 25 Nov 2026 12:00:30 GMT'],
    ['Invalid Date'],
  ])('T11 asks for nothing by %j', (header) => {
    expect(parseRetryAfter(header, nowMs)).toBeUndefined();
  });

  it('reads every number of seconds, and every date as a date parser prints it', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), (seconds) => {
        expect(parseRetryAfter(String(seconds), nowMs)).toBe(seconds * 1000);
        const date = new Date(seconds * 2000);
        expect(parseRetryAfter(date.toUTCString(), nowMs)).toBe(Math.max(0, date.getTime() - nowMs));
      }),
      { seed: 11, numRuns: 1000 },
    );
  });

  it('T11 gives a whole number of milliseconds that is not negative, or nothing, for any text', () => {
    const parts = fc.constantFrom(
      'Wed',
      ', ',
      '25',
      ' ',
      'Nov',
      '2026',
      '12:00:30',
      'GMT',
      '-',
      '9',
      ':',
      '.',
    );
    const date = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.stringMatching(/^[0-9:]{8}$/));
    const texts = fc.oneof(
      fc.string(),
      fc.array(parts, { maxLength: 12 }).map((chosen) => chosen.join('')),
      date.map(([day, time]) => `Wed, ${String(day).padStart(2, '0')} Feb 2027 ${time} GMT`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const delayMs = parseRetryAfter(text, nowMs);
        if (delayMs === undefined) return;
        expect(Number.isSafeInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
      }),
      { seed: 11, numRuns: 3000 },
    );
  });
});
