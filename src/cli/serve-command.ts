import type { Engine, ServeOptions, Terminal } from './commands.ts';
import { refuse } from './refuse.ts';

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
    return refuse(error, 'text', terminal);
  }
}
