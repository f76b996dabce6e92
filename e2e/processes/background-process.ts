import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { onProcessExit } from './on-process-exit.ts';

export interface BackgroundProcessOptions {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Everything the process says is appended here. */
  readonly logPath: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface BackgroundProcess {
  readonly name: string;
  readonly pid: number;
  /** The end of its log, for error messages. */
  readonly logTail: () => string;
  /** Throws if it has ended. */
  readonly assertRunning: () => void;
  /** SIGTERM, then SIGKILL after `graceMs` (default 5000). Safe to call twice. */
  readonly stop: (graceMs?: number) => Promise<void>;
  /** SIGKILL at once. */
  readonly kill: () => Promise<void>;
}

const LOG_TAIL_LINES = 25;

/** Starts a long-running process. It never outlives this one, unless this one is killed by SIGKILL. */
export async function startBackgroundProcess(options: BackgroundProcessOptions): Promise<BackgroundProcess> {
  const log = openSync(options.logPath, 'a');
  const child = spawn(options.file, options.args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const killNow = (): void => {
    child.kill('SIGKILL');
  };
  const forget = onProcessExit(killNow);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      forget();
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      forget();
      reject(error);
    });
  });

  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const logTail = (): string =>
    readFileSync(options.logPath, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  return {
    name: options.name,
    pid: child.pid ?? -1,
    logTail,
    assertRunning: () => {
      if (hasEnded()) {
        const how = child.signalCode ?? `code ${String(child.exitCode)}`;
        throw new Error(`${options.name} ended by itself (${how})`);
      }
    },
    stop: async (graceMs = 5000) => {
      if (hasEnded()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(killNow, graceMs);
      await ended;
      clearTimeout(timer);
    },
    kill: async () => {
      if (hasEnded()) return;
      killNow();
      await ended;
    },
  };
}
