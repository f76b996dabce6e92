import type { Platform } from './descriptor.ts';

/** Longest name of a platform, characters. */
export const maxPlatformLength = 128;
/** `os/architecture` or `os/architecture/variant`, as in `linux/arm/v7`; text of a regular expression. */
export const platformPattern = '[a-z0-9_.-]+/[a-z0-9_.-]+(?:/[a-z0-9_.-]+)?';
const wholePlatform = new RegExp(`^${platformPattern}$`);

/** Undefined for what is no name of a platform. */
export function parsePlatform(text: string): Platform | undefined {
  if (text.length > maxPlatformLength || !wholePlatform.test(text)) return undefined;
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

/** Other names that tools write for an architecture (containerd, "platforms/database.go"). */
const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
};
/** What a missing variant stands for. */
const impliedVariants: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

/**
 * Whether a node of the wanted platform might run what an index lists for the actual one. A variant that is not asked for
 * takes any: it is not known which of them a node prefers.
 */
export function matchesPlatform(wanted: Platform, actual: Platform): boolean {
  const [a, b] = [normalise(wanted), normalise(actual)];
  return (
    a.os === b.os &&
    a.architecture === b.architecture &&
    (wanted.variant === undefined || a.variant === b.variant)
  );
}

function normalise({ os, architecture, variant = '' }: Platform): Required<Platform> {
  const lower = architecture.toLowerCase();
  const name = Object.hasOwn(architectures, lower) ? (architectures[lower] ?? lower) : lower;
  const implied = Object.hasOwn(impliedVariants, name) ? (impliedVariants[name] ?? '') : '';
  const given = variant.toLowerCase();
  const numbered = /^[0-9]+$/.test(given) ? `v${given}` : given;
  return { os: os.toLowerCase(), architecture: name, variant: numbered === '' ? implied : numbered };
}
