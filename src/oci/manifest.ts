import { RefwardenError } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { parseAnnotations, parseDescriptor, parseMediaType, parseReferenceField } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import {
  dockerManifest,
  dockerManifestList,
  isArtifactManifestType,
  isDocumentType,
  isIndexType,
  isManifestType,
  ociArtifactManifest,
  ociIndex,
  ociManifest,
  orasArtifactManifest,
} from './media-types.ts';
import { FieldNames, findFoldedKey, isJsonObject, parseStrictJson } from './strict-json.ts';
import type { Json, JsonObject } from './strict-json.ts';

/** Most entries read from `layers` or `manifests` of one document. */
export const maxManifestEntries = 10_000;

/** Most values of a manifest or index: its entries, and what tools put beside them. A megabyte of small ones takes long to read. */
const maxDocumentValues = 100_000;

const documentFields = new FieldNames(
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'blobs',
  'manifests',
  'subject',
  'reference',
  'annotations',
);

interface ManifestBase {
  readonly mediaType: string;
  /** The manifest's own, else `config.mediaType` (image-spec manifest.md, distribution-spec "Listing Referrers"). */
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** What this document points at: OCI 1.1 `subject`. */
  readonly subject?: Descriptor;
  /** What this document or a descriptor within points at: the founding proposal's `reference`. */
  readonly references: readonly Descriptor[];
}

