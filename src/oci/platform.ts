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

/** Other names that tools write (containerd, "platforms/database.go"). */
const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  i386: '386',
};
const systems: Readonly<Record<string, string>> = { macos: 'darwin' };
/** Variants that every node of the architecture runs, beside none at all. */
const commonVariants: Readonly<Record<string, readonly string[]>> = {
  arm: ['v5', 'v6', 'v7'],
  arm64: ['v8'],
  amd64: ['v1'],
};
/** What a node of the architecture falls back to where its own is missing (containerd, "platforms/compare.go"). */
const fallbacks: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

/**
 * Whether a node of the wanted platform might run an entry. Runtimes fill in what an entry leaves out, read other names
 * for the same, and fall back to older variants and architectures: only what is surely another platform is none.
 */
export function mayRunOn(wanted: Platform, entry: Platform): boolean {
  const [node, actual] = [normalise(wanted), normalise(entry)];
  const isOs = actual.os === '' || actual.os === node.os;
  const isArchitecture =
    ['', node.architecture].includes(actual.architecture) ||
    lookUp(fallbacks, node.architecture) === actual.architecture;
  return isOs && isArchitecture;
}

/** Whether every node of the wanted platform runs an entry, by what the entry says of itself. */
export function isMeantFor(wanted: Platform, entry: Platform): boolean {
  const [node, actual] = [normalise(wanted), normalise(entry)];
  if (actual.os !== node.os || actual.architecture !== node.architecture) return false;
  const common = ['', ...(lookUp(commonVariants, node.architecture) ?? [])];
  if (node.variant === '') return common.includes(actual.variant);
  return actual.variant === node.variant || (actual.variant === '' && node.variant === common.at(-1));
}

function normalise({ os, architecture, variant = '' }: Platform): Required<Platform> {
  const [system, machine, version] = [os.toLowerCase(), architecture.toLowerCase(), variant.toLowerCase()];
  return {
    os: lookUp(systems, system) ?? system,
    architecture: lookUp(architectures, machine) ?? machine,
    variant: /^[0-9]+$/.test(version) ? `v${version}` : version,
  };
}

const lookUp = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
