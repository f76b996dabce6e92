import { ensureComponent } from '../components/ensure-component.ts';
import { freePort } from '../processes/free-ports.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { RunningRegistry } from './running-registry.ts';
import { startRegistry } from './start-registry.ts';

/** ociregistry in memory: offers the referrers API of OCI distribution 1.1. */
export async function startOciregistry(): Promise<RunningRegistry> {
  const file = await ensureComponent('ociregistry');
  const host = `127.0.0.1:${await freePort()}`;
  const directory = await makeTemporaryDirectory('ociregistry');
  return startRegistry({ name: 'ociregistry', file, args: [host], host, directory });
}
