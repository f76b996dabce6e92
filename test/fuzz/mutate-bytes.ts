import type { Random } from './random.ts';

const oddBytes = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xef, 0xbb, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0x80],
  [0xe2, 0x80],
  ...[
    '\0',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\u2028',
    '\\u',
    '__proto__',
    '"a":1,"a":2,',
    '1e999',
  ].map((text) => [...new TextEncoder().encode(text)]),
].map((bytes) => Uint8Array.from(bytes));

/** One change to the bytes, whatever they mean. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(40));
  switch (random.below(7)) {
    case 0: // a bit flipped
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte));
    case 1: // cut short
      return bytes.subarray(0, at);
    case 2: // a part taken out
      return join(bytes.subarray(0, at), bytes.subarray(end));
    case 3: // a part twice
      return join(bytes.subarray(0, end), bytes.subarray(at));
    case 4: // the beginning of one, the end of another
      return join(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
    case 5:
      return join(bytes.subarray(0, at), random.pick(oddBytes), bytes.subarray(at));
    default: {
      const noise = Uint8Array.from({ length: end - at }, () => random.below(256));
      return join(bytes.subarray(0, at), noise, bytes.subarray(end));
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
