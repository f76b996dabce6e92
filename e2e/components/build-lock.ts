import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while no other process does so in this directory: one Go build already uses every core.
 * A lock whose process is gone is taken over. Should two processes take it over in the same instant, both
 * build, which costs time and nothing else: results are renamed into place.
 */
export async function withBuildLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true });
  const lock = join(directory, 'build.lock');
  const mine = join(directory, `build.lock.${process.pid}.${performance.now()}`);
  await writeFile(mine, String(process.pid));
  try {
    while (!(await tryLink(mine, lock))) {
      if (!(await holderIsAlive(lock))) await rm(lock, { force: true });
      else await sleep(500);
    }
  } finally {
    await rm(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** A hard link appears together with its content, so that no reader meets a lock without a process id. */
async function tryLink(existing: string, lock: string): Promise<boolean> {
  try {
    await link(existing, lock);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function holderIsAlive(lock: string): Promise<boolean> {
  try {
    const pid = Number.parseInt(await readFile(lock, 'utf8'), 10);
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
