/** Where source came from. */
export interface SourceLocation {
  /** Without `git+`, `.git` and reference. */
  readonly repository: string;
  /** Empty when the text does not say. */
  readonly ref: string;
}

const schemePattern = /^[a-z][a-z0-9+.-]*:\/\//;

/**
 * Takes apart what builders write for a repository: `git+https://host/path@ref` (SPDX download locations) and
 * `https://host/path.git#ref:directory` (Docker's build contexts). The repository is always a prefix of what was written.
 */
export function parseSourceLocation(text: string): SourceLocation {
  const isPip = text.startsWith('git+');
  const uri = isPip ? text.slice('git+'.length) : text;
  const hash = uri.indexOf('#');
  const before = hash < 0 ? uri : uri.slice(0, hash);
  const fragment = hash < 0 ? '' : uri.slice(hash + 1);
  const authorityEnd = before.indexOf('/', schemePattern.exec(before)?.[0].length ?? 0);
  // An `@` before the path is that of a user name.
  const at = isPip && authorityEnd >= 0 ? before.indexOf('@', authorityEnd) : -1;
  const location = at < 0 ? before : before.slice(0, at);
  const [fragmentRef = ''] = fragment.split(':', 1);
  return {
    repository: location.replace(/\/$/, '').replace(/\.git$/, ''),
    // After a reference, a fragment is a directory.
    ref: at < 0 ? fragmentRef : before.slice(at + 1),
  };
}
