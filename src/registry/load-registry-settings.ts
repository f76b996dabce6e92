import { dirname } from 'node:path';
import { RefwardenError } from '../failures/failure.ts';
import { readBounded } from './bounded-file.ts';
import type { RegistryLimits } from './limits.ts';
import { contradictions, hostSchema, parseRegistrySettings } from './registry-settings.ts';
import type { RegistryEntry, RegistrySettings, SettingsFile } from './registry-settings.ts';
import { loadTlsMaterial } from './tls-material.ts';

/** Largest settings file, bytes. */
const maxFileBytes = 1024 * 1024;

/** What a client is made with. */
export interface LoadedSettings {
  readonly registries: readonly RegistrySettings[];
  readonly limits: Partial<RegistryLimits>;
}

/**
 * Settings of a file, if any, with the hosts that the command line adds for plain HTTP, and the TLS material that the
 * file names: it is read once, and paths are relative to the file.
 * @throws RefwardenError `ConfigurationInvalid`: a file that cannot be read, a field or a host that is wrong.
 */
export async function loadRegistrySettings(
  path: string | undefined,
  plainHttp: readonly string[],
): Promise<LoadedSettings> {
  const { registries, limits } = path === undefined ? parseRegistrySettings('{}') : await readSettings(path);
  const entries = withPlainHttp(registries, plainHttp);
  const directory = path === undefined ? '.' : dirname(path);
  return { registries: await Promise.all(entries.map((entry) => loadTlsMaterial(entry, directory))), limits };
}

function withPlainHttp(registries: readonly RegistryEntry[], plainHttp: readonly string[]): RegistryEntry[] {
  const added = [...new Set(plainHttp)].map((host): RegistryEntry => {
    const problem = hostSchema.safeParse(host).error?.issues[0];
    if (problem === undefined) return { host, plainHttp: true };
    throw new RefwardenError(
      'ConfigurationInvalid',
      `--plain-http ${JSON.stringify(host)} ${problem.message}.`,
    );
  });
  const plain = new Set(added.map(({ host }) => host));
  const known = new Set(registries.map(({ host }) => host));
  const all = [
    ...registries.map((entry) => (plain.has(entry.host) ? { ...entry, plainHttp: true } : entry)),
    ...added.filter(({ host }) => !known.has(host)),
  ];
  for (const entry of all) {
    const [problem] = contradictions(entry, all);
    if (problem === undefined) continue;
    throw new RefwardenError(
      'ConfigurationInvalid',
      `--plain-http ${entry.host} does not fit the settings of that host: ${problem.field} ${problem.why}.`,
    );
  }
  return all;
}

async function readSettings(path: string): Promise<SettingsFile> {
  const text = (await readBounded(path, maxFileBytes, `The registry settings ${path}`)).toString('utf8');
  try {
    return parseRegistrySettings(text);
  } catch (error) {
    throw error instanceof RefwardenError
      ? new RefwardenError(error.code, `${path}: ${error.message}`, error)
      : error;
  }
}
