import { setTimeout as sleep } from 'node:timers/promises';
import type { BaseLogger } from 'pino';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { leaseCollection } from './collection.ts';
import { headerOf } from './kube-object.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';

/** Milliseconds each. */
export interface LeaseTiming {
  /** A holder that was not heard of for so long has lost it; whole seconds. */
  readonly durationMs: number;
  /** A holder that could not renew for so long no longer acts: less than the former, after which others may. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

const defaultLeaseTiming: LeaseTiming = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2000 };

export interface LeaseOptions {
  readonly api: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** Of this process alone. */
  readonly identity: string;
  /** Whether this replica could do what the holder has to: it does not take the lease from one that can. */
  readonly isAble: () => boolean;
  readonly timing?: LeaseTiming;
  readonly logger: BaseLogger;
}

/**
 * Of several replicas one holds the lease and writes (`coordination.k8s.io/v1`). Clocks of others are not relied on: a
 * holder is lost when its Lease was seen unchanged for the whole duration, measured here.
 */
export class Lease {
  readonly #object: NamedObject;
  readonly #options: LeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** Until when it is held without another renewal, by `performance.now()`. */
  #heldUntilMs = 0;
  #wasHeld = false;
  readonly #problems: ProblemLog;
  /** The version seen last, and since when. */
  #seenVersion = '';
  #seenSinceMs = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultLeaseTiming;
    this.#problems = new ProblemLog(options.logger, 'The lease cannot be renewed');
    this.#object = new NamedObject(options.api, leaseCollection(options.namespace, options.name));
    this.#running = this.#run();
  }

  get isHeld(): boolean {
    return performance.now() < this.#heldUntilMs;
  }

  /** Gives it back, so that the next need not wait until it is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (!this.isHeld) return;
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
    if (found !== undefined && !this.#isFree(found, spec)) return false;
    const now = new Date().toISOString().replace('Z', '000Z'); // MicroTime
    const isNewHolder = holder !== null && spec['holderIdentity'] !== holder;
    const changes = Number(spec['leaseTransitions'] ?? 0);
    const written = await this.#object.write(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        ...found,
        metadata: isJsonObject(found?.['metadata']) ? found['metadata'] : { name, namespace },
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
