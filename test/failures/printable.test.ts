import { describe, expect, it } from 'vitest';
import { printable, printableLines } from '../../src/failures/printable.ts';

describe('T31 printable', () => {
  it.each([
    ['control characters', '\u0000\u0007\u0008\t\u000b\r\u001b\u007f\u0085\u009b'],
    ['separators', '\u2028\u2029'],
    ['direction marks', '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'],
    ['zero-width characters', '\u00ad\u200b\u200c\u200d\u2060\ufeff\u{e0041}'],
    ['fillers and selectors', '\u034f\u115f\u3164\ufe0f'],
    ['what is no character', '\ud800\udfff\uffff\ue000'],
  ])('replaces %s', (_what, characters) => {
    for (const character of characters) {
      expect(printable(`a${character}b`)).toBe('a\ufffdb');
      expect(printableLines(`a${character}b\nc`)).toBe('a\ufffdb\nc');
    }
  });

  it('keeps what people read, in any script', () => {
    const text = 'Dev <dev@acme.example>, Zoë, 開発者, разработчик, مطور \u{1f600} \ufffd';
    expect(printable(text)).toBe(text);
  });

  it('leaves lines to the one that keeps them', () => {
    expect(printable('a\nb')).toBe('a\ufffdb');
    expect(printableLines('a\n\nb\r\n')).toBe('a\n\nb\ufffd\n');
  });
});
