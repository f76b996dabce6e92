import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTree, printTree } from '../fuzz/json-tree.ts';
import type { JsonEntry, JsonTree } from '../fuzz/json-tree.ts';
import { maxJsonDepth, parseStrictJson, parseStrictJsonText } from '../../src/oci/strict-json.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const refusal = (message: string): unknown =>
  expect.objectContaining({ code: 'JsonInvalid', message: `the document ${message}.` });
const parse = (text: string): unknown => parseStrictJson(utf8(text), 'the document');

describe('parseStrictJson', () => {
  it.each([
    ['{"a":1,"a":2}', 'has the key "a" twice in one object'],
    ['{"a":1,"\\u0061":2}', 'has the key "a" twice in one object'],
    ['{"\\u0061":1,"a":2}', 'has the key "a" twice in one object'],
    ['{"a\\/b":1,"a/b":2}', 'has the key "a/b" twice in one object'],
    ['{"\\"":1,"\\u0022":2}', 'has the key "\\"" twice in one object'],
    ['{"":1,"":2}', 'has the key "" twice in one object'],
    ['{"x":[{"a":{},"b":[],"a":0}]}', 'has the key "a" twice in one object'],
    ['{"a":{"b":1},"c":[1,2],"a":2}', 'has the key "a" twice in one object'],
    ['{ "a" : "x,\\"a\\":" , "a" : 1 }', 'has the key "a" twice in one object'],
    ['{"\\ud800":1,"\\udbff":2}', 'has the key "\ufffd" twice in one object'],
    ['{"__proto__":{"allowed":true}}', 'has a key "__proto__"'],
    ['{"\\u005f_proto__":1}', 'has a key "__proto__"'],
    ['[{"a":{"__proto__":null}}]', 'has a key "__proto__"'],
  ])('T26 refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(refusal(message));
  });

  it.each([
    ['a byte order mark', '\ufeff{}'],
    ['nothing', ''],
    ['two documents', '{} {}'],
    ['a comment', '{/* */}'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['NaN', 'NaN'],
    ['a bare control character', '"\u0001"'],
    ['an open string', '{"a":"'],
    ['an open key', '{"a'],
    ['a key with a bad escape', '{"\\x61":1}'],
    ['a key that ends in a backslash', '{"a\\'],
    ['too many brackets', '[]]'],
    ['crossed brackets', '[{]}'],
  ])('T26 refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(refusal('is not valid JSON'));
  });

  it.each([
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['half a character', [0x22, 0xe2, 0x82, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('T26 refuses %s', (_, bytes) => {
    expect(() => parseStrictJson(new Uint8Array(bytes), 'the document')).toThrow(
      refusal('is not valid UTF-8'),
    );
  });

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ])('T26 takes a nesting of 128 and refuses one of 129: %s', (open, close) => {
    const levels = open.startsWith('[{') ? 2 : 1;
    const nested = (times: number): string => `${open.repeat(times)}1${close.repeat(times)}`;
    expect(() => parse(nested(maxJsonDepth / levels))).not.toThrow();
    expect(() => parse(`[${nested(maxJsonDepth / levels)}]`)).toThrow(refusal('is nested deeper than 128'));
  });

  it('T26 refuses an endless nesting without descending into it', () => {
    expect(() => parse('['.repeat(5_000_000))).toThrow(refusal('is nested deeper than 128'));
  });

  it('T31 shows no more than the beginning of a key', () => {
    const key = 'k'.repeat(100_000);
    expect(() => parse(`{"${key}":1,"${key}":2}`)).toThrow(
      refusal(`has the key "${'k'.repeat(60)}" twice in one object`),
    );
  });

  it('calls a refusal what its caller says', () => {
    expect(() => parseStrictJsonText('{', 'manifest x', 'ManifestInvalid')).toThrow(
      expect.objectContaining({ code: 'ManifestInvalid', message: 'manifest x is not valid JSON.' }),
    );
  });

  it('takes equal keys of different objects, and keys as values', () => {
    expect(parse('{"a":{"a":"a"},"b":["a","a",{"a":1}],"c":"b"}')).toEqual({
      a: { a: 'a' },
      b: ['a', 'a', { a: 1 }],
      c: 'b',
    });
  });

  const documents = fc
    .jsonValue({ maxDepth: 6 })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));

  it('reads every valid document as JSON.parse does', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { seed: 26, numRuns: 2000 },
    );
  });

  it('T26 finds a key repeated anywhere, however it is spelled', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
        documents,
        documents,
        fc.boolean(),
        (key, first, second, escape) => {
          const raw = JSON.stringify(key);
          const text = `[{${raw}:${JSON.stringify(first)},${escape ? escaped(raw) : raw}:${JSON.stringify(second)}}]`;
          JSON.parse(text);
          expect(() => parse(text)).toThrow(
            refusal(`has the key ${JSON.stringify(key)} twice in one object`),
          );
        },
      ),
      { seed: 26, numRuns: 1000 },
    );
  });

  it('T26 refuses a repeated key in whatever object of a document, at whatever depth and place', () => {
    const depths = fc.integer({ min: 0, max: maxJsonDepth });
    fc.assert(
      fc.property(
        documents,
        depths,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        (value, depth, pick, place, isEscaped) => {
          const tree = parseTree(JSON.stringify([{ a: value }, value]));
          const objects = objectsOf(tree);
          const target = objects[pick % objects.length];
          const [key] = target?.entries[pick % target.entries.length] ?? ['""'];
          const again: JsonEntry = [isEscaped ? escaped(key) : key, { raw: 'null' }];
          const bad = printTree(
            replaced(tree, target, (entries) => entries.toSpliced(place % (entries.length + 1), 0, again)),
          );
          // The tree takes some of the depth; past the bound it is refused for that.
          const nested = (text: string): string => `${'['.repeat(depth)}${text}${']'.repeat(depth)}`;
          const isShallow = depth + heightOf(tree) <= maxJsonDepth;
          expect(JSON.parse(nested(bad))).toBeDefined();
          expect(() => parse(nested(bad))).toThrow(
            isShallow
              ? refusal(
                  `has the key ${JSON.stringify((JSON.parse(key) as string).slice(0, 60))} twice in one object`,
                )
              : expect.objectContaining({
                  code: 'JsonInvalid',
                  message: expect.stringMatching(
                    / (?:twice in one object|is nested deeper than 128)\.$/,
                  ) as string,
                }),
          );
          const good = nested(printTree(tree));
          if (isShallow) expect(parse(good)).toEqual(JSON.parse(good));
          else expect(() => parse(good)).toThrow(refusal('is nested deeper than 128'));
        },
      ),
      { seed: 26, numRuns: 1500 },
    );
  });

  it('accepts nothing that JSON.parse refuses', () => {
    const alphabet = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'a',
      '0',
      ' ',
      'null',
      '"a"',
      '\\u0061',
    );
    fc.assert(
      fc.property(
        fc.array(alphabet, { maxLength: 14 }).map((parts) => parts.join('')),
        (text) => {
          const plain = attempt(() => JSON.parse(text) as unknown);
          const strict = attempt(() => parse(text));
          if ('value' in strict) expect(plain).toEqual(strict);
          else expect(strict.error).toMatchObject({ name: 'RefwardenError', code: 'JsonInvalid' });
        },
      ),
      { seed: 26, numRuns: 5000 },
    );
  });
});

