// Builds what is missing and runs the end-to-end tests: node e2e/run.ts [arguments of vitest run...]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { componentNames } from './components/component.ts';
import { ensureComponents } from './components/ensure-components.ts';
import { exitOnSignals } from './processes/exit-on-signals.ts';

const root = join(import.meta.dirname, '..');

exitOnSignals();
try {
  await ensureComponents(componentNames, (text) => process.stdout.write(text));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
process.exitCode = await runVitest(process.argv.slice(2));

/** Returns vitest's exit code. */
function runVitest(args: readonly string[]): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, 'vitest.e2e.config.ts');
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, ...args], {
    cwd: root,
    stdio: 'inherit',
    detached: true,
  });
  // Its workers have started processes too: all are asked to end, and this one waits until they have.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
