import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { BaseLogger } from 'pino';
import { toFailure } from '../failures/failure.ts';
import type { ApiClient } from './api-client.ts';
import { eventCollection } from './collection.ts';
import { NamedObject } from './named-object.ts';

/** Events that are counted up when they come again. */
const maxRemembered = 64;

/** About an object of the whole cluster. */
export interface ClusterEvent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** `kubectl describe` looks for it; undefined when there is no such object. */
  readonly uid: string | undefined;
  /** UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes warnings that `kubectl describe` of the object shows. The same warning again counts up the Event that there is. Those
 * about objects of the whole cluster are kept in namespace `default`.
 */
export class EventRecorder {
  readonly #api: ApiClient;
  readonly #logger: BaseLogger;
  readonly #told = new LRUCache<string, { readonly object: NamedObject; count: number }>({
    max: maxRemembered,
  });
  #last: Promise<void> = Promise.resolve();

  constructor(api: ApiClient, logger: BaseLogger) {
    this.#api = api;
    this.#logger = logger;
  }

  /** Returns at once; an event that cannot be written is a line of the log. */
  record(event: ClusterEvent, signal: AbortSignal): void {
    this.#last = this.#last
      .then(() => this.#write(event, signal))
      .catch((cause: unknown) => {
        if (signal.aborted) return;
        const { code, message } = toFailure(cause);
        this.#logger.warn({ cause, code }, message);
      });
  }

  async #write(event: ClusterEvent, signal: AbortSignal): Promise<void> {
    const key = JSON.stringify(event);
    const lastTimestamp = new Date().toISOString();
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.count++;
      if (await told.object.merge({ count: told.count, lastTimestamp }, signal)) return;
    }
    const { apiVersion, kind, name, uid, reason, message } = event;
    const eventName = `${name}.${randomUUID()}`;
    const made = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName, namespace: 'default' },
      involvedObject: { apiVersion, kind, name, ...(uid === undefined ? {} : { uid }) },
      reason,
      message,
      type: 'Warning',
      source: { component: 'refwarden' },
      firstTimestamp: lastTimestamp,
      lastTimestamp,
      count: 1,
    };
    const object = new NamedObject(this.#api, eventCollection(eventName));
    await object.write(made, signal);
    this.#told.set(key, { object, count: 1 });
  }
}
