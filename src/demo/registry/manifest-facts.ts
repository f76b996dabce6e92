import { RefwardenError } from '../../failures/failure.ts';
import { parseDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';

/** How one manifest names another: OCI 1.1 `subject`, the founding proposal's `reference`, an index's `manifests[]`. */
export type EdgeKind = 'subject' | 'reference' | 'child';

interface Edge {
  readonly kind: EdgeKind;
  readonly target: Digest;
}

/** What a registry has to know of a manifest to list it. */
export interface ManifestFacts {
  /** The manifest's own, else `config.mediaType` (distribution-spec, "Listing Referrers"). */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly edges: readonly Edge[];
}

/**
 * Reads the facts of a manifest as a registry does: what it does not understand it leaves out, and it never
 * refuses. Judging documents is the client's part, and tests store hostile ones.
 */
export function readManifestFacts(bytes: Uint8Array): ManifestFacts {
  const json = parseLeniently(bytes);
  if (!isJsonObject(json)) return { edges: [] };
  const config = isJsonObject(json['config']) ? json['config'] : {};
  const children = objectsOf(json['manifests']);
  const descriptors = [config, ...objectsOf(json['layers']), ...objectsOf(json['blobs']), ...children];
  const artifactType = textOf(json['artifactType']) ?? textOf(config['mediaType']);
  const annotations = textEntries(json['annotations']);
  return {
    ...(artifactType !== undefined ? { artifactType } : {}),
    ...(annotations !== undefined ? { annotations } : {}),
    edges: [
      ...edgesTo('subject', [json['subject']]),
      // An empty object stands for "refers to nothing" in the proposal: it has no digest.
      ...edgesTo(
        'reference',
        [json, ...descriptors].map(({ reference }) => reference),
      ),
      ...edgesTo('child', children),
    ],
  };
}

function parseLeniently(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}

function edgesTo(kind: EdgeKind, descriptors: readonly (Json | undefined)[]): Edge[] {
  return descriptors.flatMap((descriptor) => {
    const target = isJsonObject(descriptor) ? digestOf(descriptor) : undefined;
    return target === undefined ? [] : [{ kind, target }];
  });
}

function digestOf(descriptor: JsonObject): Digest | undefined {
  const text = descriptor['digest'];
  if (typeof text !== 'string') return undefined;
  try {
    return parseDigest(text);
  } catch (error) {
    if (error instanceof RefwardenError) return undefined;
    throw error;
  }
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textEntries(value: Json | undefined): Record<string, string> | undefined {
  if (!isJsonObject(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
