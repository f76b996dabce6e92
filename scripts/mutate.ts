/**
 * Mutation testing: changes what is committed, one place at a time, in a copy outside the tree, and lists the changes that no
 * test noticed. `npm run mutate -- src/policy/evaluate.ts`, or without arguments all of verification and policy: ten thousand
 * changes, hours on two cores. The report stays in the copy.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Installed into the copy alone: nobody else needs its hundred packages. */
const strykerVersion = '10.1.1';
const defaultFiles = ['src/policy/**/*.ts', 'src/verification/**/*.ts'];
/** Only tests of the same rooms count, and those of decisions made on real artifacts. */
const countingTests = [
  'test/policy/**/*.test.ts',
  'test/verification/**/*.test.ts',
  'test/admission/**/*.test.ts',
];
/** They take long and say of every mechanism what others say of one. */
const slowTests = ['test/admission/{mechanism-faults,same-evidence,floods}.test.ts'];

const files = process.argv.slice(2);
const copy = mkdtempSync(join(tmpdir(), 'refwarden-mutate-'));
const run = (file: string, ...args: string[]): void => {
  execFileSync(file, args, { cwd: copy, stdio: 'inherit' });
};

execFileSync('sh', ['-c', `git archive HEAD | tar -x -C '${copy}'`]);
run('npm', 'ci');
const tools = ['core', 'vitest-runner'].map((name) => `@stryker-mutator/${name}@${strykerVersion}`);
run('npm', 'install', '--no-save', ...tools);
writeFileSync(
  join(copy, 'vitest.mutate.config.ts'),
  `import { defineConfig } from 'vitest/config';\nexport default defineConfig({ test: { include: ${JSON.stringify(countingTests)}, exclude: ${JSON.stringify(slowTests)}, testTimeout: 120_000 } });\n`,
);
writeFileSync(
  join(copy, 'stryker.config.json'),
  JSON.stringify({
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'vitest.mutate.config.ts' },
    mutate: files.length > 0 ? files : defaultFiles,
    coverageAnalysis: 'perTest',
    ignoreStatic: true,
    // Wording is not what is measured: a message that changes admits nothing.
    mutator: { excludedMutations: ['StringLiteral'] },
    reporters: ['clear-text', 'json'],
    concurrency: 2,
  }),
);
console.log(`Mutating in ${copy}`);
run('npx', 'stryker', 'run');
