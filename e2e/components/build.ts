// Builds the components named as arguments, or all of them: node e2e/components/build.ts [NAME...]
import { exitOnSignals } from '../processes/exit-on-signals.ts';
import type { ComponentName } from './component.ts';
import { componentNames } from './component.ts';
import { ensureComponents } from './ensure-components.ts';

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
  await ensureComponents(names, (text) => process.stdout.write(text));
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
