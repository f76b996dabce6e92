import { RefwardenError } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { parseAnnotations, parseDescriptor, parseMediaType, parseReferenceField } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import {
  dockerManifest,
  dockerManifestList,
  isIndexType,
  isManifestType,
  ociIndex,
  ociManifest,
} from './media-types.ts';
import { FieldNames, findFoldedKey, isJsonObject, parseStrictJson } from './strict-json.ts';
import type { Json, JsonObject } from './strict-json.ts';

/** Most entries read from `layers` or `manifests` of one document. */
export const maxManifestEntries = 10_000;

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

export interface Manifest extends ManifestBase {
  readonly kind: 'manifest';
  readonly config: Descriptor;
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
  const json = parseStrictJson(bytes, name, 'ManifestInvalid');
  if (!isJsonObject(json)) throw new RefwardenError('ManifestInvalid', `${name} is not an object.`);
  if (json['schemaVersion'] !== 2) {
    throw new RefwardenError('ManifestInvalid', `${name} has a schemaVersion other than 2.`);
  }
  const folded = findFoldedKey(json, documentFields);
  if (folded !== undefined) {
    throw new RefwardenError('ManifestAmbiguous', `${name} spells a field as ${JSON.stringify(folded)}.`);
  }
  const hasManifests = json['manifests'] !== undefined;
  const hasLayers =
    json['layers'] !== undefined || json['config'] !== undefined || json['blobs'] !== undefined;
  if (hasManifests && hasLayers) {
    throw new RefwardenError('ManifestAmbiguous', `${name} has both manifests and layers or config.`);
  }
  const mediaType = agreeOnMediaType(json, contentType, hasManifests, name);
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
  if (hasManifests) {
    const manifests = parseDescriptors(json['manifests'], `${name}.manifests`);
    return {
      ...base,
      kind: 'index',
      manifests,
      references: [...ownReferences, ...referencesOf(manifests)],
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

function agreeOnMediaType(
  json: JsonObject,
  contentType: string | undefined,
  hasManifests: boolean,
  name: string,
): string {
  const stated = parseMediaType(json['mediaType'], `${name}.mediaType`);
  const header = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  const served = header !== undefined && (isIndexType(header) || isManifestType(header)) ? header : undefined;
  const mediaType = stated ?? served ?? (hasManifests ? ociIndex : ociManifest);
  if (served !== undefined && stated !== undefined && served !== stated) {
    throw new RefwardenError('ManifestAmbiguous', `${name} is served as ${served} but says ${stated}.`);
  }
  if (hasManifests ? !isIndexType(mediaType) : !isManifestType(mediaType)) {
    const shape = hasManifests
      ? `an index (${ociIndex} or ${dockerManifestList})`
      : `a manifest (${ociManifest} or ${dockerManifest})`;
    throw new RefwardenError(
      'ManifestAmbiguous',
      `${name} has the fields of ${shape} but the media type ${mediaType}.`,
    );
  }
  return mediaType;
}

function parseDescriptors(value: Json | undefined, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw new RefwardenError('ManifestInvalid', `${where} is not a list.`);
  if (value.length > maxManifestEntries) {
    throw new RefwardenError('ManifestInvalid', `${where} has more than ${maxManifestEntries} entries.`);
  }
  return value.map((entry, index) => parseDescriptor(entry, `${where}[${index}]`));
}

function referencesOf(descriptors: readonly Descriptor[]): Descriptor[] {
  return descriptors.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
}
