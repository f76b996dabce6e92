import { setImmediate } from 'node:timers';
import { describe, expect, it } from 'vitest';
import { joinInTurns, matchesDigestInTurns } from '../../src/image/bytes-in-turns.ts';
import { computeDigest } from '../../src/image/digest.ts';

const MiB = 1024 * 1024;
const sizes = [0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB + 7];
const bytesOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);

describe('matchesDigestInTurns', () => {
  it.each(sizes)('hashes %d bytes as one', async (size) => {
    const bytes = bytesOf(size);
    expect(await matchesDigestInTurns(bytes, computeDigest(bytes))).toBe(true);
    expect(await matchesDigestInTurns(bytes, computeDigest(bytes, 'sha512'))).toBe(true);
    expect(await matchesDigestInTurns(bytesOf(size + 1), computeDigest(bytes))).toBe(false);
  });

  it('T12 sees a byte changed in any turn', async () => {
    const bytes = bytesOf(3 * MiB);
    const digest = computeDigest(bytes);
    for (const at of [0, MiB, 3 * MiB - 1]) {
      const altered = bytes.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(await matchesDigestInTurns(altered, digest)).toBe(false);
    }
  });

  it('T30 lets others have their turn', async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const bytes = bytesOf(4 * MiB);
    await matchesDigestInTurns(bytes, computeDigest(bytes));
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

describe('joinInTurns', () => {
  it.each(sizes)('joins chunks around %d bytes in their order, in memory of its own', async (size) => {
    const chunks = [bytesOf(size), bytesOf(5), new Uint8Array(), bytesOf(size)];
    const joined = await joinInTurns(chunks);
    expect(Buffer.from(joined).equals(Buffer.concat(chunks))).toBe(true);
    expect(joined.buffer.byteLength).toBe(2 * size + 5);
  });
});
