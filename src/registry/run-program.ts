import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';

export interface ProgramRun {
  readonly args: readonly string[];
  /** Written to its standard input. */
  readonly input: string;
  readonly timeoutMs: number;
  /** Of its standard output. */
  readonly maxBytes: number;
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProgramResult {
  /** Why it did not end well; null when it did. */
  readonly error: ExecFileException | null;
  readonly stdout: string;
}

/** Runs a program without a shell; one that takes too long is killed. Never rejects. */
export function runProgramOnce(
  program: string,
  { args, input, timeoutMs, maxBytes, env = {} }: ProgramRun,
): Promise<ProgramResult> {
  const { promise, resolve } = Promise.withResolvers<ProgramResult>();
  const options = {
    timeout: timeoutMs,
    maxBuffer: maxBytes,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
  } as const;
  const child = execFile(program, args, options, (error, stdout) => {
    resolve({ error, stdout });
  });
  child.stdin?.on('error', () => undefined); // one that does not read its input says so by its exit code
  child.stdin?.end(input);
  return promise;
}

/** Why a program failed, to end a sentence with; nothing of what it printed, which may be a secret. */
export function reasonOf({ code, killed }: ExecFileException, { timeoutMs, maxBytes }: ProgramRun): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${maxBytes} bytes`;
  if (killed === true) return `did not end within ${timeoutMs} ms`;
  return typeof code === 'number' ? `failed (exit code ${code})` : `could not be run (${code ?? 'killed'})`;
}
