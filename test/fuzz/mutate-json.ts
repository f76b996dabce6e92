import { sizeOf } from './json-tree.ts';
import type { JsonEntry, JsonTree } from './json-tree.ts';
import type { Random } from './random.ts';

const json = (value: unknown): JsonTree => ({ raw: JSON.stringify(value) });
const digest = `sha256:${'ab'.repeat(32)}`;
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const descriptor = { mediaType: ociManifest, digest, size: 7 };

const scalars = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '2',
  '2.0',
  '1e3',
  '1e400',
  '-1e400',
  '""',
  '9007199254740992',
  '123456789012345678901234567890',
  '"\\ud800"',
  '"\\u0000"',
  '"\\u202e"',
  '"AAAA"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":{}}',
  '[{}]',
  '"MII="',
  '"9223372036854775807"',
].map((raw) => ({ raw }));

const values: readonly JsonTree[] = [
  ...scalars,
  json('x'.repeat(300)),
  json('x'.repeat(300_000)),
  json(digest),
  json(`sha512:${'cd'.repeat(64)}`),
  json(digest.toUpperCase()),
  json('md5:00'),
  json(ociIndex),
  json(ociManifest),
  json('application/vnd.dev.sigstore.bundle.v0.3+json'),
  json('https://spdx.dev/Document'),
  json('SPDX-2.3'),
  json(descriptor),
  json([descriptor, descriptor]),
  json({ ...descriptor, reference: { ...descriptor, reference: descriptor } }),
  json(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, '']))),
];

/** Members that mean something somewhere; added to any object. */
const members = Object.entries({
  subject: descriptor,
  reference: descriptor,
  manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'amd64' } }],
  layers: [descriptor],
  blobs: [descriptor],
  config: descriptor,
  data: 'AAAA',
  urls: ['https://example.com/'],
  artifactType: 'application/spdx+json',
  mediaType: ociIndex,
  schemaVersion: 2,
  size: 1,
  digest,
  platform: { os: 'unknown', architecture: 'unknown' },
  os: 'unknown',
  architecture: 'unknown',
  variant: 'v8',
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  toString: 1,
  constructor: { prototype: {} },
  __proto_: {},
  $case: 'messageSignature',
  messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' },
  Data: '{"spdxVersion":"SPDX-2.3"}',
  '1': {},
}).map(([key, value]): JsonEntry => [JSON.stringify(key === '__proto_' ? '__proto__' : key), json(value)]);

/** One change anywhere in the tree. */
export function mutateTree(tree: JsonTree, random: Random): JsonTree {
  let at = random.below(sizeOf(tree));
  const visit = (node: JsonTree): JsonTree => {
    if (at-- === 0) return mutateNode(node, tree, random);
    if (at < 0) return node;
    if ('entries' in node) return { entries: node.entries.map(([key, value]) => [key, visit(value)]) };
    if ('items' in node) return { items: node.items.map(visit) };
    return node;
  };
  return visit(tree);
}

function mutateNode(node: JsonTree, root: JsonTree, random: Random): JsonTree {
  if (random.oneIn(6)) return random.pick(values);
  if (random.oneIn(60)) return nest(node, random.pick([1, 2, 100, 127, 128, 129, 5000]), random);
  if (random.oneIn(40)) return random.oneIn(2) ? root : { items: [node] };
  if ('entries' in node) return { entries: mutateEntries(node.entries, random) };
  if ('items' in node) return { items: mutateItems(node.items, random) };
  return { raw: mutateScalar(node.raw, random) };
}

function nest(node: JsonTree, depth: number, random: Random): JsonTree {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"reference":', '}'],
    ['{"":[', ']}'],
  ] as const);
  const inner = 'raw' in node ? node.raw : '0';
  return { raw: open.repeat(depth) + inner + close.repeat(depth) };
}

function mutateEntries(entries: readonly JsonEntry[], random: Random): readonly JsonEntry[] {
  const added = random.pick(members);
  if (entries.length === 0) return [added];
  const at = random.below(entries.length);
  const [key, value] = entries[at] ?? added;
  switch (random.below(8)) {
    case 0:
      return entries.toSpliced(at, 1);
    case 1:
      return entries.toSpliced(at, 0, added);
    case 2: // the same key again
      return [...entries, [key, random.pick([value, ...scalars])]];
    case 3: // the same key again, in other letters for the same text
      return [...entries, [escapeOne(key, random), random.pick([value, ...scalars])]];
    case 4: // the same field for Go
      return [...entries, [foldOne(key, random), random.pick([value, ...scalars])]];
    case 5:
      return entries.with(at, [foldOne(key, random), value]);
    case 6: {
      const [otherKey, otherValue] = random.pick(entries);
      return entries.with(at, random.oneIn(2) ? [key, otherValue] : [otherKey, value]);
    }
    default:
      return entries.with(at, [key, random.pick(values)]);
  }
}

function mutateItems(items: readonly JsonTree[], random: Random): readonly JsonTree[] {
  if (items.length === 0) return [random.pick(values)];
  const at = random.below(items.length);
  const item = random.pick(items);
  switch (random.below(4)) {
    case 0:
      return items.toSpliced(at, 1);
    case 1:
      return items.toSpliced(at, 0, item);
    case 2: // past a bound now and then
      return Array.from({ length: random.oneIn(20) ? 10_001 : 1 + random.below(70) }, () => item);
    default:
      return items.with(at, random.pick(values));
  }
}

function mutateScalar(raw: string, random: Random): string {
  const at = random.below(raw.length);
  if (!raw.startsWith('"')) return `${raw.slice(0, at)}${random.below(10)}${raw.slice(at)}`;
  switch (random.below(4)) {
    case 0:
      return escapeOne(raw, random);
    case 1:
      return foldOne(raw, random);
    case 2:
      return JSON.stringify(raw.slice(1, at));
    default:
      return `"${random.pick(['\\u0000', '\\ud800', ' ', 'é', '\\"', '0'])}${raw.slice(1)}`;
  }
}

/** The same text with one plain character written as an escape. */
function escapeOne(raw: string, random: Random): string {
  return replaceOne(raw, random, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Another text that Go takes for the same field name. */
function foldOne(raw: string, random: Random): string {
  return replaceOne(raw, random, (letter) => {
    if (letter === 's' && random.oneIn(2)) return 'ſ';
    if (letter === 'k' && random.oneIn(2)) return '\u212a';
    return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  });
}

function replaceOne(raw: string, random: Random, by: (letter: string) => string): string {
  const at = random.below(raw.length);
  const letter = raw[at] ?? '';
  if (!/[A-Za-z]/.test(letter) || raw.includes('\\')) return raw;
  return raw.slice(0, at) + by(letter) + raw.slice(at + 1);
}
