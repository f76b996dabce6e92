import type { ComponentName } from './component.ts';
import { components } from './component.ts';
import { ensureComponent } from './ensure-component.ts';

/** Builds what is not there yet, one after another, and says how far it is. */
export async function ensureComponents(
  names: readonly ComponentName[],
  say: (text: string) => void,
): Promise<void> {
  const started = performance.now();
  for (const [index, name] of names.entries()) {
    say(`[${index + 1}/${names.length}] ${name} ${components[name].version} ... `);
    const began = performance.now();
    await ensureComponent(name);
    say(`${seconds(performance.now() - began)}\n`);
  }
  say(`${names.length} components ready in ${seconds(performance.now() - started)}\n`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
