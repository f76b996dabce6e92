import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, '..', 'fixtures', 'pki');

/** A file that openssl or Sigstore's timestamp authority made, `test/fixtures/making/pki/make.sh`. */
export function pkiFixture(path: string): Uint8Array {
  return readFileSync(join(directory, path));
}
