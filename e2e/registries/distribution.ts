import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureComponent } from '../components/ensure-component.ts';
import { freePort } from '../processes/free-ports.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { RunningRegistry } from './running-registry.ts';
import { startRegistry } from './start-registry.ts';

export interface PrivateRegistry extends RunningRegistry {
  /** Starts it again for this account only, a line of an htpasswd file. */
  readonly protect: (account: string) => Promise<void>;
}

/**
 * Distribution 3: no referrers API, so that its clients fall back to the tag `sha256-<hex>`.
 * @param listenAddress IP address that it listens on; it is asked at 127.0.0.1.
 */
export async function startDistribution(listenAddress = '127.0.0.1'): Promise<PrivateRegistry> {
  const file = await ensureComponent('distribution');
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const directory = await makeTemporaryDirectory('distribution');
  const configPath = join(directory.path, 'config.json');
  // The program reads YAML, of which JSON is a part.
  const written = configuration(`${listenAddress}:${port}`, join(directory.path, 'storage'));
  await writeFile(configPath, JSON.stringify(written, null, 2));
  const registry = await startRegistry({
    name: 'distribution',
    file,
    args: ['serve', configPath],
    host,
    directory,
  });
  return {
    ...registry,
    protect: async (account) => {
      const startAgain = await registry.interrupt();
      const path = join(directory.path, 'htpasswd');
      await writeFile(path, `${account}\n`);
      const auth = { htpasswd: { realm: 'e2e', path } };
      await writeFile(configPath, JSON.stringify({ ...written, auth }, null, 2));
      await startAgain();
    },
  };
}

function configuration(address: string, storage: string): object {
  return {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: address },
    // Sparse images and indexes of missing platforms are test cases.
    validation: { disabled: true },
  };
}
