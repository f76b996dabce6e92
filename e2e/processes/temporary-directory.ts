import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onProcessExit } from './on-process-exit.ts';

export interface TemporaryDirectory {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/**
 * A directory that is gone when this process ends, at the latest.
 * `REFWARDEN_E2E_KEEP=1` keeps it (logs, etcd data) for a look after the run.
 */
export async function makeTemporaryDirectory(purpose: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `refwarden-${purpose}-`));
  if (process.env['REFWARDEN_E2E_KEEP'] === '1') {
    process.stderr.write(`keeps ${path}\n`);
    return { path, remove: () => Promise.resolve() };
  }
  const forget = onProcessExit(() => {
    // Processes that were killed a moment ago may still write.
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  });
  return {
    path,
    remove: async () => {
      forget();
      await rm(path, { recursive: true, force: true });
    },
  };
}
