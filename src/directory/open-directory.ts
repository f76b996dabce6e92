import type { BaseLogger } from 'pino';
import { LiveSnapshot } from '../admission/live-snapshot.ts';
import type { LiveSource, LiveSourceStatus, SnapshotOptions, StaleOrigin } from '../admission/live-source.ts';
import { RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { DirectoryContents } from './directory-contents.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { readPolicyFiles } from './read-files.ts';

export interface DirectoryOptions extends SnapshotOptions {
  readonly path: string;
  /** Follows changes of the directory until closed. */
  readonly watch: boolean;
  /** The directory is read this often whatever the watch says, milliseconds. */
  readonly pollMs?: number;
  readonly logger?: BaseLogger;
}

/**
 * Policies, Namespaces and ConfigMaps out of the manifests of a directory. What is there at the start must be
 * usable, every file of it; later a file that is not leaves its last good version in force.
 * @throws RefwardenError `ConfigurationInvalid`, `PolicyInvalid`, `IssuerInvalid`: names file, document and field.
 */
export async function openDirectory(options: DirectoryOptions): Promise<LiveSource> {
  const source = new DirectorySource(options);
  await source.load();
  const [first, ...others] = source.status().stale;
  if (first !== undefined) {
    const more =
      others.length === 0 ? '' : ` Not usable either: ${others.map(({ origin }) => origin).join(', ')}.`;
    throw new RefwardenError(first.failure.code, first.failure.message + more);
  }
  if (options.watch) source.follow();
  return source;
}

class DirectorySource implements LiveSource {
  readonly #options: DirectoryOptions;
  readonly #contents = new DirectoryContents();
  readonly #snapshot: LiveSnapshot;
  #lastSyncMs: number | undefined;
  /** Why the directory as a whole could not be read the last time. */
  #fault: Failure | undefined;
  #watch: DirectoryWatch | undefined;
  readonly #ignoreTrust: (() => void) | undefined;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#snapshot = new LiveSnapshot({
      ...options,
      read: () => ({ resources: this.#contents.resources() }),
      configMap: (name) => this.configMap(name),
    });
    this.#ignoreTrust = options.onTrustChange?.(() => {
      if (this.#snapshot.current !== undefined) void this.#recompile();
    });
  }

  /** Compiles even when no file changed: trust material may have. */
  async load(): Promise<void> {
    const { path, logger } = this.#options;
    const changed = this.#contents.apply(await readPolicyFiles(path));
    const { policies } = await this.#snapshot.compile();
    this.#lastSyncMs = Date.now();
    if (changed) logger?.info({ path, policies: policies.length }, 'The policies are in force');
  }

  follow(): void {
    const { path, logger, pollMs } = this.#options;
    this.#watch = new DirectoryWatch({ path, changed: () => this.#reload(), logger, pollMs });
  }

  snapshot(): PolicySnapshot | undefined {
    return this.#snapshot.current;
  }

  configMap(name: string): Readonly<Record<string, string>> | undefined {
    return this.#contents.configMap(name);
  }

  labels(namespace: string): Promise<Readonly<Record<string, string>>> {
    const labels = this.#contents.namespaceLabels(namespace);
    if (labels !== undefined) return Promise.resolve(labels);
    return Promise.reject(
      new RefwardenError(
        'NamespaceUnknown',
        `The labels of namespace ${JSON.stringify(namespace.slice(0, 253))} are not known: add a manifest of the Namespace, with its labels, to ${this.#options.path}.`,
      ),
    );
  }

  status(): LiveSourceStatus {
    const stale = this.#contents.stale();
    return {
      ready: this.#snapshot.current !== undefined,
      missing:
        this.#snapshot.current === undefined
          ? [`The policy directory ${this.#options.path} is not read yet.`]
          : [],
      stale:
        this.#fault === undefined ? stale : [{ origin: this.#options.path, failure: this.#fault }, ...stale],
      lastSyncMs: { directory: this.#lastSyncMs },
    };
  }

  async close(): Promise<void> {
    this.#ignoreTrust?.();
    await this.#watch?.close();
  }

  /** With what was read last. */
  async #recompile(): Promise<void> {
    try {
      await this.#snapshot.compile();
    } catch (error) {
      this.#fault = toFailure(error);
    }
  }

  /** A directory that cannot be read, or holds no policy any more, is a fault: all stays in force. */
  async #reload(): Promise<void> {
    const known = new Set(this.status().stale.map(describe));
    try {
      await this.load();
      this.#fault = undefined;
    } catch (error) {
      this.#fault = toFailure(error);
    }
    for (const entry of this.status().stale) {
      if (known.has(describe(entry))) continue;
      const { code, message } = entry.failure;
      this.#options.logger?.error(
        { origin: entry.origin, code },
        `What was last good stays in force: ${message}`,
      );
    }
  }
}

const describe = ({ origin, failure }: StaleOrigin): string => `${origin}: ${failure.message}`;
