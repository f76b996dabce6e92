import { RefwardenError } from '../failures/failure.ts';
import { isPlainHost, isRegistryHost, normalizeRegistry, splitRegistry } from './reference.ts';
import type { ImageReference } from './reference.ts';

export const maxPatternLength = 512;

/**
 * Selects images by their fully qualified name. Grammar: `**` alone selects every image; otherwise
 * `host/path[:tag][@digest]`, where `*` stands for any text inside one segment (or inside the tag) and `**`
 * for any number of segments. Without a host the pattern means Docker Hub, as in an image reference.
 * The host is matched as a host, so that `registry.k8s.io/**` never selects `attacker.example/registry.k8s.io/x`.
 */
export interface ImagePattern {
  readonly text: string;
  /** The one registry (normalised) whose images it selects; absent when its host has a wildcard. */
  readonly registry?: string;
  /** Selects by a whole digest: whatever moves, it means the same bytes. */
  readonly byDigest: boolean;
  /** Whether host and repository are among those that it selects, whatever tag or digest. */
  matchesRepository(image: ImageReference): boolean;
  matches(image: ImageReference): boolean;
  /**
   * Whether the image may be one that the pattern means: beside a digest a tag is a mere claim or missing, so that a
   * pattern with a tag may mean every digest of its repository.
   */
  mayMean(image: ImageReference): boolean;
}

/** @throws RefwardenError `ImagePatternInvalid`. */
export function compileImagePattern(text: string): ImagePattern {
  const refuse = (why: string): never => {
    throw new RefwardenError(
      'ImagePatternInvalid',
      `Image pattern ${JSON.stringify(text.slice(0, 120))}: ${why}.`,
    );
  };
  if (text.length === 0) refuse('it is empty');
  if (text.length > maxPatternLength) refuse(`it is longer than ${maxPatternLength} characters`);
  if (!/^[\x21-\x7e]+$/.test(text)) refuse('it holds a space or a character outside ASCII');
  if (text === '**') {
    const every = (): boolean => true;
    return { text, byDigest: false, matchesRepository: every, matches: every, mayMean: every };
  }

  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigestPattern(digest))
    refuse('what follows @ is no whole digest: sha256: and 64 hexadecimal digits, or with * for any');
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !/^[A-Za-z0-9_.*-]+$/.test(tag)) refuse('what follows the last : is no tag');
  const name = colon === -1 ? named : named.slice(0, colon);
  // Each of these would quietly select next to nothing of what its author meant.
  if (name === '*') refuse('** alone is every image, docker.io/* the official ones of Docker Hub');
  if (name.startsWith('**')) refuse('** stands for no host: write */** for any');
  if (!name.includes('/') && isRegistryHost(name))
    refuse('a host selects nothing without a path: write host/**');
  const { host, segments } = splitPattern(name);
  if (segments.includes('')) refuse('it has an empty segment');
  const mixed = segments.find((segment) => segment !== '**' && segment.includes('**'));
  if (mixed !== undefined) refuse(`** stands alone in a segment, unlike in ${JSON.stringify(mixed)}`);
  if (host.includes('**')) refuse('the host takes * for one label, and no **');
  const isHost = host.includes('*') ? /^[a-z0-9.*-]+(?::[0-9*]+)?$/.test(host) : isPlainHost(host);
  if (!isHost) refuse(`${JSON.stringify(host)} is no registry host`);
  const bad = segments.find((segment) => !/^[a-z0-9._*-]+$/.test(segment));
  if (bad !== undefined) refuse(`${JSON.stringify(bad)} has a character that no repository has`);

  const [matchesHost, matchesPath] = [compileHost(host), compilePath(segments)];
  const matchesDigest = digest === undefined ? undefined : compileWildcard(digest);
  const matchesTagText = tag === undefined ? undefined : compileWildcard(tag);
  const matchesRepository = ({ registry, repository }: ImageReference): boolean =>
    matchesHost(registry) && matchesPath(repository.split('/'));
  const matchesName = (image: ImageReference): boolean =>
    matchesRepository(image) &&
    (matchesDigest === undefined || (image.digest !== undefined && matchesDigest(image.digest)));
  const matchesTag = (image: ImageReference): boolean =>
    matchesTagText === undefined || (image.tag !== undefined && matchesTagText(image.tag));
  return {
    text,
    ...(host.includes('*') ? {} : { registry: host }),
    byDigest: digest !== undefined && !digest.includes('*'),
    matchesRepository,
    matches: (image) => matchesName(image) && matchesTag(image),
    mayMean: (image) => matchesName(image) && (image.digest !== undefined || matchesTag(image)),
  };
}

