import { failureCatalogue } from '../failures/catalogue.ts';
import { toFailure } from '../failures/failure.ts';
import { printableLines } from '../failures/printable.ts';
import { exitCodes } from './commands.ts';
import type { Terminal } from './commands.ts';

/** Ends a command that cannot do its work: its code, what happened and what to do; never a stack. */
export function refuse(error: unknown, output: 'text' | 'json', terminal: Terminal): number {
  const { code, message } = toFailure(error);
  const { remedy } = failureCatalogue[code];
  if (output === 'json') {
    terminal.out(
      `${JSON.stringify({ error: { code, message: printableLines(message), remedy } }, null, 2)}\n`,
    );
  } else {
    terminal.err(`${code}: ${printableLines(message)}\n${remedy}\n`);
  }
  return exitCodes.usage;
}
