import { RefwardenError } from '../failures/failure.ts';
import { parseDigest } from './digest.ts';
import type { Digest } from './digest.ts';

/** Longest reference accepted, in characters (registry host 255 + repository 255 + tag 128 + sha512 digest). */
export const maxReferenceLength = 800;

/** Where images and what refers to them are kept. */
export interface Repository {
  /** Lower-case host with an optional port: `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path without the host, without tag and digest. */
  readonly repository: string;
}

/** A fully qualified image: `nginx` is `docker.io/library/nginx:latest` here. */
export interface ImageReference extends Repository {
  /** Present unless only a digest was given. */
  readonly tag?: string;
  readonly digest?: Digest;
}

// The grammar of distribution/reference (its regexp.go states it), hosts in lower case; each alternative is linear.
const hostLabel = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const hostPattern = new RegExp(`^(${hostLabel}(?:\\.${hostLabel})*|\\[[0-9a-f:]+\\])(?::[1-9][0-9]{0,4})?$`);
const segmentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const maxRepositoryLength = 255;

export const dockerHub = 'docker.io';
const dockerHubAliases = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

export const isTag = (text: string): boolean => tagPattern.test(text);

/** Whether the first segment of a name is a registry host (as containerd and Docker decide it). */
export function isRegistryHost(segment: string): boolean {
  return segment.includes('.') || segment.includes(':') || segment === 'localhost' || /[A-Z]/.test(segment);
}

/**
 * One name for each registry: aliases of Docker Hub and upper case fold, the default port goes.
 * Exact names only; nothing is resolved or URL-decoded.
 */
export function normalizeRegistry(host: string): string {
  const lower = host.toLowerCase();
  const withoutPort = lower.endsWith(':443') ? lower.slice(0, -4) : lower;
  if (dockerHubAliases.has(withoutPort)) return dockerHub;
  // A single label is a host only by its port: without one, `foo:443/x` would be called Docker Hub's `foo/x`.
  return isRegistryHost(withoutPort) ? withoutPort : `${withoutPort}:443`;
}

/**
 * Whether a normalised host is one that every reader takes for itself. A URL parser folds `0x7f.1` and `127.1` into
 * an address and shortens IPv6; a dialler reads the port `0443` as 443: such spellings would evade a pattern.
 */
export function isPlainHost(registry: string): boolean {
  const name = hostPattern.exec(registry)?.[1];
  // `[::ffff:7f00:1]` is 127.0.0.1 in other letters.
  if (name === undefined || name.startsWith('[::ffff:') || !URL.canParse(`https://${registry}`)) return false;
  return new URL(`https://${registry}`).hostname === name;
}

/** Whether text is a repository's path, or the first segments of one: `acme/shop`. */
export function isRepositoryPath(text: string): boolean {
  return (
    text.length <= maxRepositoryLength && text.split('/').every((segment) => segmentPattern.test(segment))
  );
}

/** Splits off host and path: `nginx` -> docker.io, library/nginx. Shared with image patterns. */
export function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  if (slash === -1 || !isRegistryHost(first)) {
    return { registry: dockerHub, repository: slash === -1 ? `library/${name}` : name };
  }
  const registry = normalizeRegistry(first);
  const rest = name.slice(slash + 1);
  // `docker.io/**` is all of Docker Hub.
  const isOfficial = registry === dockerHub && !rest.includes('/') && rest !== '**';
  return { registry, repository: isOfficial ? `library/${rest}` : rest };
}

/**
 * Parses what a pod's `image` field holds, by the grammar of distribution/reference, and normalises it.
 * @throws RefwardenError `ImageReferenceInvalid` or `DigestUnsupported`.
 */
export function parseImageReference(text: string): ImageReference {
  const refuse = (why: string): never => {
    const shown = text.length > 120 ? `${text.slice(0, 120)}...` : text;
    throw new RefwardenError('ImageReferenceInvalid', `Image ${JSON.stringify(shown)}: ${why}.`);
  };
  if (text.length === 0) refuse('it is empty');
  if (text.length > maxReferenceLength) refuse(`it is longer than ${maxReferenceLength} characters`);
  if (!/^[\x21-\x7e]+$/.test(text)) refuse('it holds a space or a character outside ASCII');

  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1));
  const named = at === -1 ? text : text.slice(0, at);
  // A colon after the last slash starts a tag; one before it belongs to the host's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  if (tag !== undefined && !tagPattern.test(tag)) refuse(`${JSON.stringify(tag)} is no tag`);
  // A container runtime looks these up among the images of the node, whatever repository those came from.
  if (/^(?:sha256:[0-9a-f]+|[0-9a-f]{64})$/.test(named)) refuse('this is an image ID, not a reference');

  const { registry, repository } = splitRegistry(name);
  if (!isPlainHost(registry)) refuse(`${JSON.stringify(registry)} is no registry host`);
  if (repository.length > maxRepositoryLength)
    refuse(`the repository is longer than ${maxRepositoryLength} characters`);
  const bad = repository.split('/').find((segment) => !segmentPattern.test(segment));
  if (bad !== undefined) {
    refuse(
      `${JSON.stringify(bad)} is no repository segment (lower-case letters and digits, separated by . _ or -)`,
    );
  }
  return {
    registry,
    repository,
    ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
    ...(digest !== undefined ? { digest } : {}),
  };
}

/**
 * Parses `host/path` of a repository.
 * @throws RefwardenError `ImageReferenceInvalid`.
 */
export function parseRepository(text: string): Repository {
  const [host = ''] = text.split('/', 1);
  const isWhole = text.includes('/') && isRegistryHost(host);
  if (!isWhole || text.includes('@') || text.includes(':', text.lastIndexOf('/'))) {
    const shown = JSON.stringify(text.slice(0, 120));
    throw new RefwardenError(
      'ImageReferenceInvalid',
      `${shown} is no repository: write host/path, without tag and digest.`,
    );
  }
  const { registry, repository } = parseImageReference(text);
  return { registry, repository };
}

/** `registry/repository`, the name that credentials and caches are scoped by. */
export function repositoryName({ registry, repository }: Repository): string {
  return `${registry}/${repository}`;
}

/** The fully qualified text; `parseImageReference` of it gives the same value. */
export function formatImageReference(image: ImageReference): string {
  const tag = image.tag === undefined ? '' : `:${image.tag}`;
  const digest = image.digest === undefined ? '' : `@${image.digest}`;
  return `${repositoryName(image)}${tag}${digest}`;
}
