import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';

/** What is read of an object's metadata before its kind matters. */
export interface ObjectHeader {
  readonly name: string;
  readonly namespace?: string;
  /** Opaque; equal ones are the same version of the object. */
  readonly resourceVersion: string;
}

/** `KIND/NAME`, or `KIND/NAMESPACE/NAME`. */
export const originOf = (
  kind: string,
  { name, namespace }: { readonly name: string; readonly namespace?: string | undefined },
): string => (namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`);

/** Undefined when the object has no name or version: the API server sends none such. */
export function headerOf(object: Json | undefined): ObjectHeader | undefined {
  if (!isJsonObject(object) || !isJsonObject(object['metadata'])) return undefined;
  const { name, namespace, resourceVersion } = object['metadata'];
  if (typeof name !== 'string' || typeof resourceVersion !== 'string') return undefined;
  return { name, resourceVersion, ...(typeof namespace === 'string' ? { namespace } : {}) };
}

/** The map of texts under a key, as `metadata.labels` and `data` are; entries that are no text are left out. */
export function textsOf(holder: Json | undefined, key: string): Readonly<Record<string, string>> {
  const map = isJsonObject(holder) ? holder[key] : undefined;
  if (!isJsonObject(map)) return {};
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export const labelsOf = (object: JsonObject): Readonly<Record<string, string>> =>
  textsOf(object['metadata'], 'labels');

export function uidOf({ metadata }: JsonObject): string | undefined {
  const uid = isJsonObject(metadata) ? metadata['uid'] : undefined;
  return typeof uid === 'string' ? uid : undefined;
}

/** `metadata.generation`: the version of its spec; 0 when there is none. */
export function generationOf({ metadata }: JsonObject): number {
  const generation = isJsonObject(metadata) ? metadata['generation'] : undefined;
  return typeof generation === 'number' ? generation : 0;
}
