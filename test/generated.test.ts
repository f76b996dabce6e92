import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../scripts/generated-files.ts';

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is what npm run generate writes', async (path, text) => {
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});
