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
  /**
   * A holder that does not do what another replica needs for so long loses it to that one, and one that fails for so long gives it
   * back; more than the duration.
   */
  readonly strandedMs: number;
}

const defaultLeaseTiming: LeaseTiming = {
  durationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2000,
  strandedMs: 30_000,
};

/** What is done in vain is done again after twice the time, at most after so many times. */
const maxPatience = 32;
/** Of the Lease: only who may write that can have written it. */
const authoritiesAnnotation = 'refwarden.dev/authorities';

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
  /** Whether this replica, when it is the holder, does not get its work done. */
  readonly isFailing?: () => boolean;
  /** Fingerprints of authorities that the holder vouches for, for who holds it next; undefined leaves what is there. */
  readonly authorities?: () => string | undefined;
  readonly timing?: LeaseTiming;
  readonly logger: BaseLogger;
}

/**
 * Of several replicas one holds the lease and writes (`coordination.k8s.io/v1`). Clocks of others are not relied on: a
 * holder is lost when its Lease was seen unchanged for the whole duration, measured here. One that renews it and yet leaves
 * another stranded gives way to that: else neither an upgrade nor what it waits for would ever get on. One that fails gives it back.
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
  /** What was written last may have been taken, though nobody heard so. */
  #isInDoubt = false;
  readonly #problems: ProblemLog;
  /** The version seen last, and since when. */
  #seenVersion = '';
  #seenSinceMs = 0;
  #lastAuthorities: string | undefined;
  /** So many times as long it waits before it takes the lease from another. */
  #patience = 1;
  /** The same before it gives it back. */
  #ownPatience = 1;
  /** Since when it is held and nothing gets done. */
  #failingSinceMs: number | undefined;
  /** Since when it is held and nothing fails. */
  #workingSinceMs: number | undefined;
  /** Until then it is left to others. */
  #leftUntilMs = 0;
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

  /** Fingerprints of what the holder of before vouched for, or this one. */
  get lastAuthorities(): string | undefined {
    return this.#lastAuthorities;
  }

  /** Gives it back, so that the next need not wait until it is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (performance.now() >= this.#heldUntilMs && !this.#isInDoubt) return;
    this.#heldUntilMs = 0;
    await this.#hold(null, AbortSignal.timeout(this.#timing.retryMs)).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (this.#mustGiveBack()) await this.#giveBack(signal);
      else if (performance.now() >= this.#leftUntilMs && this.#options.isAble()) await this.#renew(signal);
      this.#tell();
      const delayMs = this.#timing.retryMs * (0.8 + Math.random() * 0.4);
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #mustGiveBack(): boolean {
    const nowMs = performance.now();
    if (!this.isHeld) {
      this.#failingSinceMs = this.#workingSinceMs = undefined;
      return false;
    }
    if (this.#options.isFailing?.() !== true) {
      this.#failingSinceMs = undefined;
      this.#workingSinceMs ??= nowMs;
      // Who has just taken it has not tried yet.
      if (nowMs - this.#workingSinceMs >= this.#timing.strandedMs) this.#ownPatience = 1;
      return false;
    }
    this.#workingSinceMs = undefined;
    this.#failingSinceMs ??= nowMs;
    return nowMs - this.#failingSinceMs >= this.#timing.strandedMs * this.#ownPatience;
  }

  /** Another replica may get done what this one does not, as with other settings; where there is none it goes on after a while. */
  async #giveBack(signal: AbortSignal): Promise<void> {
    const { logger, name } = this.#options;
    logger.warn(
      { lease: name },
      'The lease is given back: this replica does not get done what its holder has to do',
    );
    this.#heldUntilMs = 0;
    this.#leftUntilMs = performance.now() + this.#timing.durationMs;
    this.#ownPatience = Math.min(this.#ownPatience * 2, maxPatience);
    // What cannot be given back is lost after its duration.
    await this.#hold(null, signal).catch(() => undefined);
  }

  async #renew(signal: AbortSignal): Promise<void> {
    try {
      const untilMs = performance.now() + this.#timing.renewDeadlineMs;
      this.#isInDoubt = true;
      this.#heldUntilMs = (await this.#hold(this.#options.identity, signal)) ? untilMs : 0;
      this.#isInDoubt = false;
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
    if (holder === null && spec['holderIdentity'] !== this.#options.identity) return false;
    const isTaken = found !== undefined && !this.#isFree(found, spec);
    if (isTaken && !this.#mustGiveWay(spec)) return false;
    const metadata = isJsonObject(found?.['metadata']) ? found['metadata'] : { name, namespace };
    const annotations = textsOf(metadata, 'annotations');
    this.#lastAuthorities = annotations[authoritiesAnnotation];
    const now = new Date().toISOString().replace('Z', '000Z'); // MicroTime
    const isNewHolder = holder !== null && spec['holderIdentity'] !== holder;
    const vouched = isNewHolder ? undefined : this.#options.authorities?.();
    const changes = Number(spec['leaseTransitions'] ?? 0);
    const written = await this.#object.write(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        ...found,
        metadata:
          vouched === undefined
            ? metadata
            : { ...metadata, annotations: { ...annotations, [authoritiesAnnotation]: vouched } },
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
    if (written !== undefined && isTaken) this.#tookFrom(spec['holderIdentity']);
    return written !== undefined;
  }

  /** The holder had its time, and this replica is still stranded. */
  #mustGiveWay({ holderIdentity }: JsonObject): boolean {
    const { isStranded = () => false } = this.#options;
    if (typeof holderIdentity !== 'string' || !isStranded()) {
      this.#strandedBy = undefined;
      this.#patience = 1;
      return false;
    }
    if (this.#strandedBy?.holder !== holderIdentity) {
      this.#strandedBy = { holder: holderIdentity, sinceMs: performance.now() };
    }
    return performance.now() - this.#strandedBy.sinceMs >= this.#timing.strandedMs * this.#patience;
  }

  #tookFrom(holder: unknown): void {
    const { logger, name } = this.#options;
    logger.warn(
      { lease: name, holder },
      'The lease is taken from a replica that does not do what this one needs',
    );
    // The other may not know it yet.
    this.#heldFromMs = performance.now() + this.#timing.renewDeadlineMs;
    // Taking it may bring nothing, as where nobody may write: two such do not take it from each other all the time.
    this.#patience = Math.min(this.#patience * 2, maxPatience);
    this.#strandedBy = undefined;
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