/** A digest that is cut short would select nothing, and what it was meant for would go unjudged. */
const isDigestPattern = (digest: string): boolean =>
  digest.includes('*')
    ? /^[a-z0-9*]+:[0-9a-f*]+$/.test(digest)
    : /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest);

function splitPattern(name: string): { host: string; segments: string[] } {
  const first = name.slice(0, Math.max(name.indexOf('/'), 0));
  // `*/app` and `*.example.com/app`: a wildcard host.
  if (first === '*' || (first.includes('*') && isRegistryHost(first))) {
    return {
      host: first === '*' ? first : normalizeRegistry(first),
      segments: name.slice(first.length + 1).split('/'),
    };
  }
  const { registry, repository } = splitRegistry(name);
  return { host: registry, segments: repository.split('/') };
}

type TextMatch = (text: string) => boolean;

/** `*` covers at most one label of the host, so that `icr*` never selects `icr.attacker.example`. */
function compileHost(pattern: string): TextMatch {
  if (pattern === '*') return () => true;
  if (!pattern.includes('*')) return (host) => host === pattern;
  const [patternName, patternPort] = splitPort(pattern);
  const matchesPort = patternPort === undefined ? undefined : compileWildcard(patternPort);
  const matchesName = patternName === '*' ? undefined : compileLabels(patternName);
  return (host) => {
    const [name, port] = splitPort(host);
    // A normalised host leaves its port out when it is that of https.
    if (matchesPort === undefined ? port !== undefined : !matchesPort(port ?? '443')) return false;
    return matchesName === undefined || matchesName(name);
  };
}

/** As many labels of a host, each matched on its own. Also the hosts of credentials are matched by it. */
export function compileLabels(pattern: string): TextMatch {
  const wanted = pattern.split('.').map(compileWildcard);
  return (name) => {
    const labels = name.split('.');
    return wanted.length === labels.length && wanted.every((matches, i) => matches(labels[i] ?? ''));
  };
}

function splitPort(host: string): [name: string, port: string | undefined] {
  const colon = host.lastIndexOf(':');
  return colon === -1 || host.endsWith(']')
    ? [host, undefined]
    : [host.slice(0, colon), host.slice(colon + 1)];
}

/** `*` stands for any text, none included. */
function compileWildcard(pattern: string): TextMatch {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  const between = rest.filter((piece) => piece !== '');
  return (text) => {
    const end = text.length - last.length;
    if (first.length > end || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    // The first place of each piece leaves the most room for the others.
    for (const piece of between) {
      const found = text.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** The same over segments, with `**` for any number of them. */
function compilePath(segments: readonly string[]): (path: readonly string[]) => boolean {
  const runs: TextMatch[][] = [[]];
  for (const segment of segments) {
    if (segment === '**') runs.push([]);
    else runs.at(-1)?.push(compileWildcard(segment));
  }
  const isAt = (run: readonly TextMatch[], path: readonly string[], at: number): boolean =>
    run.every((matches, i) => matches(path[at + i] ?? ''));
  const [first = [], ...rest] = runs;
  const last = rest.pop();
  if (last === undefined) return (path) => path.length === first.length && isAt(first, path, 0);
  return (path) => {
    const end = path.length - last.length;
    if (first.length > end || !isAt(first, path, 0) || !isAt(last, path, end)) return false;
    let at = first.length;
    for (const run of rest) {
      while (at + run.length <= end && !isAt(run, path, at)) at++;
      if (at + run.length > end) return false;
      at += run.length;
    }
    return true;
  };
}
