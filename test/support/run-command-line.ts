import { runProgram } from '../../src/cli/program.ts';
import { createEngine } from '../../src/compose/engine.ts';
import { captureTerminal } from './captured-terminal.ts';

export interface CommandLineResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line as main.ts runs it, in this process. */
export async function runCommandLine(...argv: string[]): Promise<CommandLineResult> {
  const terminal = captureTerminal();
  const code = await runProgram(argv, {
    version: '0.0.0-test',
    engine: createEngine(),
    terminal,
    defaults: { releaseNamespace: 'refwarden-system' },
    interrupted: new AbortController().signal,
  });
  return { code, ...terminal.written };
}
