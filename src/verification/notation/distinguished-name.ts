import { RefwardenError } from '../../failures/failure.ts';

/** One attribute of a name. `type` is the short name where there is one, else the OID. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

/** Each relative name with its attributes: more than one only where it is multi-valued. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

/** Longest name read, in characters. */
const maxNameLength = 4096;

/** Short names of attribute types (RFC 4514, section 3; RFC 4519), as Notary Project policies write them. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.17': 'POSTALCODE',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
};
const known = new Set(Object.values(shortNames));
/** Other spellings of the short names. */
const aliases: Readonly<Record<string, string>> = { S: 'ST', EMAILADDRESS: 'E', EMAIL: 'E' };

const oidPattern = /^[0-2](?:\.(?:0|[1-9][0-9]{0,19})){1,32}$/;

/** The short name of a type that is given by name, in any case, or by OID; undefined for one that is not known. */
export function attributeType(text: string): string | undefined {
  if (oidPattern.test(text)) return shortNames[text] ?? text;
  const upper = text.toUpperCase();
  const name = Object.hasOwn(aliases, upper) ? aliases[upper] : upper;
  return name !== undefined && known.has(name) ? name : undefined;
}

/**
 * Parses the string form of a name (RFC 4514), spaces around separators allowed.
 * @throws RefwardenError `IssuerInvalid`: what is wrong with it.
 */
export function parseDistinguishedName(text: string): DistinguishedName {
  if (text.length > maxNameLength) refuse(`is longer than ${maxNameLength} characters`);
  const reader = new NameReader(text);
  const name: NameAttribute[][] = [];
  for (let separator: string | undefined = ','; separator !== undefined; separator = reader.separator()) {
    const attribute = { type: reader.type(), value: reader.value() };
    if (separator === ',') name.push([attribute]);
    else name.at(-1)?.push(attribute);
  }
  return name;
}

/** `C=US, ST=WA, O=Acme, CN=Release`, escaped so that it can be written into a policy as it is. */
export function formatDistinguishedName(name: DistinguishedName): string {
  return name
    .map((attributes) => attributes.map(({ type, value }) => `${type}=${escape(value)}`).join('+'))
    .join(', ');
}

const escape = (value: string): string =>
  value.replace(/["+,;<>\\]/g, '\\$&').replace(/^[ #]|(?<!^) $/g, '\\$&');

class NameReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  type(): string {
    const end = this.#text.indexOf('=', this.#position);
    if (end < 0) refuse('has a part without "="');
    const text = this.#text.slice(this.#position, end).trim();
    this.#position = end + 1;
    return attributeType(text) ?? refuse(`names the unknown attribute ${JSON.stringify(text.slice(0, 40))}`);
  }

  value(): string {
    this.#skipSpaces();
    if (this.#text[this.#position] === '#') refuse('has a value in hexadecimal, which is not supported');
    const bytes: Buffer[] = [];
    // Up to here the value goes on when it ends in spaces that are not escaped.
    let kept = 0;
    for (; this.#position < this.#text.length; this.#position++) {
      const character = this.#character();
      if (character === ',' || character === '+') break;
      if ('";<>'.includes(character)) refuse(`has ${character} without a backslash before it`);
      bytes.push(character === '\\' ? this.#escaped() : Buffer.from(character));
      if (character.length > 1) this.#position++; // one character of two code units
      if (character !== ' ') kept = bytes.length;
    }
    const value = decodeUtf8(Buffer.concat(bytes.slice(0, kept)));
    return value === '' ? refuse('has an empty value') : value;
  }

  /** What ends the attribute that was read; undefined at the end of the name. */
  separator(): string | undefined {
    return this.#text[this.#position++];
  }

  /** After the backslash: a character, or the two digits of a byte. Leaves the position on the last of it. */
  #escaped(): Buffer {
    const hex = this.#text.slice(this.#position + 1, this.#position + 3);
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      this.#position += 2;
      return Buffer.from(hex, 'hex');
    }
    const [character = ''] = hex;
    if (!' "#+,;<=>\\'.includes(character) || character === '')
      refuse('has a backslash before nothing to escape');
    this.#position += 1;
    return Buffer.from(character);
  }

  #character(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#position) ?? 0);
  }

  #skipSpaces(): void {
    while (this.#text[this.#position] === ' ') this.#position++;
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('has escaped bytes that are no UTF-8');
  }
}

function refuse(what: string): never {
  throw new RefwardenError('IssuerInvalid', `The name ${what}.`);
}
