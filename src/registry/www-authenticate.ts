/** One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1). Scheme and parameter names are lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longest header that is read, characters; a longer one is taken for no challenge. */
const maxHeaderLength = 8 * 1024;
const maxChallenges = 16;

// Sticky, each linear: a scheme or parameter name; a parameter's value; what separates.
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const space = /[ \t]*/y;
const separator = /[ \t,]*/y;

/** Reads the challenges of all headers of that name; stops where the grammar does, and never throws. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const text = (typeof header === 'string' ? [header] : (header ?? [])).join(', ');
  if (text.length > maxHeaderLength) return [];
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };

  take(separator);
  while (at < text.length && challenges.length < maxChallenges) {
    const scheme = take(token)?.[0];
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    take(space);
    if (take(token68) === null) readParameters(parameters);
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(separator);
  }
  return challenges;

  function readParameters(parameters: Map<string, string>): void {
    for (;;) {
      const start = at;
      const name = take(token)?.[0].toLowerCase();
      take(space);
      if (name === undefined || text[at] !== '=') {
        at = start; // the next challenge's scheme, or the end
        return;
      }
      at++;
      take(space);
      const value = take(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? take(token)?.[0];
      if (value === undefined) return;
      if (!parameters.has(name)) parameters.set(name, value);
      take(separator);
    }
  }
}
