import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  computeDigest,
  digestAlgorithm,
  digestHex,
  matchesDigest,
  parseDigest,
  shortDigest,
} from '../../src/image/digest.ts';

const bytes = new TextEncoder().encode('hello');
// `printf hello | sha256sum`, `printf hello | sha512sum`
const sha256 = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const sha512 =
  'sha512:9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043';

describe('digest', () => {
  it.each([
    [sha256, 'sha256', 'sha256:2cf24dba'],
    [sha512, 'sha512', 'sha512:9b71d224'],
  ] as const)('T14 parses %s and recomputes it', (text, algorithm, short) => {
    const digest = parseDigest(text);
    expect(digestAlgorithm(digest)).toBe(algorithm);
    expect(digestHex(digest)).toBe(text.slice(7));
    expect(shortDigest(digest)).toBe(short);
    expect(computeDigest(bytes, algorithm)).toBe(text);
    expect(matchesDigest(bytes, digest)).toBe(true);
    expect(matchesDigest(bytes.slice(1), digest)).toBe(false);
  });

  it.each([
    ['md5:5d41402abc4b2a76b9719d911017c592', 'is not sha256 or sha512'],
    ['sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d', 'is not sha256 or sha512'],
    ['sha384:00', 'is not sha256 or sha512'],
    ['SHA256:' + sha256.slice(7), 'is not sha256 or sha512'],
    ['constructor:00', 'is not sha256 or sha512'],
    ['', 'is not sha256 or sha512'],
    [':' + sha256.slice(7), 'is not sha256 or sha512'],
    ['sha256', 'is not sha256 or sha512'],
    ['sha256:', 'takes 64 lower-case'],
    [sha256.toUpperCase().replace('SHA', 'sha'), 'takes 64 lower-case'],
    [sha256.slice(0, -1), 'takes 64 lower-case'],
    [sha256 + '0', 'takes 64 lower-case'],
    [sha256.slice(0, -1) + '\n', 'takes 64 lower-case'],
    [sha512.replace('sha512', 'sha256'), 'takes 64 lower-case'],
    [sha256.replace('sha256', 'sha512'), 'takes 128 lower-case'],
  ])('T14 refuses %j', (text, message) => {
    expect(() => parseDigest(text)).toThrow(
      expect.objectContaining({
        code: 'DigestUnsupported',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  it('T31 shows no more of a hostile digest than a line', () => {
    let message = '';
    try {
      parseDigest(`sha3:${'a'.repeat(1_000_000)}`);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('is not sha256 or sha512');
    expect(message.length).toBeLessThan(250);
  });

  const hex = (length: number): fc.Arbitrary<string> =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
  const digests = fc.oneof(
    hex(64).map((text) => `sha256:${text}`),
    hex(128).map((text) => `sha512:${text}`),
  );

  it('T14 takes every digest of the grammar as it is, and none with a character changed to one outside it', () => {
    fc.assert(
      fc.property(digests, fc.nat(), fc.constantFrom(...Array.from('gAF:/ \n\0é０')), (text, at, other) => {
        expect(parseDigest(text)).toBe(text);
        const i = at % text.length;
        fc.pre(text[i] !== other);
        expect(() => parseDigest(text.slice(0, i) + other + text.slice(i + 1))).toThrow(
          expect.objectContaining({ code: 'DigestUnsupported' }),
        );
      }),
      { seed: 14, numRuns: 1000 },
    );
  });

  it('T14 takes nothing but what the grammar of the image specification has for its two algorithms', () => {
    const parts = fc.constantFrom(
      'sha256',
      'sha512',
      ':',
      'sha256:',
      'a'.repeat(64),
      'A',
      '0',
      '+',
      '\n',
      'sha384',
    );
    const texts = fc.oneof(
      digests,
      fc.array(parts, { maxLength: 5 }).map((chosen) => chosen.join('')),
      fc.string({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const isDigest = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
        if (isDigest) expect(parseDigest(text)).toBe(text);
        else expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'DigestUnsupported' }));
      }),
      { seed: 14, numRuns: 2000 },
    );
  });

  it('T14 matches bytes to their own digest alone', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array(),
        fc.constantFrom('sha256', 'sha512'),
        (one, other, algorithm) => {
          const digest = computeDigest(one, algorithm);
          expect(parseDigest(digest)).toBe(digest);
          expect(matchesDigest(other, digest)).toBe(Buffer.from(one).equals(other));
        },
      ),
      { seed: 14, numRuns: 500 },
    );
  });
});
