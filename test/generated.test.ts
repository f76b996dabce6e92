import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { chartDigestLine } from '../scripts/chart/chart-digest.ts';
import { generatedFiles } from '../scripts/generated-files.ts';

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is what npm run generate writes', async (path, text) => {
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('manifests/install.yaml is of this chart: npm run generate:install makes it anew', async () => {
    expect(await readFile('manifests/install.yaml', 'utf8')).toContain(`\n${chartDigestLine()}\n`);
  });
});
