import type { Descriptor } from '../../src/oci/descriptor.ts';
import { mayRun } from '../../src/oci/manifest.ts';
import type { Document } from '../../src/oci/manifest.ts';
import { isArtifactManifestType } from '../../src/oci/media-types.ts';
import { keyOf, parseTree } from './json-tree.ts';
import type { JsonTree } from './json-tree.ts';

/**
 * Holds a parsed document against another reading of its bytes: that of Go's encoding/json, which container runtimes
 * use. It takes a field in any case, and the last of several. Two readings are two images behind one digest.
 * @throws Error that says where they differ.
 */
export function checkSecondReading(bytes: Uint8Array, document: Document): void {
  const tree = parseTree(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  refuseRepeatedKeys(tree);
  const entries = document.kind === 'index' ? document.manifests : document.layers;
  const name =
    document.kind === 'index' ? 'manifests' : isArtifactManifestType(document.mediaType) ? 'blobs' : 'layers';
  const list = field(tree, name);
  const items = list !== undefined && 'items' in list ? list.items : [];
  same('the number of entries', entries.length, items.length);
  for (const [index, entry] of entries.entries()) checkDescriptor(`entry ${index}`, entry, items[index]);
  const config = document.kind === 'manifest' ? document.config : undefined;
  if (config !== undefined) checkDescriptor('config', config, field(tree, 'config'));
  else same('the config', present(field(tree, 'config')), false);
  for (const other of ['manifests', 'layers', 'blobs'].filter((each) => each !== name))
    same(`${other} beside ${name}`, present(field(tree, other)), false);
  if (document.subject !== undefined) checkDescriptor('subject', document.subject, field(tree, 'subject'));
  else same('the subject', present(field(tree, 'subject')), false);
}

function checkDescriptor(where: string, descriptor: Descriptor, tree: JsonTree | undefined): void {
  const platform = field(tree, 'platform');
  same(`${where}: digest`, descriptor.digest, textOf(field(tree, 'digest')));
  same(`${where}: mediaType`, descriptor.mediaType, textOf(field(tree, 'mediaType')));
  same(`${where}: size`, String(descriptor.size), String(Number(textOf(field(tree, 'size')))));
  same(`${where}: os`, descriptor.platform?.os ?? '', textOf(field(platform, 'os')));
  same(
    `${where}: architecture`,
    descriptor.platform?.architecture ?? '',
    textOf(field(platform, 'architecture')),
  );
  same(`${where}: variant`, descriptor.platform?.variant ?? '', textOf(field(platform, 'variant')));
  same(`${where}: data`, descriptor.data ?? '', textOf(field(tree, 'data')));
  const named = ['os', 'architecture'].map((part) => textOf(field(platform, part)));
  same(`${where}: may run`, mayRun(descriptor), !named.includes('unknown'));
}

function field(tree: JsonTree | undefined, name: string): JsonTree | undefined {
  if (tree === undefined || !('entries' in tree)) return undefined;
  const fold = (key: string): string => key.replaceAll('ſ', 's').replaceAll('\u212a', 'k').toLowerCase();
  return tree.entries.findLast((entry) => fold(keyOf(entry)) === name.toLowerCase())?.[1];
}

const present = (tree: JsonTree | undefined): boolean =>
  tree !== undefined && !('raw' in tree && tree.raw === 'null');

function textOf(tree: JsonTree | undefined): string {
  if (tree === undefined || !('raw' in tree)) return '';
  const value = JSON.parse(tree.raw) as unknown;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function refuseRepeatedKeys(tree: JsonTree): void {
  if ('items' in tree) tree.items.forEach(refuseRepeatedKeys);
  if (!('entries' in tree)) return;
  same('repeated keys', tree.entries.length - new Set(tree.entries.map(keyOf)).size, 0);
  for (const entry of tree.entries) {
    same('a key __proto__', keyOf(entry) === '__proto__', false);
    refuseRepeatedKeys(entry[1]);
  }
}

function same(what: string, ours: unknown, theirs: unknown): void {
  if (ours !== theirs)
    throw new Error(`two readings of ${what}: ${JSON.stringify(ours)} and ${JSON.stringify(theirs)}`);
}
