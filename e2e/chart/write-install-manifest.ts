// Writes manifests/install.yaml from the chart: npm run generate:install (needs Go, for helm).
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { makeHelm } from '../tools/helm.ts';
import { renderInstallManifest } from './render-install-manifest.ts';

const directory = await makeTemporaryDirectory('install-manifest');
try {
  const manifest = await renderInstallManifest(await makeHelm(directory.path));
  await writeFile(join(import.meta.dirname, '..', '..', 'manifests', 'install.yaml'), manifest);
} finally {
  await directory.remove();
}
