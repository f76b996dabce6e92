import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/registry/go-duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['12h', 43_200_000],
    ['5m0s', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1m250ms', 60_250],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', '-5m', '5 m', 'm', '5d', '1h5', 'h1', '1h'.repeat(40)])('takes no %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
