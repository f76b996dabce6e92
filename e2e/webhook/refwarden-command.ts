import { join } from 'node:path';

const mainPath = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** File and arguments that run Refwarden from this tree, as `npm run refwarden` does. */
export function refwardenCommand(...args: string[]): [file: string, args: string[]] {
  return [process.execPath, [mainPath, ...args]];
}
