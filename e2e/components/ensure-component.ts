import { access } from 'node:fs/promises';
import { withBuildLock } from './build-lock.ts';
import type { Component, ComponentName } from './component.ts';
import { components } from './component.ts';
import { componentCacheDirectory, componentPath } from './component-path.ts';
import { goBuild } from './go-build.ts';

/** The path of a component's binary. Builds it first if this machine has not got this version yet. */
export async function ensureComponent(name: ComponentName): Promise<string> {
  const component: Component = components[name];
  const path = await componentPath(name, component);
  if (await exists(path)) return path;
  return withBuildLock(componentCacheDirectory(), async () => {
    // Another process may have built it while this one waited for the lock.
    if (!(await exists(path))) await goBuild(name, component, path);
    return path;
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
