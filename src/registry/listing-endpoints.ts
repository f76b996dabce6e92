import type { ListingApiName } from '../admission/content-store.ts';
import type { Digest } from '../image/digest.ts';

/** One way to ask for a list of descriptors. */
export interface ListingEndpoint {
  /** What is remembered of a host is remembered for it. */
  readonly name: string;
  /** What the path begins with, before `<name>/`; further pages stay below it. */
  readonly root: '/v2' | '/oras/artifacts/v1';
  /** What follows `<name>/`. */
  readonly path: (subject: Digest) => string;
  readonly query?: (subject: Digest) => string;
  /** Keys that the list may stand under, the usual one first. */
  readonly keys: readonly string[];
}

/** Both versions were seen to answer with the key of the other. */
const orasKeys = ['referrers', 'references'];

/**
 * What is asked for each API, in order; the next only where the host lacks the one before. The server's filter by
 * artifact type is not used: what it leaves out would be taken for absent.
 */
export const listingEndpoints: Readonly<Record<ListingApiName, readonly ListingEndpoint[]>> = {
  // The founding proposal (opencontainers/image-spec #827): what refers to the subject, and the indexes that contain it.
  references: [
    {
      name: 'references',
      root: '/v2',
      path: (subject) => `manifests/${subject}/references`,
      keys: ['manifests'],
    },
  ],
  // distribution-spec 1.1, "Listing Referrers".
  referrers: [
    { name: 'referrers', root: '/v2', path: (subject) => `referrers/${subject}`, keys: ['manifests'] },
  ],
  // ORAS artifacts-spec, "manifest-referrers-api.md" of 1.0.0-rc.1 and rc.2, and of draft.1.
  oras: [
    {
      name: 'oras-rc',
      root: '/v2',
      path: () => '_oras/artifacts/referrers',
      query: (subject) => `digest=${encodeURIComponent(subject)}`,
      keys: orasKeys,
    },
    {
      name: 'oras-draft',
      root: '/oras/artifacts/v1',
      path: (subject) => `manifests/${subject}/referrers`,
      keys: orasKeys,
    },
  ],
};
