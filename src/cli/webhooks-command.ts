import { exitCodes } from './commands.ts';
import type { Engine, RemoveWebhooksOptions, Terminal, WebhooksOptions } from './commands.ts';
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

/** `refwarden webhooks remove`: what comes before an uninstall. */
export async function runRemoveWebhooks(
  options: RemoveWebhooksOptions,
  engine: Engine,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<number> {
  try {
    terminal.out(`${await engine.removeWebhooks(options, interrupted)}\n`);
    return exitCodes.admitted;
  } catch (error) {
    return refuse(error, 'text', terminal);
  }
}
