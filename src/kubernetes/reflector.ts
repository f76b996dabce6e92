import { setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';
import { RefwardenError, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { Backoff } from './backoff.ts';
import type { Collection } from './collection.ts';
import { headerOf } from './kube-object.ts';
import type { ObjectHeader } from './kube-object.ts';
import type { WatchEvent } from './watch-events.ts';
import type { WatchTiming } from './watch-timing.ts';

/** Objects in one page of a list; halved when a page would be larger than {@link maxPageBytes}. */
const maxPageObjects = 500;
const maxPageBytes = 32 * 1024 * 1024;
const maxObjects = 200_000;

/** Takes over what a collection holds; must not throw. */
export interface CollectionSink {
  put(header: ObjectHeader, object: JsonObject): void;
  remove(header: ObjectHeader): void;
  /** Everything was listed once. */
  synced(): void;
}

export interface ReflectorOptions {
  readonly api: ApiClient;
  readonly collection: Collection;
  readonly sink: CollectionSink;
  readonly timing: WatchTiming;
  readonly logger: BaseLogger | undefined;
}

/**
 * Lists a collection, watches it from there, and begins anew whenever that ends: whatever fails, what was last known
 * stays with the sink (Kubernetes API concepts, "Efficient detection of changes").
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #closing = new AbortController();
  readonly #known = new Map<string, ObjectHeader>();
  readonly #running: Promise<void>;
  #pageObjects = maxPageObjects;
  #isSynced = false;
  #lastContactMs: number | undefined;
  #failure: Failure | undefined;
  #relistDueMs = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get collection(): Collection {
    return this.#options.collection;
  }

  /** Everything was listed at least once. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** When the API server last said something of the collection, milliseconds since the epoch. */
  get lastContactMs(): number | undefined {
    return this.#lastContactMs;
  }

  /** Why the last try failed; undefined while all is well. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { timing } = this.#options;
    const backoff = new Backoff(timing.minBackoffMs, timing.maxBackoffMs);
    let version: string | undefined;
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        if (version === undefined || startedMs >= this.#relistDueMs) version = await this.#list();
        version = await this.#watch(version);
      } catch (error) {
        this.#failed(error);
      }
      if (performance.now() - startedMs >= timing.healthyMs) backoff.reset();
      // Does not keep the process alive, and ends at once when closed.
      await sleep(backoff.nextDelayMs(), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Takes over the whole collection. @returns the version to watch from. */
  async #list(): Promise<string> {
    const { sink, timing } = this.#options;
    const listed = new Set<string>();
    let page: ListPage | undefined;
    do {
      page = await this.#page(page?.continueToken);
      for (const object of page.items) {
        const header = headerOf(object);
        if (header === undefined || !isJsonObject(object))
          throw this.#malformed('a list with an object without a name');
        listed.add(keyOf(header));
        this.#put(header, object);
      }
      if (listed.size > maxObjects) throw this.#malformed(`more than ${maxObjects} objects`);
    } while (page.continueToken !== undefined);
    for (const [key, header] of this.#known) {
      if (!listed.has(key)) this.#remove(header);
    }
    this.#relistDueMs = performance.now() + timing.relistMs * (0.9 + Math.random() / 5);
    if (!this.#isSynced) {
      this.#isSynced = true;
      sink.synced();
    }
    return page.version;
  }

  async #page(continueToken: string | undefined): Promise<ListPage> {
    const { api, collection, timing } = this.#options;
    const query = {
      limit: this.#pageObjects,
      ...selectOnly(collection),
      ...(continueToken === undefined ? {} : { continue: continueToken }),
    };
    const bounds = { maxBytes: maxPageBytes, timeoutMs: timing.listTimeoutMs, signal: this.#closing.signal };
    try {
      const { status, content } = await api.get(collection.path, query, bounds);
      if (content === undefined) throw this.#refused(status);
      this.#contact();
      return this.#parsePage(content, continueToken);
    } catch (error) {
      if (toFailure(error).code !== 'ArtifactTooLarge' || this.#pageObjects === 1) throw error;
      this.#pageObjects = Math.floor(this.#pageObjects / 2);
      return this.#page(continueToken);
    }
  }

  #parsePage({ items, metadata }: JsonObject, asked: string | undefined): ListPage {
    const { resourceVersion, continue: token } = isJsonObject(metadata) ? metadata : {};
    if (typeof resourceVersion !== 'string') throw this.#malformed('a list without a version');
    if (items !== null && !Array.isArray(items)) throw this.#malformed('a list without items');
    const more = typeof token === 'string' && token !== '';
    if (more && token === asked) throw this.#malformed('the same page of a list twice');
    return { items: items ?? [], version: resourceVersion, ...(more ? { continueToken: token } : {}) };
  }

  /**
   * Follows changes until the stream ends or breaks.
   * @returns the version to go on from; undefined when something was missed, so that all must be listed anew.
   */
  async #watch(from: string): Promise<string | undefined> {
    const { api, collection, timing } = this.#options;
    const relist = AbortSignal.timeout(Math.max(0, Math.ceil(this.#relistDueMs - performance.now())));
    const query = {
      watch: 'true',
      ...selectOnly(collection),
      resourceVersion: from,
      allowWatchBookmarks: 'true',
      timeoutSeconds: Math.max(1, Math.round(timing.serverTimeoutMs / 1000)),
    };
    let version = from;
    try {
      const { status, content } = await api.watch(collection.path, query, {
        maxSilenceMs: timing.maxSilenceMs,
        signal: AbortSignal.any([this.#closing.signal, relist]),
      });
      if (content === undefined) {
        this.#failed(this.#refused(status));
        return undefined;
      }
      this.#contact();
      for await (const event of content) {
        this.#contact();
        const next = this.#apply(event);
        if (next === undefined) {
          this.#failed(
            this.#malformed(event === undefined ? 'an event that cannot be read' : 'an error event'),
          );
          return undefined;
        }
        version = next;
      }
    } catch (error) {
      if (!relist.aborted) this.#failed(error);
    }
    return version;
  }

  /** @returns the version that the event leads to; undefined when it tells of none. */
  #apply(event: WatchEvent): string | undefined {
    if (event === undefined) return undefined;
    const { type, object } = event;
    const header = headerOf(object);
    if (type === 'BOOKMARK') {
      const version = isJsonObject(object['metadata']) ? object['metadata']['resourceVersion'] : undefined;
      return typeof version === 'string' ? version : undefined;
    }
    if (header === undefined) return undefined;
    if (type === 'ADDED' || type === 'MODIFIED') this.#put(header, object);
    else if (type === 'DELETED') this.#remove(header);
    else return undefined;
    return header.resourceVersion;
  }

  /** An object that is known in this very version is not looked at again. */
  #put(header: ObjectHeader, object: JsonObject): void {
    const key = keyOf(header);
    if (this.#known.get(key)?.resourceVersion === header.resourceVersion) return;
    this.#options.sink.put(header, object);
    this.#known.set(key, header);
  }

  #remove(header: ObjectHeader): void {
    this.#options.sink.remove(header);
    this.#known.delete(keyOf(header));
  }

  #contact(): void {
    this.#lastContactMs = Date.now();
    this.#failure = undefined;
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#failure = toFailure(error);
    const { code, message } = this.#failure;
    this.#options.logger?.warn({ cause: error, code, collection: this.collection.name }, message);
  }

  #refused(status: number): RefwardenError {
    const { name, permission, absent } = this.collection;
    switch (status) {
      case 401:
        return fault(
          'The API server does not accept the credentials: check the service account token or the kubeconfig.',
        );
      case 403:
        return fault(permission);
      case 404:
        return fault(absent);
      case 410:
        return fault(
          `The API server no longer has the version of ${name} that was asked for; all are listed anew.`,
        );
      default:
        return fault(`The API server answered ${status} when asked for ${name}.`);
    }
  }

  #malformed(what: string): RefwardenError {
    return fault(`The API server sent ${what} for ${this.collection.name}.`);
  }
}

interface ListPage {
  readonly items: readonly Json[];
  readonly version: string;
  readonly continueToken?: string;
}

const selectOnly = ({ only }: Collection): Record<string, string> =>
  only === undefined ? {} : { fieldSelector: `metadata.name=${only}` };

const keyOf = ({ name, namespace = '' }: ObjectHeader): string => `${namespace}/${name}`;

const fault = (message: string): RefwardenError => new RefwardenError('ClusterUnavailable', message);
