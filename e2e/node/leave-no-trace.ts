import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommandOrThrow } from '../processes/run-command.ts';

const cgroupRoot = '/sys/fs/cgroup';
/** What the kubelet calls the cgroup of all Pods. */
const podsCgroup = 'kubepods';

/**
 * Puts memory of this mount namespace in the place of directories that the programs of a node write to by themselves.
 * @returns how to remove the cgroups of Pods afterwards, which are those of the machine; one that was there stays.
 */
export async function leaveNoTrace(): Promise<() => Promise<void>> {
  for (const path of ['/run', '/var/lib']) {
    await runCommandOrThrow('mount', ['-t', 'tmpfs', 'tmpfs', path]);
  }
  const hierarchies = ['', ...(await readdir(cgroupRoot))].map((name) => join(cgroupRoot, name, podsCgroup));
  const absent = hierarchies.filter((path) => !existsSync(path));
  return async () => {
    for (const path of absent.filter((made) => existsSync(made))) await removeCgroup(path);
  };
}

/** Its files belong to the kernel: directories alone are removed, the innermost first. */
async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  }
  // Processes that were killed a moment ago may still hold it.
  await rmdir(path).catch(() => undefined);
}
