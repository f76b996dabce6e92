import { setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { leaseCollection } from './collection.ts';
import { headerOf, textsOf } from './kube-object.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';

/** Milliseconds each. */
export interface LeaseTiming {
  /** A holder that was not heard of for so long has lost it; whole seconds. */
  readonly durationMs: number;
  /** A holder that could not renew for so long no longer acts: less than the former, after which others may. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  /** A holder that does not do what another replica needs for so long loses it to that one; more than the duration. */
  readonly strandedMs: number;
}

const defaultLeaseTiming: LeaseTiming = {
  durationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2000,
  strandedMs: 30_000,
};

const maxPatience = 32;
const noteAnnotation = 'refwarden.dev/authorities';

export interface LeaseOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** Of this process alone. */
  readonly identity: string;
  /** Whether this replica could do what the holder has to: it does not take the lease from one that can. */
  readonly isAble: () => boolean;
  /** Whether this replica cannot do without what the holder leaves undone: it may have other settings, as during an upgrade. */
  readonly isStranded?: () => boolean;
  /** What the holder leaves for who holds it next, in an annotation; undefined leaves what is there. */
  readonly note?: () => string | undefined;
  readonly timing?: LeaseTiming;
  readonly logger: BaseLogger;
}

/**
 * Of several replicas one holds the lease and writes (`coordination.k8s.io/v1`). Clocks of others are not relied on: a
 * holder is lost when its Lease was seen unchanged for the whole duration, measured here. One that renews it and yet leaves
 * another stranded gives way to that: else neither an upgrade nor what it waits for would ever get on.
 */
export class Lease {
  readonly #object: NamedObject;
  readonly #options: LeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Until when it is held without another renewal, by `performance.now()`. */
  #heldUntilMs = 0;
  /** From when on: who was made to give way may not know it yet. */
  #heldFromMs = 0;
  #wasHeld = false;
  readonly #problems: ProblemLog;
  /** The version seen last, and since when. */
  #seenVersion = '';
  #seenSinceMs = 0;
  #lastNote: string | undefined;
  /** So many times as long it waits before it takes the lease. */
  #patience = 1;
  /** The holder that leaves this replica stranded, and since when. */
  #strandedBy: { readonly holder: string; readonly sinceMs: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultLeaseTiming;
    this.#problems = new ProblemLog(options.logger, 'The lease cannot be renewed');
    this.#object = new NamedObject(options.api, leaseCollection(options.namespace, options.name));
    this.#running = this.#run();
  }

  get isHeld(): boolean {
    const nowMs = performance.now();
    return this.#heldFromMs <= nowMs && nowMs < this.#heldUntilMs;
  }

  /** What the holder of before left, or this one. Only who may write the Lease can have written it. */
  get lastNote(): string | undefined {
    return this.#lastNote;
  }

  /** Gives it back, so that the next need not wait until it is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (performance.now() >= this.#heldUntilMs) return;
    this.#heldUntilMs = 0;
    await this.#hold(null, AbortSignal.timeout(this.#timing.retryMs)).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (this.#options.isAble()) await this.#renew(signal);
      this.#tell();
      const delayMs = this.#timing.retryMs * (0.8 + Math.random() * 0.4);
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    try {
      const untilMs = performance.now() + this.#timing.renewDeadlineMs;
      this.#heldUntilMs = (await this.#hold(this.#options.identity, signal)) ? untilMs : 0;
      this.#problems.succeeded();
    } catch (cause) {
      if (!signal.aborted) this.#problems.failed(cause);
    }
  }

  #tell(): void {
    if (this.isHeld === this.#wasHeld) return;
    this.#wasHeld = this.isHeld;
    const { logger, name } = this.#options;
    logger.info({ lease: name }, `This replica ${this.isHeld ? 'holds' : 'no longer holds'} the lease`);
  }

  /** @param holder null gives it back. @returns whether the Lease now names the holder. */
  async #hold(holder: string | null, signal: AbortSignal): Promise<boolean> {
    const { namespace, name } = this.#options;
    const found = await this.#object.read(signal);
    const spec = isJsonObject(found?.['spec']) ? found['spec'] : {};
    if (found !== undefined && !this.#isFree(found, spec)) {
      if (holder === null || !this.#mustGiveWay(spec)) return false;
      this.#heldFromMs = performance.now() + this.#timing.renewDeadlineMs;
    }
    const metadata = isJsonObject(found?.['metadata']) ? found['metadata'] : { name, namespace };
    const annotations = textsOf(metadata, 'annotations');
    this.#lastNote = annotations[noteAnnotation];
    const now = new Date().toISOString().replace('Z', '000Z'); // MicroTime
    const isNewHolder = holder !== null && spec['holderIdentity'] !== holder;
    const note = isNewHolder || holder === null ? undefined : this.#options.note?.();
    const changes = Number(spec['leaseTransitions'] ?? 0);
    const written = await this.#object.write(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        ...found,
        metadata:
          note === undefined
            ? metadata
            : { ...metadata, annotations: { ...annotations, [noteAnnotation]: note } },
        spec: {
          ...spec,
          holderIdentity: holder,
          leaseDurationSeconds: Math.ceil(this.#timing.durationMs / 1000),
          renewTime: now,
          ...(isNewHolder ? { acquireTime: now, leaseTransitions: changes + 1 } : {}),
        },
      },
      signal,
    );
    return written !== undefined;
  }

  /** The holder had its time, and this replica is still stranded. */
  #mustGiveWay({ holderIdentity }: JsonObject): boolean {
    const { isStranded = () => false, logger, name } = this.#options;
    if (typeof holderIdentity !== 'string' || !isStranded()) {
      this.#strandedBy = undefined;
      this.#patience = 1;
      return false;
    }
    if (this.#strandedBy?.holder !== holderIdentity) {
      this.#strandedBy = { holder: holderIdentity, sinceMs: performance.now() };
    }
    if (performance.now() - this.#strandedBy.sinceMs < this.#timing.strandedMs * this.#patience) return false;
    // Taking it may bring nothing, as where nobody may write: two such do not take it from each other all the time.
    this.#patience = Math.min(this.#patience * 2, maxPatience);
    logger.warn(
      { lease: name, holder: holderIdentity },
      'The lease is taken from a replica that does not do what this one needs',
    );
    this.#strandedBy = undefined;
    return true;
  }

  /** It is ours, was given back, or its holder was not heard of for its whole duration. */
  #isFree(found: JsonObject, { holderIdentity }: JsonObject): boolean {
    const version = headerOf(found)?.resourceVersion ?? '';
    if (version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#seenSinceMs = performance.now();
    }
    return (
      holderIdentity === this.#options.identity ||
      typeof holderIdentity !== 'string' ||
      performance.now() - this.#seenSinceMs > this.#timing.durationMs
    );
  }
}
