import { RefwardenError } from '../failures/failure.ts';

/** Longest Link header that is read, characters. */
const maxLinkLength = 8 * 1024;

const link =
  /[ \t,]*<([^<>]*)>((?:[ \t]*;[ \t]*[a-z*]+(?:[ \t]*=[ \t]*(?:"[^"]*"|[^\s;,"]+))?)*)[ \t]*(?:,|$)/iy;

/**
 * The target of `rel="next"` (RFC 8288), or undefined when there is none.
 * @throws RefwardenError `RegistryProtocolError` for a header that does not parse: pages must not get lost silently.
 */
export function parseNextLink(header: string | string[] | undefined, what: string): string | undefined {
  const text = (typeof header === 'string' ? [header] : (header ?? [])).join(', ');
  link.lastIndex = 0;
  for (let at = 0; at < text.length; at = link.lastIndex) {
    const match = text.length > maxLinkLength ? null : link.exec(text);
    if (match === null) {
      throw new RefwardenError('RegistryProtocolError', `${what}: the Link header does not parse.`);
    }
    if (/;[ \t]*rel[ \t]*=[ \t]*(?:"next"|next)(?![^\s;,])/i.test(match[2] ?? '')) return match[1];
  }
  return undefined;
}
