import { RefwardenError } from '../failures/failure.ts';
import { parseDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { FieldNames, findFoldedKey, isJsonObject } from './strict-json.ts';
import type { Json, JsonObject } from './strict-json.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** OCI content descriptor (image-spec descriptor.md). `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** The founding proposal's backward edge: what this descriptor refers to. */
  readonly reference?: Descriptor;
  /** The content itself in base64 (image-spec descriptor.md), as claimed: {@link inlinedContent} verifies it. */
  readonly data?: string;
}

/** Longest annotation value kept; Fulcio chains and bundles ride in annotations, so it is generous. */
const maxAnnotationLength = 256 * 1024;
const maxAnnotations = 256;
const maxMediaTypeLength = 255;

const descriptorFields = new FieldNames(
  'mediaType',
  'digest',
  'size',
  'artifactType',
  'annotations',
  'platform',
  'reference',
  'data',
);
const platformFields = new FieldNames('os', 'architecture', 'variant');

/**
 * @param where the path within the document, for messages.
 * @throws RefwardenError `ManifestInvalid`, `ManifestAmbiguous`, or `DigestUnsupported` for an unknown digest algorithm.
 */
export function parseDescriptor(value: Json | undefined, where: string): Descriptor {
  if (!isJsonObject(value)) throw new RefwardenError('ManifestInvalid', `${where} is not a descriptor.`);
  refuseFoldedKey(value, descriptorFields, where);
  const mediaType = parseMediaType(value['mediaType'], `${where}.mediaType`);
  if (mediaType === undefined) throw new RefwardenError('ManifestInvalid', `${where}.mediaType is missing.`);
  if (typeof value['digest'] !== 'string') {
    throw new RefwardenError('ManifestInvalid', `${where}.digest is missing.`);
  }
  const size = value['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new RefwardenError('ManifestInvalid', `${where}.size is no byte count.`);
  }
  const artifactType = parseMediaType(value['artifactType'], `${where}.artifactType`);
  const platform = parsePlatform(value['platform'], `${where}.platform`);
  const reference = parseReferenceField(value, where);
  const data = value['data'] ?? undefined;
  if (data !== undefined && typeof data !== 'string') {
    throw new RefwardenError('ManifestInvalid', `${where}.data is no text.`);
  }
  return {
    mediaType,
    digest: parseDigest(value['digest']),
    size,
    annotations: parseAnnotations(value['annotations'], where),
    ...(artifactType !== undefined ? { artifactType } : {}),
    ...(platform !== undefined ? { platform } : {}),
    ...(reference !== undefined ? { reference } : {}),
    ...(data !== undefined ? { data } : {}),
  };
}

/** The proposal's `reference`; an empty object is tolerated, and a reference's own reference is not followed. */
export function parseReferenceField(holder: JsonObject, where: string): Descriptor | undefined {
  const value = holder['reference'];
  if (value === undefined || value === null) return undefined;
  if (isJsonObject(value)) {
    if (Object.keys(value).length === 0) return undefined;
    return parseDescriptor({ ...value, reference: undefined }, `${where}.reference`);
  }
  throw new RefwardenError('ManifestInvalid', `${where}.reference is not a descriptor.`);
}

/** An absent or empty media type is undefined. */
export function parseMediaType(value: Json | undefined, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.length > maxMediaTypeLength) {
    throw new RefwardenError('ManifestInvalid', `${where} is no media type.`);
  }
  return value;
}

export function parseAnnotations(value: Json | undefined, where: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw new RefwardenError('ManifestInvalid', `${where}.annotations is no map.`);
  const entries = Object.entries(value);
  if (entries.length > maxAnnotations) {
    throw new RefwardenError(
      'ManifestInvalid',
      `${where}.annotations has more than ${maxAnnotations} entries.`,
    );
  }
  return Object.fromEntries(
    entries.map(([key, text]) => {
      if (typeof text !== 'string' || text.length > maxAnnotationLength) {
        throw new RefwardenError(
          'ManifestInvalid',
          `${where}.annotations holds a value that is no text or too long.`,
        );
      }
      return [key, text];
    }),
  );
}

function refuseFoldedKey(value: JsonObject, fields: FieldNames, where: string): void {
  const folded = findFoldedKey(value, fields);
  if (folded !== undefined) {
    throw new RefwardenError('ManifestAmbiguous', `${where} spells a field as ${JSON.stringify(folded)}.`);
  }
}

/** Read as Go reads it: what is missing is empty, so that `{"architecture":"unknown"}` still is unknown. */
function parsePlatform(value: Json | undefined, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new RefwardenError('ManifestInvalid', `${where} is no platform.`);
  refuseFoldedKey(value, platformFields, where);
  const text = (field: string): string => {
    const content = value[field] ?? '';
    if (typeof content !== 'string') {
      throw new RefwardenError('ManifestInvalid', `${where}.${field} is no text.`);
    }
    return content;
  };
  const variant = text('variant');
  return {
    os: text('os'),
    architecture: text('architecture'),
    ...(variant === '' ? {} : { variant }),
  };
}
