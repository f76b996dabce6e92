import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Component, ComponentName } from './component.ts';

/** Where built components are kept: outside the tree, shared by every checkout of this machine. */
export function componentCacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'refwarden', 'e2e');
}

/** The directory of a module of ours. */
export function moduleDirectory(module: string): string {
  return join(import.meta.dirname, '..', module);
}

/** `<cache>/<component>/<version>/<binary>`, whether built already or not. */
export async function componentPath(name: ComponentName, component: Component): Promise<string> {
  const version =
    component.build === 'install'
      ? component.version
      : `${component.version}-${await moduleFingerprint(component.module)}`;
  return join(componentCacheDirectory(), name, version, component.binary);
}

/** A module of ours can change under the same version of what it requires: its files are part of the version. */
async function moduleFingerprint(module: string): Promise<string> {
  const directory = moduleDirectory(module);
  const files = (await readdir(directory)).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file)).sort();
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\n`).update(await readFile(join(directory, file)));
  }
  return hash.digest('hex').slice(0, 8);
}
