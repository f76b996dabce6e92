import { RefwardenError } from '../../failures/failure.ts';
import { readBounded } from '../bounded-file.ts';
import type { CloudMeans } from './cloud-provider.ts';

/** Largest file with a token, bytes. */
const maxTokenFileBytes = 64 * 1024;

/**
 * The token in a file that the platform mounts and renews; undefined where no file is named.
 * @param variable of the environment that names the file.
 * @throws RefwardenError `RegistryUnauthorized`
 */
export async function readTokenFile(
  { environment }: CloudMeans,
  variable: string,
): Promise<string | undefined> {
  const file = environment[variable];
  if (file === undefined) return undefined;
  try {
    return (await readBounded(file, maxTokenFileBytes, variable)).toString('utf8').trim();
  } catch (cause) {
    const why = cause instanceof RefwardenError ? cause.message : `${variable} cannot be read.`;
    throw new RefwardenError('RegistryUnauthorized', why, cause);
  }
}