/** An image manifest, or an artifact manifest: then without config, and `blobs` are its layers. */
export interface Manifest extends ManifestBase {
  readonly kind: 'manifest';
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface Index extends ManifestBase {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

export type Document = Manifest | Index;

/**
 * Parses bytes whose digest has been verified. A document that could be read as both kinds is refused
 * (CVE-2021-41190): content type, `mediaType` and the fields present must agree.
 * @param contentType the header of the answer; undefined when the bytes came without one.
 * @throws RefwardenError `ManifestInvalid`, `ManifestAmbiguous`, `DigestUnsupported`.
 */
export function parseDocument(bytes: Uint8Array, contentType: string | undefined, name: string): Document {
  const json = parseStrictJson(bytes, name, 'ManifestInvalid', maxDocumentValues);
  if (!isJsonObject(json)) throw new RefwardenError('ManifestInvalid', `${name} is not an object.`);
  const folded = findFoldedKey(json, documentFields);
  if (folded !== undefined) {
    throw new RefwardenError('ManifestAmbiguous', `${name} spells a field as ${JSON.stringify(folded)}.`);
  }
  const shape = shapeOf(json, name);
  const mediaType = agreeOnMediaType(json, contentType, shape, name);
  const isArtifactManifest = isArtifactManifestType(mediaType);
  if (json['schemaVersion'] !== 2 && !(isArtifactManifest && json['schemaVersion'] === undefined)) {
    throw new RefwardenError('ManifestInvalid', `${name} has a schemaVersion other than 2.`);
  }
  const artifactType = parseMediaType(json['artifactType'], `${name}.artifactType`);
  const base = {
    mediaType,
    annotations: parseAnnotations(json['annotations'], name),
    ...(json['subject'] === undefined || json['subject'] === null
      ? {}
      : { subject: parseDescriptor(json['subject'], `${name}.subject`) }),
  };
  const own = parseReferenceField(json, name);
  const ownReferences = own === undefined ? [] : [own];
  if (shape === 'index') {
    const manifests = parseDescriptors(json['manifests'], `${name}.manifests`);
    return {
      ...base,
      kind: 'index',
      manifests,
      references: [...ownReferences, ...referencesOf(manifests)],
      ...(artifactType !== undefined ? { artifactType } : {}),
    };
  }
  if (isArtifactManifest) {
    const blobs = json['blobs'] ?? [];
    const layers = parseDescriptors(blobs, `${name}.blobs`);
    return {
      ...base,
      kind: 'manifest',
      layers,
      references: [...ownReferences, ...referencesOf(layers)],
      ...(artifactType !== undefined ? { artifactType } : {}),
    };
  }
  const config = parseDescriptor(json['config'], `${name}.config`);
  const layers = parseDescriptors(json['layers'], `${name}.layers`);
  return {
    ...base,
    kind: 'manifest',
    config,
    layers,
    references: [...ownReferences, ...referencesOf([config, ...layers])],
    artifactType: artifactType ?? config.mediaType,
  };
}

/** Whether the document says by itself that it refers to the subject; a listing's word does not count. */
export function refersTo(document: Document, subject: Digest): boolean {
  return document.subject?.digest === subject || document.references.some(({ digest }) => digest === subject);
}

/** A child that a node could run: BuildKit's attestation entries and unknown platforms are none. */
export function isRunnableChild(entry: Descriptor): boolean {
  if (entry.annotations['vnd.docker.reference.type'] !== undefined) return false;
  if (entry.artifactType !== undefined) return false;
  if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return false;
  return entry.platform?.os !== 'unknown' && entry.platform?.architecture !== 'unknown';
}

/** What the fields say that a document is; `unknown` where none of them tells. */
type Shape = 'index' | 'manifest' | 'artifact' | 'unknown';

function shapeOf(json: JsonObject, name: string): Shape {
  const has = (field: string): boolean => json[field] !== undefined;
  const shapes: readonly Shape[] = [
    ...(has('manifests') ? (['index'] as const) : []),
    ...(has('layers') || has('config') ? (['manifest'] as const) : []),
    ...(has('blobs') ? (['artifact'] as const) : []),
  ];
  if (shapes.length <= 1) return shapes[0] ?? 'unknown';
  const others = shapes.includes('manifest') ? 'layers or config' : 'blobs';
  const what = has('manifests') ? `manifests and ${others}` : `blobs and ${others}`;
  throw new RefwardenError('ManifestAmbiguous', `${name} has both ${what}.`);
}

/** The types that may stand on a document of each shape, and the one that is meant where none is stated. */
const shapeTypes: Readonly<
  Record<Shape, { what: string; allows: (type: string) => boolean; implied: string | undefined }>
> = {
  index: { what: `an index (${ociIndex} or ${dockerManifestList})`, allows: isIndexType, implied: ociIndex },
  manifest: {
    what: `a manifest (${ociManifest} or ${dockerManifest})`,
    allows: isManifestType,
    implied: ociManifest,
  },
  artifact: {
    what: `an artifact manifest (${ociArtifactManifest} or ${orasArtifactManifest})`,
    allows: isArtifactManifestType,
    implied: undefined,
  },
  unknown: {
    what: 'no kind of manifest',
    allows: (type) => isManifestType(type) || isArtifactManifestType(type),
    implied: ociManifest,
  },
};

/**
 * Whether some node might run an entry of an index, whatever else the entry claims to be: runtimes choose by platform
 * alone, and take one without platform for theirs. Only what names no platform of any node is safe to pass over.
 */
export function mayRun({ platform }: Descriptor): boolean {
  return platform?.os !== 'unknown' && platform?.architecture !== 'unknown';
}

function agreeOnMediaType(
  json: JsonObject,
  contentType: string | undefined,
  shape: Shape,
  name: string,
): string {
  const stated = parseMediaType(json['mediaType'], `${name}.mediaType`);
  const header = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const served = header !== undefined && isDocumentType(header) ? header : undefined;
  if (served !== undefined && stated !== undefined && served !== stated) {
    throw new RefwardenError('ManifestAmbiguous', `${name} is served as ${served} but says ${stated}.`);
  }
  const { what, allows, implied } = shapeTypes[shape];
  const mediaType = stated ?? served ?? implied;
  if (mediaType === undefined) {
    throw new RefwardenError('ManifestInvalid', `${name} has the fields of ${what} but no media type.`);
  }
  if (!allows(mediaType)) {
    throw new RefwardenError(
      'ManifestAmbiguous',
      `${name} has the fields of ${what} but the media type ${mediaType}.`,
    );
  }
  return mediaType;
}

function parseDescriptors(value: Json | undefined, where: string): Descriptor[] {
  // Tools written in Go say null for an empty list, as BuildKit does of an image without layers.
  if (value === null) return [];
  if (!Array.isArray(value)) throw new RefwardenError('ManifestInvalid', `${where} is not a list.`);
  if (value.length > maxManifestEntries) {
    throw new RefwardenError('ManifestInvalid', `${where} has more than ${maxManifestEntries} entries.`);
  }
  return value.map((entry, index) => parseDescriptor(entry, `${where}[${index}]`));
}

function referencesOf(descriptors: readonly Descriptor[]): Descriptor[] {
  return descriptors.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
}
