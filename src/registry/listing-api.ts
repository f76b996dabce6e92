import type { Clock, Subject } from '../admission/ports.ts';
import type { Failure } from '../failures/failure.ts';
import { RefwardenError, toFailure } from '../failures/failure.ts';
import { repositoryName } from '../image/reference.ts';
import { shortDigest } from '../image/digest.ts';
import { boundListing, parseEntries } from '../oci/listing.ts';
import type { ListedArtifact, Listing } from '../oci/listing.ts';
import { ociIndex } from '../oci/media-types.ts';
import { parseStrictJson } from '../oci/strict-json.ts';
import { contentType, isHtml, isRedirect } from '../network/http-answer.ts';
import type { HttpAnswer } from '../network/http-exchange.ts';
import type { RegistryLimits } from './limits.ts';
import { parseNextLink } from './link-header.ts';
import type { ListingEndpoint } from './listing-endpoints.ts';
import type { Located, RegistryEndpoints } from './registry-endpoints.ts';
import { errorCodes, oddAnswer, refusalOf } from './registry-refusal.ts';
import type { RegistryTransport } from './registry-transport.ts';
import type { Work } from './wire.ts';

/** The API is absent from the host, or the registry only does not know this repository or subject. */
export interface Absence {
  readonly kind: 'absent';
  readonly isWhole: boolean;
}

/** What all pages of one listing are asked with. */
interface Ask {
  readonly endpoint: ListingEndpoint;
  /** Names it in messages. */
  readonly what: string;
  readonly work: Work;
}

interface Page {
  readonly entries: readonly ListedArtifact[];
  readonly malformed: readonly Failure[];
  readonly next?: string | undefined;
  readonly sizeBytes: number;
}

/** Statuses by which registries without an API were seen to say so. */
const absentStatuses: ReadonlySet<number> = new Set([404, 405, 406, 501]);
/** Error codes that speak of the repository or subject, so that the API may well exist. */
const subjectCodes: ReadonlySet<string> = new Set([
  'NAME_UNKNOWN',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NOT_FOUND',
]);

/** Reads a listing with all of its pages. */
export class ListingApi {
  readonly #transport: RegistryTransport;
  readonly #endpoints: RegistryEndpoints;
  readonly #limits: RegistryLimits;
  readonly #clock: Clock;

  constructor(
    transport: RegistryTransport,
    endpoints: RegistryEndpoints,
    limits: RegistryLimits,
    clock: Clock,
  ) {
    this.#transport = transport;
    this.#endpoints = endpoints;
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * What was listed, with a fault when later pages could not be read.
   * @throws RefwardenError when the first page could not be read.
   */
  async fetch(endpoint: ListingEndpoint, subject: Subject, work: Work): Promise<Listing | Absence> {
    const what = `${repositoryName(subject)}: the listing (${endpoint.name}) of ${shortDigest(subject.digest)}`;
    const askedAtMs = this.#clock.nowMs();
    const at = this.#endpoints.locate(subject, endpoint.path(subject.digest), endpoint.root);
    at.url.search = endpoint.query?.(subject.digest) ?? '';
    const ask: Ask = { endpoint, what, work };
    const first = await this.#page(at, ask, 0);
    if ('kind' in first) return first;
    const pages = [first];
    const faults: Failure[] = [];
    try {
      await this.#followLinks(at, pages, ask);
    } catch (thrown) {
      faults.push(toFailure(thrown));
    }
    const entries = pages.flatMap((page) => page.entries);
    const malformed = pages.flatMap((page) => page.malformed);
    const listing: Listing = { kind: 'listing', entries, malformed, faults, askedAtMs };
    return boundListing(listing, this.#limits.maxReferrers, what);
  }

  async #followLinks({ target, url: home }: Located, pages: Page[], ask: Ask): Promise<void> {
    const { endpoint, what } = ask;
    const prefix = `${endpoint.root}/${target.repository}/`;
    const visited = new Set([home.href]);
    let from = home;
    for (let next = pages.at(-1)?.next; next !== undefined; next = pages.at(-1)?.next) {
      const url = URL.canParse(next, from.href) ? new URL(next, from) : undefined;
      const isHome = url?.origin === home.origin && url.username === '' && url.pathname.startsWith(prefix);
      if (url === undefined || !isHome) {
        throw new RefwardenError(
          'RegistryRefused',
          `${what}: the next page is not within the registry's API.`,
        );
      }
      if (visited.has(url.href))
        throw new RefwardenError('RegistryProtocolError', `${what}: its pages go round.`);
      const entryCount = pages.reduce((sum, page) => sum + page.entries.length + page.malformed.length, 0);
      if (pages.length >= this.#limits.maxListingPages || entryCount > this.#limits.maxReferrers) {
        throw new RefwardenError('TooManyReferrers', `${what}: not read past page ${pages.length}.`);
      }
      visited.add(url.href);
      const readBytes = pages.reduce((sum, page) => sum + page.sizeBytes, 0);
      const page = await this.#page({ target, url }, ask, readBytes);
      if ('kind' in page)
        throw new RefwardenError('RegistryProtocolError', `${what}: a further page is no list.`);
      pages.push(page);
      from = url;
    }
  }

  async #page(
    { target, url }: Located,
    { endpoint, what, work }: Ask,
    readBytes: number,
  ): Promise<Page | Absence> {
    const answer = await this.#transport.call(
      {
        target,
        url,
        method: 'GET',
        accept: `${ociIndex}, application/json`,
        maxBytes: this.#limits.maxListingBytes - readBytes,
        what,
        mayLeaveOrigin: false,
      },
      work,
    );
    const refusal = refusalOf(answer, target, what, work);
    if (refusal !== undefined) throw refusal;
    if (answer.status !== 200) return absenceOf(answer, what);
    // A page for people, or text, is no such API; what says that it is JSON and is not, is a fault.
    if (isHtml(answer) || contentType(answer)?.startsWith('text/') === true)
      return { kind: 'absent', isWhole: true };
    const json = parseStrictJson(answer.body, what, 'RegistryProtocolError');
    const list = parseEntries(json, what, this.#limits.maxReferrers, endpoint.keys);
    if (list === undefined) return { kind: 'absent', isWhole: true };
    return { ...list, next: parseNextLink(answer.headers['link'], what), sizeBytes: answer.body.byteLength };
  }
}

/** @throws RefwardenError for an answer that does not say "no such API". */
function absenceOf(answer: HttpAnswer, what: string): Absence {
  const codes = errorCodes(answer);
  const isAbsent =
    absentStatuses.has(answer.status) ||
    isRedirect(answer.status) ||
    (answer.status === 400 && codes.includes('UNSUPPORTED'));
  if (!isAbsent) throw oddAnswer(answer, what);
  return { kind: 'absent', isWhole: answer.status !== 404 || !codes.some((code) => subjectCodes.has(code)) };
}
