// Builds the components named as arguments, or all of them: node e2e/components/build.ts [NAME...]
import { exitOnSignals } from '../processes/exit-on-signals.ts';
import type { ComponentName } from './component.ts';
import { componentNames, components } from './component.ts';
import { ensureComponent } from './ensure-component.ts';

exitOnSignals();

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(componentNames as string[]).includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `No such component: ${unknown.join(', ')}. There are: ${componentNames.join(', ')}.\n`,
  );
  process.exit(2);
}
const names = asked.length === 0 ? componentNames : (asked as ComponentName[]);

try {
  const started = performance.now();
  for (const [index, name] of names.entries()) {
    process.stdout.write(`[${index + 1}/${names.length}] ${name} ${components[name].version} ... `);
    const began = performance.now();
    await ensureComponent(name);
    process.stdout.write(`${seconds(performance.now() - began)}\n`);
  }
  process.stdout.write(`${names.length} components ready in ${seconds(performance.now() - started)}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
