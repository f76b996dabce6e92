import { exitCodes } from './commands.ts';
import type { Engine, Terminal, WebhooksOptions } from './commands.ts';
import { refuse } from './refuse.ts';

/** `refwarden webhooks`: what has the API server ask Refwarden. */
export async function runWebhooks(
  options: WebhooksOptions,
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  try {
    terminal.out(await engine.webhooks(options));
    return exitCodes.admitted;
  } catch (error) {
    return refuse(error, 'text', terminal);
  }
}
