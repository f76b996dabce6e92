import { RefwardenError } from '../failures/failure.ts';

/** Longest Link header that is read, characters. */
const maxLinkLength = 8 * 1024;

// Sticky, each linear: what separates links; a target; a parameter with its quoted or bare value; the end of a link.
const separator = /[ \t,]*/y;
const target = /<([^<>]*)>/y;
const parameter =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+)))?)?/iy;
const end = /[ \t]*(?:,|$)/y;

/**
 * The target of the first link whose relation types hold `next` (RFC 8288, 3), or undefined when there is none.
 * @throws RefwardenError `RegistryProtocolError` for a header that does not parse: pages must not get lost silently.
 */
export function parseNextLink(header: string | string[] | undefined, what: string): string | undefined {
  const text = (typeof header === 'string' ? [header] : (header ?? [])).join(', ');
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };

  take(separator);
  while (at < text.length) {
    const uri = text.length > maxLinkLength ? undefined : take(target)?.[1];
    let relation: string | undefined;
    for (let found = take(parameter); found !== null; found = take(parameter)) {
      // Only the first rel counts.
      if (found[1]?.toLowerCase() === 'rel') relation ??= found[2]?.replace(/\\(.)/g, '$1') ?? found[3] ?? '';
    }
    if (uri === undefined || take(end) === null) {
      throw new RefwardenError('RegistryProtocolError', `${what}: the Link header does not parse.`);
    }
    const types = relation?.toLowerCase().split(/[ \t]+/);
    if (types?.includes('next')) return uri;
    take(separator);
  }
  return undefined;
}
