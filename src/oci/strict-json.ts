import { RefwardenError } from '../failures/failure.ts';
import type { FailureCode } from '../failures/catalogue.ts';

/** Deepest nesting of arrays and objects accepted in any document. */
export const maxJsonDepth = 128;
/**
 * Most values of a document unless its reader says otherwise: parsed, each takes some hundred bytes, so that a few
 * megabytes of `{},{},{}` would fill the memory.
 */
const maxJsonValues = 500_000;

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Parses a document that an attacker may have written: valid UTF-8, no duplicate keys (two readers would
 * see two documents), bounded depth, no `__proto__` key. The scan is one pass over the text, before JSON.parse.
 * @param what names the document in messages, for example `manifest sha256:ab12`.
 * @param code what a refusal is called.
 */
export function parseStrictJson(
  bytes: Uint8Array,
  what: string,
  code: FailureCode = 'JsonInvalid',
  maxValues = maxJsonValues,
): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new RefwardenError(code, `${what} is not valid UTF-8.`, cause);
  }
  return parseStrictJsonText(text, what, code, maxValues);
}

/** {@link parseStrictJson} of text that is already decoded. */
export function parseStrictJsonText(
  text: string,
  what: string,
  code: FailureCode = 'JsonInvalid',
  maxValues = maxJsonValues,
): Json {
  const problem = scanJson(text, maxValues);
  if (problem !== undefined) throw new RefwardenError(code, `${what} ${problem}.`);
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new RefwardenError(code, `${what} is not valid JSON.`, cause);
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const fold = (key: string): string => key.toUpperCase().toLowerCase();

/** The field names of a kind of object, as {@link findFoldedKey} looks for them. */
export class FieldNames {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;

  constructor(...names: string[]) {
    this.exact = new Set(names);
    this.folded = new Set(names.map(fold));
  }
}

/**
 * A key that spells a field in another case. Go's decoder, which container runtimes use, takes it for the field, so
 * that a document with one has two readings.
 */
export function findFoldedKey(object: JsonObject, { exact, folded }: FieldNames): string | undefined {
  return Object.keys(object).find((key) => !exact.has(key) && folded.has(fold(key)));
}

/**
 * Looks for what JSON.parse would silently accept. Assumes nothing about validity: on malformed text it may
 * stop early, and JSON.parse then refuses. Returns what is wrong, or undefined.
 */
function scanJson(text: string, maxValues: number): string | undefined {
  const open: (Set<string> | undefined)[] = []; // a Set of keys seen for an object, undefined for an array
  let expectKey = false;
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const start = i + 1;
      let escaped = false;
      for (i++; i < text.length && text.charCodeAt(i) !== quote; i++) {
        if (text.charCodeAt(i) === backslash) {
          escaped = true;
          i++;
        }
      }
      const keys = open.at(-1);
      if (expectKey && keys !== undefined) {
        expectKey = false;
        const key = decodeKey(text.slice(start, i), escaped);
        if (key === undefined) return 'is not valid JSON';
        if (key === '__proto__') return 'has a key "__proto__"';
        if (keys.has(key)) return `has the key ${JSON.stringify(key.slice(0, 60))} twice in one object`;
        keys.add(key);
      }
    } else if (c === 0x7b /* { */ || c === 0x5b /* [ */) {
      if (++values > maxValues) return `has more than ${maxValues} values`;
      if (open.length >= maxJsonDepth) return `is nested deeper than ${maxJsonDepth}`;
      open.push(c === 0x7b ? new Set() : undefined);
      expectKey = c === 0x7b;
    } else if (c === 0x7d /* } */ || c === 0x5d /* ] */) {
      open.pop();
      expectKey = false;
    } else if (c === 0x2c /* , */) {
      if (++values > maxValues) return `has more than ${maxValues} values`;
      expectKey = open.at(-1) !== undefined;
    }
  }
  return undefined;
}

function decodeKey(raw: string, escaped: boolean): string | undefined {
  if (!escaped) return raw;
  // Nothing but quotes, as in the keys of managed fields, of which there are many.
  if (!/\\[^"]/.test(raw)) return raw.replaceAll('\\"', '"');
  try {
    // Go decodes every lone surrogate to U+FFFD: two of them are one key there.
    return (JSON.parse(`"${raw}"`) as string).toWellFormed();
  } catch {
    return undefined;
  }
}