type JsonObjectTree = Extract<JsonTree, { entries: unknown }>;

/** Objects with a key to repeat. */
function objectsOf(tree: JsonTree): JsonObjectTree[] {
  if ('items' in tree) return tree.items.flatMap(objectsOf);
  if (!('entries' in tree)) return [];
  return [
    ...(tree.entries.length === 0 ? [] : [tree]),
    ...tree.entries.flatMap(([, value]) => objectsOf(value)),
  ];
}

function heightOf(tree: JsonTree): number {
  if ('raw' in tree) return 0;
  const children = 'items' in tree ? tree.items : tree.entries.map(([, value]) => value);
  return 1 + Math.max(0, ...children.map(heightOf));
}

function replaced(
  tree: JsonTree,
  target: JsonTree | undefined,
  change: (entries: readonly JsonEntry[]) => readonly JsonEntry[],
): JsonTree {
  if ('items' in tree) return { items: tree.items.map((item) => replaced(item, target, change)) };
  if (!('entries' in tree)) return tree;
  const entries = tree.entries.map(([key, value]): JsonEntry => [key, replaced(value, target, change)]);
  return { entries: tree === target ? change(entries) : entries };
}

/** The key with every character as an escape. */
function escaped(rawKey: string): string {
  const units = Array.from({ length: (JSON.parse(rawKey) as string).length }, (_, i) =>
    (JSON.parse(rawKey) as string).charCodeAt(i).toString(16).padStart(4, '0'),
  );
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

function attempt(act: () => unknown): { value: unknown } | { error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}

describe('maxJsonValues', () => {
  it.each(['{},', '[],', '0,', '"",'])(
    'T11 refuses a document of very many %s before it is parsed',
    (value) => {
      const text = `[${value.repeat(20)}0]`;
      expect(parseStrictJsonText(text, 'it', 'JsonInvalid', 100)).toHaveLength(21);
      expect(() => parseStrictJsonText(text, 'it', 'JsonInvalid', 20)).toThrow('it has more than 20 values.');
    },
  );
});
