import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { digestAlgorithm, digestHex } from './digest.ts';
import type { Digest } from './digest.ts';

/** Bytes that are read before others get their turn: a millisecond or two. */
const turnBytes = 1024 * 1024;

/** Whether the bytes hash to the digest; recomputed, never believed. Other work goes on meanwhile. */
export async function matchesDigestInTurns(bytes: Uint8Array, digest: Digest): Promise<boolean> {
  const hash = createHash(digestAlgorithm(digest));
  for (let at = 0; at < bytes.byteLength; at += turnBytes) {
    if (at > 0) await setImmediate();
    hash.update(bytes.subarray(at, at + turnBytes));
  }
  return hash.digest('hex') === digestHex(digest);
}

/** The chunks one after another, in memory of their own. Other work goes on meanwhile. */
export async function joinInTurns(chunks: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const joined = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let filled = 0;
  let inTurn = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; at += turnBytes) {
      const part = chunk.subarray(at, at + turnBytes);
      if (inTurn > 0 && inTurn + part.byteLength > turnBytes) {
        await setImmediate();
        inTurn = 0;
      }
      joined.set(part, filled);
      filled += part.byteLength;
      inTurn += part.byteLength;
    }
  }
  return joined;
}
