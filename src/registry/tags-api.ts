import type { TagList } from '../admission/content-store.ts';
import { RefwardenError } from '../failures/failure.ts';
import { isTag, repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import { isJsonObject, parseStrictJson } from '../oci/strict-json.ts';
import { isHtml } from '../network/http-answer.ts';
import type { RegistryLimits } from './limits.ts';
import { parseNextLink } from './link-header.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import { oddAnswer, refusalOf } from './registry-refusal.ts';
import type { RegistryTransport } from './registry-transport.ts';
import type { Work } from './wire.ts';

/** `GET /v2/<name>/tags/list` (distribution-spec 1.1, "Listing Tags"), page by page up to the bounds. */
export class TagsApi {
  readonly #transport: RegistryTransport;
  readonly #endpoints: RegistryEndpoints;
  readonly #limits: RegistryLimits;

  constructor(transport: RegistryTransport, endpoints: RegistryEndpoints, limits: RegistryLimits) {
    this.#transport = transport;
    this.#endpoints = endpoints;
    this.#limits = limits;
  }

  /** A repository that is unknown has no tags. @throws RefwardenError those of a connection. */
  async fetch(repository: Repository, work: Work): Promise<Omit<TagList, 'askedAtMs'>> {
    const what = `${repositoryName(repository)}: the list of tags`;
    const { target, url } = this.#endpoints.locate(repository, 'tags/list');
    const tags: string[] = [];
    let next: URL | undefined = url;
    let readBytes = 0;
    for (let pages = 0; next !== undefined; pages++) {
      if (pages >= this.#limits.maxListingPages || readBytes >= this.#limits.maxListingBytes) {
        return { tags, isWhole: false };
      }
      const answer = await this.#transport.call(
        {
          target,
          url: next,
          method: 'GET',
          accept: 'application/json',
          maxBytes: this.#limits.maxListingBytes - readBytes,
          what,
          mayLeaveOrigin: false,
        },
        work,
      );
      const refusal = refusalOf(answer, target, what, work);
      if (refusal !== undefined) throw refusal;
      if (answer.status === 404 && !isHtml(answer)) return { tags, isWhole: true };
      if (answer.status !== 200 || isHtml(answer)) throw oddAnswer(answer, what);
      readBytes += answer.body.byteLength;
      tags.push(...readTags(answer.body, what));
      next = nextPage(parseNextLink(answer.headers['link'], what), next, url, what);
    }
    return { tags, isWhole: true };
  }
}

function readTags(body: Uint8Array, what: string): string[] {
  const json = parseStrictJson(body, what, 'RegistryProtocolError');
  const tags = isJsonObject(json) ? (json['tags'] ?? []) : undefined;
  if (!Array.isArray(tags)) throw new RefwardenError('RegistryProtocolError', `${what} is no list.`);
  return tags.filter((tag) => typeof tag === 'string').filter(isTag);
}

/** The next page is the same list further on; anything else that a registry names is not asked. */
function nextPage(link: string | undefined, from: URL, home: URL, what: string): URL | undefined {
  if (link === undefined) return undefined;
  const url = URL.canParse(link, from.href) ? new URL(link, from) : undefined;
  if (url?.origin !== home.origin || url.pathname !== home.pathname || url.username !== '') {
    throw new RefwardenError('RegistryRefused', `${what}: the next page is not within the registry's API.`);
  }
  if (url.href === from.href)
    throw new RefwardenError('RegistryProtocolError', `${what}: its pages go round.`);
  return url;
}
