import { open } from 'node:fs/promises';
import { RefwardenError } from '../failures/failure.ts';
import { parseRegistrySettings } from './registry-settings.ts';
import type { SettingsFile } from './registry-settings.ts';

/** Largest settings file, bytes. */
const maxFileBytes = 1024 * 1024;

/**
 * Settings of a file, if any, with the hosts that the command line adds for plain HTTP.
 * @throws RefwardenError `ConfigurationInvalid`: a file that cannot be read, a field or a host that is wrong.
 */
export async function loadRegistrySettings(
  path: string | undefined,
  plainHttp: readonly string[],
): Promise<SettingsFile> {
  const { registries, limits } = path === undefined ? parseRegistrySettings('{}') : await readSettings(path);
  const added = parseRegistrySettings(
    JSON.stringify({ registries: [...new Set(plainHttp)].map((host) => ({ host, plainHttp: true })) }),
  ).registries;
  const plain = new Set(added.map(({ host }) => host));
  const known = new Set(registries.map(({ host }) => host));
  return {
    registries: [
      ...registries.map((settings) =>
        plain.has(settings.host) ? { ...settings, plainHttp: true } : settings,
      ),
      ...added.filter(({ host }) => !known.has(host)),
    ],
    limits,
  };
}

async function readSettings(path: string): Promise<SettingsFile> {
  const text = await readBounded(path);
  try {
    return parseRegistrySettings(text);
  } catch (error) {
    throw error instanceof RefwardenError
      ? new RefwardenError(error.code, `${path}: ${error.message}`, error)
      : error;
  }
}

async function readBounded(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): RefwardenError =>
    new RefwardenError(
      'ConfigurationInvalid',
      `The registry settings ${path} cannot be read: ${why}.`,
      cause,
    );
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > maxFileBytes) throw refuse(`it is larger than ${maxFileBytes} bytes`);
    return await file.readFile('utf8');
  } catch (cause) {
    if (cause instanceof RefwardenError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'error';
    throw refuse(code === 'ENOENT' ? 'it does not exist' : code, cause);
  }
}
