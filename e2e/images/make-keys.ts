import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cosign } from '../tools/cosign.ts';

/** Has cosign make `release.key` and `stranger.key`; returns the public key of the former, PEM. */
export async function makeKeys(cosign: Cosign, directory: string): Promise<string> {
  for (const name of ['release', 'stranger']) {
    await cosign.run(['generate-key-pair', `--output-key-prefix=${name}`], { cwd: directory });
  }
  return readFile(join(directory, 'release.pub'), 'utf8');
}
