import { createHash } from 'node:crypto';
import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheCounts } from '../admission/metered-cache.ts';
import { untilAborted } from '../admission/until-aborted.ts';
import type { Digest } from '../image/digest.ts';
import { errorCode, prepareCacheDirectory } from './cache-directory.ts';
import { isStorable, readContentFile, unfinishedSuffix, writeContentFile } from './content-file.ts';
import type { StoredContent } from './content-file.ts';

export interface DiskCacheOptions {
  readonly directory: string;
  readonly maxBytes: number;
  /** Told when the disk fails, at most once in ten minutes: the cache goes on as if it held nothing. */
  readonly onFault: (cause: unknown) => void;
}

/** Files that could not be used: not what was written, or not readable or writable at all. */
export interface DiskFaults {
  readonly spoilt: number;
  readonly failed: number;
}

/** What a file takes on a disk, at least, bytes; what it takes is a multiple. */
const blockBytes = 4096;
/** Files are counted anew after this part of the bound was written: other processes write too. */
const recountPart = 1 / 16;
/** Eviction makes room down to this part of the bound. */
const evictionPart = 0.9;
/** Most files, whatever their size. */
const maxFiles = 200_000;
/** A disk that hangs is not waited for longer, milliseconds. */
const maxReadMs = 1_000;
const maxParallelReads = 128;
/** Content that waits to be written, bytes; more is not kept. */
const maxUnwrittenBytes = 64 * 1024 * 1024;
/** On close, the wait for what is not written yet, milliseconds. */
const maxCloseMs = 5_000;
/** An unfinished file this old was left behind by a process that ended, milliseconds. */
const abandonedMs = 60 * 60_000;
const faultSilenceMs = 10 * 60_000;
const fileName = /^[0-9a-f]{64}$/;

/**
 * Content by digest that outlives the process, for one or many processes. Every read is hashed anew: what does not
 * match is deleted and counts as a miss. Whatever the disk does, nothing is thrown.
 */
export class DiskCache {
  readonly #directory: string;
  readonly #options: DiskCacheOptions;
  #work: Promise<void>;
  #unwrittenBytes = 0;
  #reads = 0;
  #uncountedBytes = 0;
  #bytes = 0;
  #entries = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #spoilt = 0;
  #failed = 0;
  #toldAtMs = -Infinity;

  /** @param directory made ready by {@link prepareCacheDirectory}. */
  constructor(directory: string, options: DiskCacheOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#work = this.#quietly(() => this.#recount());
  }

  /**
   * @param key holds repository and credential scope, as {@link cacheKey} makes it: content is found by whoever may
   *   fetch it, and nobody else.
   * @param maxBytes larger content is not read.
   */
  async read(key: string, digest: Digest, maxBytes: number): Promise<StoredContent | undefined> {
    const content = await this.#quietly(() => this.#readInTime(key, digest, maxBytes));
    if (content === undefined) this.#misses++;
    else this.#hits++;
    return content;
  }

  /** Returns at once. @param content hashes to the digest in the key. */
  write(key: string, content: StoredContent): void {
    const size = sizeOnDisk(content.bytes.byteLength);
    if (size > this.#options.maxBytes || !isStorable(content)) return;
    if (this.#unwrittenBytes + size > maxUnwrittenBytes) return;
    this.#unwrittenBytes += size;
    this.#enqueue(async () => {
      this.#unwrittenBytes -= size;
      await writeContentFile(this.#path(key), content);
      this.#bytes += size;
      this.#entries++;
      this.#uncountedBytes += size;
      const { maxBytes } = this.#options;
      const isDue = this.#uncountedBytes > maxBytes * recountPart;
      if (isDue || this.#bytes > maxBytes || this.#entries > maxFiles) await this.#recount();
    });
  }

  /** Of this process; bytes and entries as far as it knows. */
  counts(): CacheCounts {
    return {
      name: 'disk',
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      entries: this.#entries,
      bytes: this.#bytes,
    };
  }

  faults(): DiskFaults {
    return { spoilt: this.#spoilt, failed: this.#failed };
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await untilAborted(this.#work, AbortSignal.timeout(maxCloseMs)).catch(() => undefined);
  }

  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(() => this.#quietly(task));
  }

  async #readInTime(key: string, digest: Digest, maxBytes: number): Promise<StoredContent | undefined> {
    if (this.#reads >= maxParallelReads) return undefined;
    this.#reads++;
    const path = this.#path(key);
    const reading = readContentFile(path, digest, maxBytes).finally(() => {
      this.#reads--;
    });
    const found = await untilAborted(reading, AbortSignal.timeout(maxReadMs));
    if (found === 'absent') return undefined;
    if (found !== 'spoilt') return found;
    this.#spoilt++;
    await rm(path, { force: true });
    return undefined;
  }

  /** Counts what is there, and deletes what was used longest ago when it is too much. */
  async #recount(): Promise<void> {
    const files = await this.#list();
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    let entries = files.length;
    this.#uncountedBytes = 0;
    const { maxBytes } = this.#options;
    if (bytes > maxBytes || entries > maxFiles) {
      files.sort((a, b) => a.usedAtMs - b.usedAtMs);
      for (const { path, size } of files) {
        if (bytes <= maxBytes * evictionPart && entries <= maxFiles * evictionPart) break;
        await rm(path, { force: true });
        this.#evictions++;
        bytes -= size;
        entries--;
      }
    }
    this.#bytes = bytes;
    this.#entries = entries;
  }

  async #list(): Promise<{ path: string; size: number; usedAtMs: number }[]> {
    const files: { path: string; size: number; usedAtMs: number }[] = [];
    for await (const { name } of await opendir(this.#directory)) {
      const path = join(this.#directory, name);
      const isUnfinished = name.endsWith(unfinishedSuffix);
      if (!isUnfinished && !fileName.test(name)) continue;
      const found = await lstat(path).catch(unlessGone);
      if (found === undefined || found.isDirectory()) continue;
      if (!isUnfinished) files.push({ path, size: sizeOnDisk(found.size), usedAtMs: found.mtimeMs });
      else if (Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
    }
    return files;
  }

  /** No name of a registry reaches the disk: the file is named by a hash of all that the content depends on. */
  #path(key: string): string {
    return join(this.#directory, createHash('sha256').update(key).digest('hex'));
  }

  async #quietly<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (cause) {
      this.#failed++;
      const nowMs = performance.now();
      if (nowMs - this.#toldAtMs >= faultSilenceMs) {
        this.#toldAtMs = nowMs;
        this.#options.onFault(cause);
      }
      return undefined;
    }
  }
}

/** @throws RefwardenError `ConfigurationInvalid` for a directory that cannot be used. */
export async function openDiskCache(options: DiskCacheOptions): Promise<DiskCache> {
  return new DiskCache(await prepareCacheDirectory(options.directory, 'content-v1'), options);
}

const sizeOnDisk = (bytes: number): number => Math.ceil(Math.max(bytes, 1) / blockBytes) * blockBytes;

/** Another process may have deleted it. */
function unlessGone(cause: unknown): undefined {
  if (errorCode(cause) !== 'ENOENT') throw cause;
}
