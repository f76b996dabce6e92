import { freePort } from '../processes/free-ports.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { refwardenCommand } from '../webhook/refwarden-command.ts';
import type { RunningRegistry } from './running-registry.ts';
import { startRegistry } from './start-registry.ts';

/**
 * `refwarden demo registry`, in memory.
 * @param mechanisms as `--mechanisms` takes them; `FallbackTag` alone for a registry without any API.
 */
export async function startDemoRegistry(mechanisms: string): Promise<RunningRegistry> {
  const host = `127.0.0.1:${await freePort()}`;
  const directory = await makeTemporaryDirectory('demo-registry');
  const [file, args] = refwardenCommand('demo', 'registry', `--listen=${host}`, `--mechanisms=${mechanisms}`);
  return startRegistry({ name: 'demo-registry', file, args, host, directory });
}
