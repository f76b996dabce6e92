import { RefwardenError } from '../../failures/failure.ts';
import { readBounded } from '../bounded-file.ts';

/** Largest file with a token, bytes. */
const maxTokenFileBytes = 64 * 1024;

/**
 * The token in a file that the platform mounts and renews.
 * @param variable of the environment that names the file.
 * @throws RefwardenError `RegistryUnauthorized`
 */
export async function readTokenFile(file: string, variable: string): Promise<string> {
  try {
    return (await readBounded(file, maxTokenFileBytes, variable)).toString('utf8').trim();
  } catch (cause) {
    const why = cause instanceof RefwardenError ? cause.message : `${variable} cannot be read.`;
    throw new RefwardenError('RegistryUnauthorized', why, cause);
  }
}
