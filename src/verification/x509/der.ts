/** Identifier octets of what is read here (X.690, 8.1.2). */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of a context-specific tag. */
export const contextTag = (number: number, form: 'primitive' | 'constructed'): number =>
  (form === 'constructed' ? 0xa0 : 0x80) | number;

/** Longest object identifier, bytes of its content. */
const maxOidBytes = 64;

/** What is no DER, or not the DER that was asked for. Callers name it in terms of the document. */
export class DerFault extends Error {
  override readonly name = 'DerFault';
}

/** One element. Nothing is copied: both are views of the document. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With identifier and length. */
  readonly whole: Uint8Array;
}

/**
 * Reads the elements of a DER encoding in turn (X.690): definite and shortest lengths, and tags below 31. What is within
 * an element is looked at only when it is opened, so that a list of 100,000 entries makes no 100,000 objects.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The tag of the next element. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element. @throws DerFault also when its tag is another. */
  read(tag?: number): DerElement {
    const start = this.#offset;
    const actual = this.#byte();
    if ((actual & 0x1f) === 0x1f) throw new DerFault('a tag of more than one byte');
    if (tag !== undefined && actual !== tag) throw new DerFault(`tag ${actual} instead of ${tag}`);
    const length = this.#length();
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerFault('an element that is cut short');
    const content = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return { tag: actual, content, whole: this.#bytes.subarray(start, end) };
  }

  /** The next element when it has the tag. */
  optional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.read(tag) : undefined;
  }

  /** A reader of what the next element holds. */
  open(tag: number = derTag.sequence): DerReader {
    return new DerReader(this.read(tag).content);
  }

  openOptional(tag: number): DerReader | undefined {
    const element = this.optional(tag);
    return element && new DerReader(element.content);
  }

  *rest(tag?: number): Generator<DerElement> {
    while (!this.isAtEnd) yield this.read(tag);
  }

  finish(): void {
    if (!this.isAtEnd) throw new DerFault('more than belongs there');
  }

  oid(): string {
    return decodeOid(this.read(derTag.oid).content);
  }

  /** A whole number from 0 to 2^31 - 1. */
  count(tag: number = derTag.integer): number {
    const { content } = this.read(tag);
    const value =
      content.length > 0 && content.length <= 4 ? Buffer.from(content).readIntBE(0, content.length) : -1;
    if (value < 0 || (content.length > 1 && content[0] === 0 && (content[1] ?? 0) < 0x80)) {
      throw new DerFault('a number out of range');
    }
    return value;
  }

  boolean(): boolean {
    return decodeBoolean(this.read(derTag.boolean).content);
  }

  /** Bits in whole bytes: a key or a signature. */
  bitString(): Uint8Array {
    const { content } = this.read(derTag.bitString);
    if (content[0] !== 0) throw new DerFault('bits that are no whole bytes');
    return content.subarray(1);
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new DerFault('an element that is cut short');
    this.#offset++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerFault('an indefinite or excessive length');
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 2 ** (8 * (count - 1)))
      throw new DerFault('a length that is not the shortest');
    return length;
  }
}

/** A reader of the one element that the bytes are. */
export function openDer(bytes: Uint8Array, tag: number = derTag.sequence): DerReader {
  const outer = new DerReader(bytes);
  const inner = outer.open(tag);
  outer.finish();
  return inner;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** @param content of the element, whatever its tag. @throws DerFault for any true but 0xff. */
export function decodeBoolean(content: Uint8Array): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    throw new DerFault('a malformed boolean');
  }
  return content[0] === 0xff;
}

function decodeOid(content: Uint8Array): string {
  if (content.length === 0 || content.length > maxOidBytes)
    throw new DerFault('a malformed object identifier');
  const arcs: bigint[] = [];
  let arc = 0n;
  let isStart = true;
  for (const byte of content) {
    if (isStart && byte === 0x80) throw new DerFault('a malformed object identifier');
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    isStart = byte < 0x80;
    if (!isStart) continue;
    if (arcs.length === 0) {
      const root = arc < 80n ? arc / 40n : 2n;
      arcs.push(root, arc - root * 40n);
    } else arcs.push(arc);
    arc = 0n;
  }
  if (!isStart) throw new DerFault('a malformed object identifier');
  return arcs.join('.');
}
