import { homedir } from 'node:os';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { runProgram } from './cli/program.ts';
import { createEngine } from './compose/engine.ts';
import packageJson from '../package.json' with { type: 'json' };

const { env, stdout, stderr } = process;

/** Docker's own place for credentials; absent is anonymous access. */
function defaultDockerConfig(): string | undefined {
  const path = join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
  return existsSync(path) ? path : undefined;
}

// `npm run refwarden` starts in the root of the clone: paths mean what they mean where it was typed.
const { npm_lifecycle_event: script, INIT_CWD: typedIn } = env;
if (script === 'refwarden' && typedIn !== undefined) process.chdir(typedIn);

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal finds no handler and ends the process at once.
  process.once(signal, () => {
    interrupt.abort();
  });
}
// A reader that has seen enough (`| head`) closes the pipe; that is no fault.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const dockerConfig = defaultDockerConfig();
process.exitCode = await runProgram(process.argv.slice(2), {
  version: packageJson.version,
  engine: createEngine(),
  terminal: {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    errIsTerminal: stderr.isTTY,
    color: stdout.isTTY && stdout.hasColors() && env['NO_COLOR'] === undefined,
  },
  defaults: {
    releaseNamespace: env['POD_NAMESPACE'] ?? 'refwarden-system',
    environment: env,
    ...(dockerConfig === undefined ? {} : { dockerConfig }),
  },
  interrupted: interrupt.signal,
});
