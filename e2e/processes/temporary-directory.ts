import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/** `REFWARDEN_E2E_KEEP=1` keeps the directory (logs, etcd data) for a look after the run. */
export async function makeTemporaryDirectory(purpose: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `refwarden-${purpose}-`));
  return {
    path,
    remove: async () => {
      if (process.env['REFWARDEN_E2E_KEEP'] === '1') {
        process.stderr.write(`kept ${path}\n`);
        return;
      }
      await rm(path, { recursive: true, force: true });
    },
  };
}
