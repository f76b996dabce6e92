import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const chartPath = join(import.meta.dirname, '../../charts/refwarden');

/** Of everything that the chart is rendered from: where it is another, `manifests/install.yaml` is to be made anew. */
function chartDigest(): string {
  const hash = createHash('sha256');
  const files = readdirSync(chartPath, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map(({ parentPath, name }) => join(parentPath, name).slice(chartPath.length + 1))
    .sort();
  for (const file of files) {
    const text = readFileSync(join(chartPath, file));
    hash.update(`${file} ${text.byteLength}\n`).update(text);
  }
  return `sha256:${hash.digest('hex')}`;
}

/** The line of `manifests/install.yaml` that says it. */
export const chartDigestLine = (): string => `# Of the chart ${chartDigest()}.`;
