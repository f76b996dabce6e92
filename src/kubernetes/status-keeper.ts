import { LRUCache } from 'lru-cache';
import type { BaseLogger } from 'pino';
import type { LiveObject } from '../admission/live-source.ts';
import type { Clock } from '../admission/ports.ts';
import { secondText } from '../failures/time-text.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { readinessOf } from '../policy/readiness.ts';
import type { Readiness } from '../policy/readiness.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { ApiClient } from './api-client.ts';
import { policyCollection } from './collection.ts';
import { originOf } from './kube-object.ts';
import type { Lease } from './lease.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';
import { Waker } from './waker.ts';

/** Most objects whose status is written before others have their turn. */
const maxWrites = 100;
/** Without a change they are all looked at so often, milliseconds: exceptions end, and others may write a status. */
const lookAgainMs = 5000;
/** Of so many writes that fail at once the API server is the reason, and no object. */
const maxFailures = 10;
/** An object whose status could not be written is left alone for so long, milliseconds. */
const leftAloneMs = 60_000;
/** Most objects of which that is remembered. */
const maxLeftAlone = 10_000;
/** Longest message of a condition, characters. */
const maxMessageLength = 1024;

export interface StatusKeeperOptions {
  readonly api: ApiClient;
  readonly lease: Lease;
  readonly objects: () => Iterable<LiveObject>;
  readonly snapshot: () => PolicySnapshot | undefined;
  readonly clock: Clock;
  readonly logger: BaseLogger;
}

/** Writes into the status of issuers, policies and exceptions whether they do what they say; the holder of the lease does. */
export class StatusKeeper {
  readonly #options: StatusKeeperOptions;
  readonly #closing = new AbortController();
  readonly #problems: ProblemLog;
  readonly #waker: Waker;
  /** What every status speaks of, and since when. */
  #written: PolicySnapshot | undefined;
  #lookedAtMs = 0;
  /** By object, until when. */
  readonly #leftAlone = new LRUCache<string, number>({ max: maxLeftAlone });

  constructor(options: StatusKeeperOptions) {
    this.#options = options;
    this.#problems = new ProblemLog(options.logger, 'The status of resources cannot be written');
    this.#waker = new Waker(() => this.#write());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#waker.close();
  }

  async #write(): Promise<void> {
    const { lease, objects, snapshot, clock } = this.#options;
    const current = snapshot();
    if (!lease.isHeld || current === undefined) return;
    const nowMs = clock.nowMs();
    const ageMs = nowMs - this.#lookedAtMs;
    if (current === this.#written && ageMs >= 0 && ageMs < lookAgainMs) return;
    let writes = 0;
    let failures = 0;
    let isLeftAlone = false;
    for (const object of objects()) {
      const origin = originOf(object.kind, object);
      if (nowMs < (this.#leftAlone.get(origin) ?? 0)) {
        isLeftAlone = true;
        continue;
      }
      // A version that is not compiled yet: what is in force is not what it says.
      if (!('code' in object.resource) && !current.resources.has(object.resource)) continue;
      const readiness = readinessOf(object.resource, current, nowMs);
      const status = readiness === undefined ? undefined : changedStatus(object, readiness, nowMs);
      if (status === undefined) continue;
      try {
        await this.#writeOne(object, status);
      } catch (cause) {
        if (this.#closing.signal.aborted) return;
        // The API server may take no larger object of somebody: that is no reason to write none of the others.
        failures++;
        this.#leftAlone.set(origin, nowMs + leftAloneMs);
        this.#problems.failed(cause);
      }
      if (++writes >= maxWrites || failures >= maxFailures || this.#closing.signal.aborted) return;
    }
    this.#written = current;
    this.#lookedAtMs = nowMs;
    if (failures === 0 && !isLeftAlone) this.#problems.succeeded();
  }

  async #writeOne({ kind, name, namespace }: LiveObject, status: JsonObject): Promise<void> {
    const { api } = this.#options;
    const collection = { ...policyCollection(kind, namespace), only: name };
    await new NamedObject(api, collection).merge({ status }, this.#closing.signal, 'status');
  }
}

/** @returns undefined when the status says it already. */
function changedStatus(
  { status, generation }: LiveObject,
  { isReady, reason, message }: Readiness,
  nowMs: number,
): JsonObject | undefined {
  const found = isJsonObject(status) && Array.isArray(status['conditions']) ? status['conditions'] : [];
  const conditions = found.filter(isJsonObject);
  const before = conditions.find(({ type }) => type === 'Ready');
  const now = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason,
    message: message.slice(0, maxMessageLength),
    observedGeneration: generation,
  };
  const isSame = Object.entries(now).every(([field, value]) => before?.[field] === value);
  if (isSame && isJsonObject(status) && status['observedGeneration'] === generation) return undefined;
  const changedAt =
    before?.['status'] === now.status && typeof before['lastTransitionTime'] === 'string'
      ? before['lastTransitionTime']
      : secondText(nowMs);
  return {
    observedGeneration: generation,
    conditions: [...conditions.filter((each) => each !== before), { ...now, lastTransitionTime: changedAt }],
  };
}
