import { describe, expect, it } from 'vitest';
import { parseGoDurationMs, reviewDeadline } from '../../src/server/review-deadline.ts';

describe('reviewDeadline', () => {
  it.each([
    ['10s', { abortMs: 9500, answerMs: 9750 }],
    ['1s', { abortMs: 500, answerMs: 750 }],
    ['600ms', { abortMs: 300, answerMs: 450 }],
    ['30s', { abortMs: 29_500, answerMs: 29_750 }],
  ])('T28 keeps back a margin of %s, and never more than half', (timeout, deadline) => {
    expect(reviewDeadline(timeout)).toEqual(deadline);
  });

  it.each([['1h'], ['31s'], ['99999999999999999999s']])(
    'T28 waits no longer than Kubernetes can, for %s',
    (timeout) => {
      expect(reviewDeadline(timeout)).toEqual({ abortMs: 29_500, answerMs: 29_750 });
    },
  );

  it.each([[undefined], [''], ['10'], ['-5s'], ['0s'], ['ten seconds'], [['1s', '2s']], ['1s'.repeat(1000)]])(
    'takes the default for %s',
    (timeout) => {
      expect(reviewDeadline(timeout)).toEqual({ abortMs: 9500, answerMs: 9750 });
    },
  );
});

describe('parseGoDurationMs', () => {
  it.each([
    ['10s', 10_000],
    ['500ms', 500],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['1h0m0s', 3_600_000],
    ['2000us', 2],
    ['2000µs', 2],
  ])('reads %s', (text, milliseconds) => {
    expect(parseGoDurationMs(text)).toBe(milliseconds);
  });
});
