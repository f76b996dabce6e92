import { normalizeRegistry } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import { compileLabels } from '../image/pattern.ts';

/** The key under which Docker keeps the account of Docker Hub. */
export const legacyHubKey = 'https://index.docker.io/v1/';

/**
 * What a key of a Docker configuration stands for, by the kubelet's rules (kubernetes `pkg/credentialprovider`,
 * keyring.go): host with an optional port, `*` within a label, and a path that repositories start with. Other than
 * there a path ends at a segment, so that `ghcr.io/acme` says nothing of `ghcr.io/acmeevil` (threat 9).
 */
export interface CredentialKey {
  /** As written. */
  readonly text: string;
  /** Normalised, with its port. */
  readonly host: string;
  readonly hasWildcard: boolean;
  readonly matchesHost: (registry: string) => boolean;
  /** Segments joined by `/`; empty for the whole host. */
  readonly path: string;
}

/** A scheme is left out, and `/v1/` and `/v2/` are the API of the host, not a path. */
export function parseCredentialKey(text: string): CredentialKey {
  const [host = '', ...rest] = text.replace(/^https?:\/\//, '').split('/');
  const segments = rest.filter((segment) => segment !== '');
  if (segments[0] === 'v1' || segments[0] === 'v2') segments.shift();
  const [normalized, hasWildcard] = [normalizeRegistry(host), host.includes('*')];
  const matchesHost = hasWildcard
    ? compileWildcardHost(normalized)
    : (registry: string): boolean => registry === normalized;
  return { text, host: normalized, hasWildcard, matchesHost, path: segments.join('/') };
}

export function matchesCredentialKey(key: CredentialKey, { registry, repository }: Repository): boolean {
  const isUnderPath = key.path === '' || `${repository}/`.startsWith(`${key.path}/`);
  return isUnderPath && key.matchesHost(registry);
}

/**
 * Sorts the most specific first: a host before a wildcard, fewer wildcards before more, a longer path before a
 * shorter. Of two keys that stand for the same, Docker's own for its Hub comes first, then the one without a scheme.
 */
export function compareCredentialKeys(one: CredentialKey, other: CredentialKey): number {
  return (
    wildcards(one) - wildcards(other) ||
    other.path.length - one.path.length ||
    other.host.length - one.host.length ||
    preference(one) - preference(other) ||
    Number(one.text > other.text) - Number(one.text < other.text)
  );
}

const wildcards = ({ host }: CredentialKey): number => host.split('*').length - 1;

function preference({ text }: CredentialKey): number {
  if (text === legacyHubKey) return 0;
  return text.includes('://') ? 2 : 1;
}

/** As many labels, each matched on its own, and the very same port. */
function compileWildcardHost(pattern: string): CredentialKey['matchesHost'] {
  const [wanted, wantedPort] = splitPort(pattern);
  const matchesName = compileLabels(wanted);
  return (registry) => {
    const [name, port] = splitPort(registry);
    return wantedPort === port && matchesName(name);
  };
}

function splitPort(host: string): [name: string, port: string] {
  const port = /:([0-9]+)$/.exec(host)?.[1] ?? '';
  return [port === '' ? host : host.slice(0, -port.length - 1), port];
}
