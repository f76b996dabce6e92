/** Writes every file that is made from the source: CRDs and reference tables. `--check` only reports stale ones. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generatedFiles } from './generated-files.ts';

const checkOnly = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, text] of generatedFiles()) {
  const now = await readFile(path, 'utf8').catch(() => undefined);
  if (now === text) continue;
  stale.push(path);
  if (checkOnly) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
if (stale.length > 0) console.log(`${checkOnly ? 'Stale' : 'Written'}: ${stale.join(', ')}`);
if (checkOnly && stale.length > 0) {
  console.log('Run npm run generate.');
  process.exitCode = 1;
}
