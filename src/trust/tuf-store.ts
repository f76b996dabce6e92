import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TufMetadata } from './read-tuf-target.ts';

/** What was last verified of one target, and when: enough to go on without the repository. */
export interface TufState {
  readonly metadata: TufMetadata;
  /** The target; absent as long as only metadata was verified. */
  readonly text?: string;
  /** When the target was last verified to be current, milliseconds since the epoch. */
  readonly verifiedAtMs?: number;
}

/** Largest file, bytes: four pieces of metadata and the target, as JSON text within JSON. */
const maxStateBytes = 16 * 1024 * 1024;
const checksumLength = 64;

const stateSchema = z.strictObject({
  metadata: z.strictObject({
    root: z.string(),
    timestamp: z.exactOptional(z.string()),
    snapshot: z.exactOptional(z.string()),
    targets: z.exactOptional(z.string()),
  }),
  text: z.exactOptional(z.string()),
  verifiedAtMs: z.exactOptional(z.number()),
}) satisfies z.ZodType<TufState>;

/**
 * States on disk, a file each. The directory is trusted as the process is: a file is not verified anew, since its timestamp
 * may have expired meanwhile; a checksum tells what a full disk or a crash spoilt.
 */
export class TufStore {
  readonly #directory: string;

  /** @param directory that only this user may write to. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** `spoilt` for a file that is not what was written. @throws what the file system says. */
  async read(key: string): Promise<TufState | 'absent' | 'spoilt'> {
    let text: string;
    try {
      await using file = await open(this.#path(key));
      if ((await file.stat()).size > maxStateBytes) return 'spoilt';
      text = await file.readFile('utf8');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'absent';
      throw cause;
    }
    const content = text.slice(checksumLength);
    if (text.slice(0, checksumLength) !== checksum(content)) return 'spoilt';
    const state = stateSchema.safeParse(JSON.parse(content));
    return state.success ? state.data : 'spoilt';
  }

  /** Replaces the file in one step. @throws what the file system says. */
  async write(key: string, state: TufState): Promise<void> {
    const content = JSON.stringify(state);
    const path = this.#path(key);
    const unfinished = `${path}.${process.pid}.tmp`;
    try {
      {
        await using file = await open(unfinished, 'w', 0o600);
        await file.writeFile(checksum(content) + content);
        await file.sync();
      }
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw cause;
    }
  }

  /** No URL reaches the disk. */
  #path(key: string): string {
    return join(this.#directory, `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}

const checksum = (content: string): string => createHash('sha256').update(content).digest('hex');
