import { failure, RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { parseDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { Json } from '../oci/strict-json.ts';

/** Longest media type kept of a listing, characters; a longer one is no media type. */
const maxMediaTypeLength = 255;

/** An entry of a listing. All but the digest are hints: nothing is decided by them. */
export interface ListedArtifact {
  readonly digest: Digest;
  readonly mediaType?: string;
  readonly artifactType?: string;
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

/** Reads the entries of `manifests`; one bad entry does not spoil the others. Returns undefined when it is no list. */
export function parseEntries(
  json: Json,
  what: string,
  maxEntries: number,
): { entries: ListedArtifact[]; malformed: Failure[] } | undefined {
  const manifests = isJsonObject(json) ? json['manifests'] : undefined;
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
  const [mediaType, artifactType] = [hint(value['mediaType']), hint(value['artifactType'])];
  return {
    digest,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function hint(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxMediaTypeLength ? value : undefined;
}
