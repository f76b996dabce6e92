import type { Tagged } from '../admission/content-store.ts';
import type { ResolvedImage, Subject } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import { matchesDigestInTurns } from '../image/bytes-in-turns.ts';
import { computeDigest, matchesDigest, parseDigest, shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { ManifestContent } from '../oci/manifest-content.ts';
import { acceptManifests, isDocumentType } from '../oci/media-types.ts';
import { contentType, isHtml, isRedirect } from '../network/http-answer.ts';
import type { HttpAnswer } from '../network/http-exchange.ts';
import type { RegistryLimits } from './limits.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import { oddAnswer, refusalOf } from './registry-refusal.ts';
import type { RegistryTransport } from './registry-transport.ts';
import type { Work } from './wire.ts';

/** What a tag resolved to; with the content when that had to be fetched for it. */
export interface Resolution {
  readonly image: ResolvedImage;
  readonly content?: ManifestContent;
}

/** Manifests and blobs of a registry (OCI distribution-spec 1.1, "Pull"), each hashed. Nothing is remembered. */
export class RegistryApi {
  readonly #transport: RegistryTransport;
  readonly #endpoints: RegistryEndpoints;
  readonly #limits: RegistryLimits;

  constructor(transport: RegistryTransport, endpoints: RegistryEndpoints, limits: RegistryLimits) {
    this.#transport = transport;
    this.#endpoints = endpoints;
    this.#limits = limits;
  }

  /** HEAD first: Docker Hub does not count it, and it has no body. The digest it states is a name, never content. */
  async resolve(tagged: Tagged, work: Work): Promise<Resolution> {
    const head = await this.#callManifest(tagged, tagged.tag, 'HEAD', work);
    const digest = head.status === 200 && !isHtml(head) ? statedDigest(head) : undefined;
    if (digest !== undefined) return { image: resolvedImage(digest, contentType(head)) };
    // Some registries refuse HEAD, or say nothing by it: a GET tells "no such image" from "no such method".
    const content = await this.tagged(tagged, work);
    if (content !== undefined) return { image: resolvedImage(content.digest, content.contentType), content };
    throw new RefwardenError(
      'ImageNotFound',
      `${repositoryName(tagged)} has no tag ${JSON.stringify(tagged.tag)}.`,
    );
  }

  /** @throws RefwardenError `ImageNotFound`, `DigestMismatch` and those of a connection. */
  async manifest(subject: Subject, work: Work): Promise<ManifestContent> {
    const what = `${repositoryName(subject)}: manifest ${shortDigest(subject.digest)}`;
    const answer = await this.#callManifest(subject, subject.digest, 'GET', work);
    if (isHtml(answer)) throw oddAnswer(answer, what);
    if (answer.status === 404) throw new RefwardenError('ImageNotFound', `${what} is not there.`);
    if (answer.status !== 200) throw oddAnswer(answer, what);
    if (!matchesDigest(answer.body, subject.digest)) {
      throw new RefwardenError('DigestMismatch', `${what} does not hash to its digest.`);
    }
    return new ManifestContent(subject.digest, answer.body, contentType(answer));
  }

  /** Undefined when there is no such tag. The digest is computed from the bytes, and must be the stated one. */
  async tagged(tagged: Tagged, work: Work): Promise<ManifestContent | undefined> {
    const what = `${repositoryName(tagged)}: tag ${tagged.tag}`;
    const answer = await this.#callManifest(tagged, tagged.tag, 'GET', work);
    if (isHtml(answer)) throw oddAnswer(answer, what);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw oddAnswer(answer, what);
    const stated = statedDigest(answer);
    if (stated !== undefined && !matchesDigest(answer.body, stated)) {
      throw new RefwardenError(
        'DigestMismatch',
        `${what} does not hash to the digest that the registry states.`,
      );
    }
    const digest = stated ?? computeDigest(answer.body);
    const content = new ManifestContent(digest, answer.body, contentType(answer));
    if (stated === undefined) requireDocument(content, what);
    return content;
  }

  /** @throws RefwardenError `ArtifactMissing`, `SizeMismatch`, `DigestMismatch` and those of a connection. */
  async blob(target: Repository, blob: Descriptor, work: Work): Promise<Uint8Array> {
    const what = `${repositoryName(target)}: blob ${shortDigest(blob.digest)}`;
    const at = this.#endpoints.locate(target, `blobs/${blob.digest}`);
    const call = { ...at, method: 'GET', maxBytes: blob.size, what, mayLeaveOrigin: true } as const;
    const answer = await this.#transport.call(call, work).catch((thrown: unknown) => {
      const isOverrun = thrown instanceof RefwardenError && thrown.code === 'ArtifactTooLarge';
      throw isOverrun ? sizeMismatch(what, blob.size) : thrown;
    });
    const refusal = refusalOf(answer, call.target, what, work);
    if (refusal !== undefined) throw refusal;
    if (answer.status === 404 && !isHtml(answer)) {
      throw new RefwardenError('ArtifactMissing', `${what} is not there.`);
    }
    if (answer.status !== 200 || isHtml(answer)) throw oddAnswer(answer, what);
    if (answer.body.byteLength !== blob.size) throw sizeMismatch(what, blob.size);
    if (!(await matchesDigestInTurns(answer.body, blob.digest))) {
      throw new RefwardenError('DigestMismatch', `${what} does not hash to its digest.`);
    }
    return answer.body;
  }

  /** The answer to a manifest request, refusals and redirects to elsewhere thrown. */
  async #callManifest(
    target: Repository,
    reference: string,
    method: 'GET' | 'HEAD',
    work: Work,
  ): Promise<HttpAnswer> {
    const at = this.#endpoints.locate(target, `manifests/${reference}`);
    const what = `${repositoryName(target)}: manifest ${reference}`;
    const maxBytes = this.#limits.maxManifestBytes;
    const call = { ...at, method, accept: acceptManifests, maxBytes, what, mayLeaveOrigin: false };
    const answer = await this.#transport.call(call, work);
    const refusal = refusalOf(answer, call.target, what, work);
    if (refusal !== undefined) throw refusal;
    if (isRedirect(answer.status)) {
      throw new RefwardenError('RegistryRefused', `${what}: the redirect to another host is not followed.`);
    }
    return answer;
  }
}

export function sizeMismatch(what: string, size: number): RefwardenError {
  return new RefwardenError('SizeMismatch', `${what} has not the ${size} bytes that its descriptor states.`);
}

/** Nothing vouches for these bytes, so that what is no manifest may as well be cut short or a proxy's page. */
function requireDocument(content: ManifestContent, what: string): void {
  try {
    content.document();
  } catch (cause) {
    throw new RefwardenError('RegistryProtocolError', `${what}: the answer is no manifest.`, cause);
  }
}

function resolvedImage(digest: Digest, mediaType: string | undefined): ResolvedImage {
  const isKnown = mediaType !== undefined && isDocumentType(mediaType);
  return { digest, ...(isKnown ? { mediaType } : {}) };
}

/** Docker-Content-Digest, when it is a digest that can be computed. */
function statedDigest(answer: HttpAnswer): Digest | undefined {
  const header = answer.headers['docker-content-digest'];
  if (typeof header !== 'string') return undefined;
  try {
    return parseDigest(header);
  } catch {
    return undefined;
  }
}
