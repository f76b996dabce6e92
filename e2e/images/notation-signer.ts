import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Notation } from '../tools/notation.ts';
import type { SampleImage } from './sample-image.ts';

/** Has Notation make a root and a key below it in a directory of its own; returns the root, PEM. */
export async function makeNotationKeys(notation: Notation, directory: string): Promise<string> {
  await mkdir(directory);
  await notation(['keys', directory]);
  return readFile(join(directory, 'root.pem'), 'utf8');
}

/** Signs as `notation sign` does, as C=US, ST=WA, O=Acme, CN=release. */
export interface NotationSigner {
  readonly sign: (image: SampleImage, format: 'jws' | 'cose') => Promise<void>;
}

/** @param directory what {@link makeNotationKeys} filled */
export function notationSigner(notation: Notation, directory: string): NotationSigner {
  const keys = [`--key=${join(directory, 'key.pem')}`, `--chain=${join(directory, 'chain.pem')}`];
  return {
    sign: async ({ pinned }, format) => {
      await notation(['sign', ...keys, `--format=${format}`, '--plain-http', pinned]);
    },
  };
}
