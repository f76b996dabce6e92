import { decode, Token, Tokenizer, Type } from 'cborg';
import type { DecodeOptions } from 'cborg';
import { malformed } from './signed-envelope.ts';

/** Most data items of a document, which bounds its depth as well; a signature with a chain of ten has some 60. */
const maxCborItems = 2000;

/** An epoch-based time (RFC 8949, 3.4.2: tag 1), in seconds. */
export class CborTime {
  readonly seconds: number;
  constructor(seconds: number) {
    this.seconds = seconds;
  }
}

/** COSE_Sign1_Tagged (RFC 9052, 4.2: tag 18); what it holds is not looked at. */
export class CoseSign1 {
  readonly content: unknown;
  constructor(content: unknown) {
    this.content = content;
  }
}

/** A floating-point number as an object, so that no 2.0 is taken for the label 2. */
class CborFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Counts items before they become values: a few bytes may claim millions of entries. */
class BoundedTokenizer extends Tokenizer {
  #items = 0;

  override next(): Token {
    if (++this.#items > maxCborItems) throw new RangeError(`more than ${maxCborItems} items`);
    const token = super.next();
    return Type.equals(token.type, Type.float)
      ? new Token(Type.float, new CborFloat(Number(token.value)), token.encodedLength)
      : token;
  }
}

const options: DecodeOptions = {
  strict: true, // shortest lengths only
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
  allowInfinity: false,
  allowNaN: false,
  tags: {
    1: (content) => {
      const value: unknown = content();
      const seconds = value instanceof CborFloat ? value.value : value;
      if (typeof seconds !== 'number') throw new TypeError('a time that is no number');
      return new CborTime(seconds);
    },
    18: (content) => new CoseSign1(content()),
  },
};

/**
 * One CBOR data item that an attacker may have written: definite lengths in their shortest form, no duplicate keys,
 * bounded, no tags but those of a COSE signature. Maps are Maps.
 * @throws RefwardenError `PayloadInvalid`.
 */
export function decodeStrictCbor(bytes: Uint8Array): unknown {
  // Its own copy: the decoder hands out views of what it is given.
  const data = Uint8Array.from(bytes);
  try {
    return decode(data, { ...options, tokenizer: new BoundedTokenizer(data, options) });
  } catch (cause) {
    return malformed('is no strict CBOR', cause);
  }
}
