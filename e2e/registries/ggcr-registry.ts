import { ensureComponent } from '../components/ensure-component.ts';
import { freePort } from '../processes/free-ports.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import type { RunningRegistry } from './running-registry.ts';
import { startRegistry } from './start-registry.ts';

/**
 * The registry of go-containerregistry in memory, with its referrers API: a listing's `artifactType` is always
 * `config.mediaType` there, so that a bundle is listed as `application/vnd.oci.empty.v1+json`.
 */
export async function startGgcrRegistry(): Promise<RunningRegistry> {
  const file = await ensureComponent('ggcr-registry');
  const host = `127.0.0.1:${await freePort()}`;
  const directory = await makeTemporaryDirectory('ggcr-registry');
  return startRegistry({ name: 'ggcr-registry', file, args: [host], host, directory });
}
