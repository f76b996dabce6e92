import { failure, RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { parseDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { isJsonObject } from './strict-json.ts';
import type { Json } from './strict-json.ts';

/** Longest media or predicate type kept of a listing, characters; a longer one says nothing. */
const maxTypeLength = 255;
/** cosign 3 copies the predicate type of a bundle there (Sigstore bundle spec, "OCI"). */
export const predicateTypeAnnotation = 'dev.sigstore.bundle.predicateType';

/** An entry of a listing. All but the digest are hints: nothing is decided by them. */
export interface ListedArtifact {
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly predicateType?: string;
  /** The manifest itself in base64, where the registry inlines it. */
  readonly data?: string;
}

/** What a registry lists for a subject. */
export interface Listing {
  readonly kind: 'listing';
  readonly entries: readonly ListedArtifact[];
  /** Entries that name nothing that can be fetched. */
  readonly malformed: readonly Failure[];
  /** Why there may be more than is listed here. */
  readonly faults: readonly Failure[];
  /** When it was asked for, milliseconds since the epoch. */
  readonly askedAtMs: number;
}

/** The registry does not have the API that was asked. */
export interface NoSuchApi {
  readonly kind: 'noSuchApi';
  readonly askedAtMs: number;
}

export type ListingAnswer = Listing | NoSuchApi;

/**
 * Reads the entries under one of the keys; one bad entry does not spoil the others. Returns undefined when it is no list.
 * @param keys the first that is present counts.
 */
export function parseEntries(
  json: Json,
  what: string,
  maxEntries: number,
  keys: readonly string[] = ['manifests'],
): { entries: ListedArtifact[]; malformed: Failure[] } | undefined {
  const key = isJsonObject(json) ? keys.find((name) => json[name] !== undefined) : undefined;
  const manifests = isJsonObject(json) && key !== undefined ? json[key] : undefined;
  // Registries written in Go say null for an empty list.
  const list = manifests === null ? [] : manifests;
  if (!Array.isArray(list)) return undefined;
  const entries: ListedArtifact[] = [];
  const malformed: Failure[] = [];
  // One more than the bound, so that whoever counts sees that there are more.
  for (const value of list.slice(0, maxEntries + 1)) {
    try {
      entries.push(parseEntry(value, what));
    } catch (thrown) {
      malformed.push(toFailure(thrown));
    }
  }
  return { entries, malformed };
}

/** Cuts what was listed to the bound, and says so. */
export function boundListing(listing: Listing, maxEntries: number, what: string): Listing {
  const count = listing.entries.length + listing.malformed.length;
  if (count <= maxEntries) return listing;
  return {
    ...listing,
    entries: listing.entries.slice(0, maxEntries),
    malformed: listing.malformed.slice(0, maxEntries),
    faults: [
      ...listing.faults,
      failure(
        'TooManyReferrers',
        `${what}: more than ${maxEntries} artifacts are listed; the rest is not read.`,
      ),
    ],
  };
}

function parseEntry(value: Json, what: string): ListedArtifact {
  if (!isJsonObject(value) || typeof value['digest'] !== 'string') {
    throw new RefwardenError('ManifestInvalid', `${what} has an entry without a digest.`);
  }
  const digest = parseDigest(value['digest']);
  const { annotations, data } = value;
  const mediaType = hint(value['mediaType']);
  const artifactType = hint(value['artifactType']);
  const predicateType = isJsonObject(annotations) ? hint(annotations[predicateTypeAnnotation]) : undefined;
  return {
    digest,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(typeof data === 'string' ? { data } : {}),
  };
}

function hint(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxTypeLength ? value : undefined;
}
