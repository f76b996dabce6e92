// Builds what is missing and runs the end-to-end tests: node e2e/run.ts [arguments of vitest run...]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { componentNames, suiteComponentNames } from './components/component.ts';
import { ensureComponents } from './components/ensure-components.ts';
import { isInsideNode, lacksForNode, runInsideNode } from './node/enter-namespaces.ts';
import { exitOnSignals } from './processes/exit-on-signals.ts';

const root = join(import.meta.dirname, '..');

const args = process.argv.slice(2);
// `--node` runs what takes Pods that run; the driver `node` runs the ordinary tests on such a cluster.
const isNodeSuite = args[0] === '--node';
const onNode = isNodeSuite || process.env['REFWARDEN_E2E_DRIVER'] === 'node';

exitOnSignals();
if (isInsideNode()) {
  process.exitCode = await runVitest(isNodeSuite ? args.slice(1) : args);
} else {
  try {
    const lacks = onNode ? lacksForNode() : [];
    if (lacks.length > 0) throw new Error(lacks.join('\n'));
    const names = onNode ? componentNames : suiteComponentNames;
    await ensureComponents(names, (text) => process.stdout.write(text));
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
  // Inside there is no network to build anything with.
  process.exitCode = onNode ? await runInsideNode(import.meta.filename, args) : await runVitest(args);
}

/** Returns vitest's exit code. */
function runVitest(vitestArgs: readonly string[]): Promise<number> {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(root, isNodeSuite ? 'vitest.e2e-node.config.ts' : 'vitest.e2e.config.ts');
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, ...vitestArgs], {
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
