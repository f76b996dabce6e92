import { exitCodes } from './commands.ts';
import type { Engine, ServeOptions, Terminal } from './commands.ts';
import { describeThrown } from './describe-thrown.ts';

/** `refwarden serve`: runs until the process is asked to end, then drains. Returns the exit code. */
export async function runServe(
  options: ServeOptions,
  engine: Engine,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<number> {
  try {
    await engine.serve(options, interrupted);
    return 0;
  } catch (error) {
    const { code, message, remedy } = describeThrown(error);
    terminal.err(`${code}: ${message}\n${remedy}\n`);
    return exitCodes.usage;
  }
}
