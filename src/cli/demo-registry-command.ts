import type { DemoRegistryOptions, Engine, Terminal } from './commands.ts';
import { refuse } from './refuse.ts';

/** `refwarden demo registry`: runs the embedded registry alone until interrupted. Returns the exit code. */
export async function runDemoRegistry(
  options: DemoRegistryOptions,
  engine: Engine,
  terminal: Terminal,
  interrupted: Promise<void>,
): Promise<number> {
  try {
    const registry = await engine.startDemoRegistry(options);
    const { host, mechanisms, commands } = registry;
    terminal.out(
      [
        `Registry at ${host}: plain HTTP, in memory, open to everyone who reaches it.`,
        `Mechanisms: ${mechanisms.join(', ')}.`,
        `\nTry:\n\n${commands.map((line) => `  ${line}\n`).join('')}`,
        'Ctrl-C ends it.\n',
      ].join('\n'),
    );
    await interrupted;
    await registry.close();
    return 0;
  } catch (error) {
    return refuse(error, 'text', terminal);
  }
}
