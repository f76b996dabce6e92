import { isDeepStrictEqual } from 'node:util';
import type { BaseLogger } from 'pino';
import { webhookGroupVersion } from '../admission/webhook-configurations.ts';
import type { WebhookConfiguration } from '../admission/webhook-configurations.ts';
import { RefwardenError, toFailure } from '../failures/failure.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { clusterRoleCollection, oneNamespaceCollection, webhookCollection } from './collection.ts';
import type { SingleCollection } from './collection.ts';
import { EventRecorder } from './event-recorder.ts';
import { alteredFields, lastWriterOf, caBundlesOf, webhookChange, withWebhooks } from './kept-webhooks.ts';
import type { Answered, Owner, WantedWebhooks, WebhookChange, WebhookKind } from './kept-webhooks.ts';
import { uidOf } from './kube-object.ts';
import type { Lease } from './lease.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';
import { Reflector } from './reflector.ts';
import { isTerminating, whyRemoved } from './removal.ts';
import type { WebhookService } from './removal.ts';
import type { WatchTiming } from './watch-timing.ts';
import { Waker } from './waker.ts';

export interface WebhookKeeperOptions {
  readonly api: ApiClient;
  readonly lease: Pick<Lease, 'isHeld'>;
  /** Name of both configurations. */
  readonly name: string;
  /** Carries the mark of removal. */
  readonly service: WebhookService;
  /** Whether the API server calls this Service: without it, nobody could be asked. */
  readonly isCalled: boolean;
  /** When it is deleted, so are the configurations: what it guards could never start otherwise. */
  readonly releaseNamespace: string;
  /** The ClusterRole of the release: the configurations are deleted with it, even where nobody runs any more. */
  readonly clusterRole: string | undefined;
  /** What is to stand there; undefined while it is too early to be asked. */
  readonly wanted: (now: Registered) => Promise<readonly WebhookConfiguration[] | undefined>;
  /** A configuration that stood was deleted or changed, and stands again. */
  readonly restored: (kind: WebhookKind, change: WebhookChange) => void;
  readonly timing: WatchTiming;
  readonly logger: BaseLogger;
}

/** What stands. */
export interface Registered {
  /** PEM that each webhook is called by; empty when none stands. */
  readonly bundles: readonly string[];
  /** Whether this replica is the one that writes. */
  readonly isHolder: boolean;
  /** Who wrote before was another replica, or nobody. */
  readonly isNewHolder: boolean;
}

interface Kept {
  readonly object: NamedObject;
  readonly reflector: Reflector;
  /** As it stands; undefined when there is none. */
  found: JsonObject | undefined;
  /** Its webhooks when they were last seen as wanted: what differs from them, somebody else wrote. */
  right: Json | undefined;
  answered: Answered | undefined;
}

/** Registers the webhooks with the API server, and puts them back when somebody deletes or weakens them. */
export class WebhookKeeper {
  readonly #options: WebhookKeeperOptions;
  readonly #waker: Waker;
  readonly #kept: ReadonlyMap<WebhookKind, Kept>;
  readonly #namespace: Reflector;
  readonly #closing = new AbortController();
  readonly #problems: ProblemLog;
  readonly #ownerProblems: ProblemLog;
  readonly #events: EventRecorder;
  /** Undefined where there is none, and until it could be read. */
  #owner: Owner | undefined;
  #wasHolder = false;
  #whyRemoved: string | undefined;
  /** The release namespace is being deleted, which nobody can call off. */
  #isEnding = false;
  #standing: ReadonlyMap<WebhookKind, boolean> | undefined;

  constructor(options: WebhookKeeperOptions) {
    this.#options = options;
    this.#problems = new ProblemLog(options.logger, 'The webhooks cannot be kept');
    this.#ownerProblems = new ProblemLog(
      options.logger,
      'The webhooks belong to nobody, and outlive the release',
    );
    this.#events = new EventRecorder(options.api, options.logger);
    this.#waker = new Waker(() => this.#reconcile());
    this.#kept = new Map([
      ['MutatingWebhookConfiguration', this.#keeping('MutatingWebhookConfiguration')],
      ['ValidatingWebhookConfiguration', this.#keeping('ValidatingWebhookConfiguration')],
    ]);
    this.#namespace = this.#watch(oneNamespaceCollection(options.releaseNamespace), (found) => {
      if (found !== undefined && isTerminating(found)) void this.#withdraw();
    });
  }

  /** Looks again soon: what is wanted may have changed. */
  wake(): void {
    this.#waker.wake();
  }

  /**
   * By kind, whether the configuration stands as wanted. Undefined while that is not known, and without the lease: who did not write
   * knows neither what the API server makes of it nor which authorities others serve by.
   */
  get standing(): ReadonlyMap<WebhookKind, boolean> | undefined {
    return this.#options.lease.isHeld ? this.#standing : undefined;
  }

  /** What was tried last did not succeed. */
  get isFailing(): boolean {
    return this.#problems.isFailing;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const reflectors = [...this.#kept.values()].map(({ reflector }) => reflector);
    await Promise.all([...reflectors, this.#namespace].map((reflector) => reflector.close()));
    await this.#waker.close();
  }

  #watch(collection: SingleCollection, seen: (found: JsonObject | undefined) => void): Reflector {
    const { api, timing, logger } = this.#options;
    const wake = (found: JsonObject | undefined): void => {
      seen(found);
      this.#waker.wake();
    };
    return new Reflector({
      api,
      collection,
      timing,
      logger,
      sink: {
        put: (_header, object) => {
          wake(object);
        },
        remove: () => {
          wake(undefined);
        },
        synced: () => {
          this.#waker.wake();
        },
      },
    });
  }

  #keeping(kind: WebhookKind): Kept {
    const collection = webhookCollection(kind, this.#options.name);
    const kept: Kept = {
      object: new NamedObject(this.#options.api, collection),
      reflector: this.#watch(collection, (found) => {
        kept.found = found;
      }),
      found: undefined,
      right: undefined,
      answered: undefined,
    };
    return kept;
  }

  /** Every replica compares, so that each knows what was right; the holder of the lease alone writes. */
  async #reconcile(): Promise<void> {
    if (this.#isEnding) {
      await this.#withdraw();
      return;
    }
    const kept = [...this.#kept.values()];
    if (!kept.every(({ reflector }) => reflector.isSynced)) return;
    try {
      const { isHeld } = this.#options.lease;
      const isNewHolder = isHeld && !this.#wasHolder;
      const bundles = kept.flatMap(({ found }) => (found === undefined ? [] : caBundlesOf(found)));
      const wanted = await this.#options.wanted({ bundles, isHolder: isHeld, isNewHolder });
      this.#wasHolder = isHeld;
      if (wanted === undefined) return;
      if (isHeld) this.#owner ??= await this.#readOwner();
      const standing = new Map(wanted.map(({ kind }) => [kind, false]));
      this.#standing = standing;
      for (const [kind, kept] of this.#kept) {
        const configuration = wanted.find((one) => one.kind === kind);
        const stands = await this.#keep(kind, kept, configuration);
        if (configuration !== undefined) standing.set(kind, stands);
      }
      this.#problems.succeeded();
    } catch (cause) {
      if (!this.#closing.signal.aborted) this.#problems.failed(cause);
    }
  }

  /** @returns whether it is as wanted now. */
  async #keep(
    kind: WebhookKind,
    kept: Kept,
    configuration: WebhookConfiguration | undefined,
  ): Promise<boolean> {
    const { lease, logger, name } = this.#options;
    const wanted = configuration && { configuration, owner: this.#owner };
    const change = webhookChange(wanted, kept.found, kept.answered);
    if (change === undefined) {
      kept.right = kept.found?.['webhooks'];
      return true;
    }
    if (!lease.isHeld) return false;
    if (wanted === undefined) {
      const isDone = await kept.object.remove(this.#closing.signal);
      if (isDone) logger.info({ kind, name }, 'A webhook was withdrawn');
      return true;
    }
    if (change === 'Missing') {
      if (await this.#isRemoved()) {
        kept.right = undefined;
        return false;
      }
      // The garbage collector deletes what an owner of old owned.
      this.#owner = await this.#readOwner();
      return this.#write(kind, kept, { ...wanted, owner: this.#owner }, change);
    }
    return this.#write(kind, kept, wanted, change);
  }

  async #write(
    kind: WebhookKind,
    kept: Kept,
    wanted: WantedWebhooks,
    change: WebhookChange,
  ): Promise<boolean> {
    const { found, right } = kept;
    const written = await kept.object.write(withWebhooks(wanted, found), this.#closing.signal);
    // Somebody was faster, and the watch tells of it.
    if (written === undefined) return false;
    const answered = { wanted: wanted.configuration, webhooks: written['webhooks'] };
    this.#warnOfAltered(kind, kept.answered, answered);
    kept.answered = answered;
    kept.right = answered.webhooks;
    if (right !== undefined && !isDeepStrictEqual(found?.['webhooks'], right)) {
      this.#tellRestored(kind, change, found, uidOf(written));
    } else {
      const { logger, name } = this.#options;
      logger.info(
        { kind, name },
        `A webhook was ${change === 'Missing' ? 'registered' : 'brought up to date'}`,
      );
    }
    return true;
  }

  #tellRestored(
    kind: WebhookKind,
    change: WebhookChange,
    found: JsonObject | undefined,
    uid: string | undefined,
  ): void {
    const { logger, name, restored } = this.#options;
    const writer = lastWriterOf(found);
    const by = writer === undefined ? '' : ` (last written by ${JSON.stringify(writer)})`;
    const message = `${kind} ${name} was ${change === 'Missing' ? 'deleted' : `changed${by}`}, and was put back.`;
    logger.warn({ kind, name, change }, message);
    restored(kind, change);
    this.#record(kind, uid, 'WebhookRestored', message);
  }

  /** The API server's own admission has the last word: what it makes of them is not written over and over. */
  #warnOfAltered(kind: WebhookKind, before: Answered | undefined, now: Answered): void {
    const fields = alteredFields(now);
    if (fields.length === 0 || isDeepStrictEqual(before, now)) return;
    const { logger, name } = this.#options;
    logger.warn(
      { kind, name, fields },
      `The API server keeps ${kind} ${name} otherwise than it was written: ${fields.join(', ')}`,
    );
  }

  #record(kind: WebhookKind, uid: string | undefined, reason: string, message: string): void {
    const { name } = this.#options;
    this.#events.record(
      { apiVersion: webhookGroupVersion, kind, name, uid, reason, message },
      this.#closing.signal,
    );
  }

  /** Asked before what is missing is written only: that is rare. Where it cannot be read, what was last known holds. */
  async #isRemoved(): Promise<boolean> {
    const { api, logger, service, isCalled, name } = this.#options;
    const { signal } = this.#closing;
    if (this.#isEnding) return true;
    try {
      const why = await whyRemoved(api, service, isCalled, signal);
      if (why !== undefined && why !== this.#whyRemoved) {
        const message = `The webhooks ${name} stay away, and nothing is judged: ${why}.`;
        logger.warn(message);
        this.#record('ValidatingWebhookConfiguration', undefined, 'WebhooksRemoved', message);
      }
      this.#whyRemoved = why;
    } catch (cause) {
      if (!signal.aborted) logger.warn({ cause, code: toFailure(cause).code }, toFailure(cause).message);
    }
    return this.#whyRemoved !== undefined;
  }

  /** Without it the webhooks are registered all the same: they guard the cluster. */
  async #readOwner(): Promise<Owner | undefined> {
    const { api, clusterRole: name } = this.#options;
    if (name === undefined) return undefined;
    const { signal } = this.#closing;
    try {
      const found = await new NamedObject(api, clusterRoleCollection(name)).read(signal);
      const uid = found && uidOf(found);
      if (uid === undefined) {
        throw new RefwardenError('ClusterUnavailable', `There is no ClusterRole ${name}.`);
      }
      this.#ownerProblems.succeeded();
      return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name, uid };
    } catch (cause) {
      if (signal.aborted) throw cause;
      this.#ownerProblems.failed(cause);
      return undefined;
    }
  }

  /** Any replica does, at once: its rights go with the namespace. */
  async #withdraw(): Promise<void> {
    const { logger, name, releaseNamespace } = this.#options;
    const { signal } = this.#closing;
    if (!this.#isEnding) {
      logger.warn(`Namespace ${releaseNamespace} is being deleted: the webhooks ${name} go with it.`);
    }
    const isFirst = !this.#isEnding;
    this.#isEnding = true;
    const removals = [...this.#kept.values()]
      .filter(({ found }) => isFirst || found !== undefined)
      .map(({ object }) => object.remove(signal));
    for (const result of await Promise.allSettled(removals)) {
      if (result.status === 'rejected' && !signal.aborted) this.#problems.failed(result.reason);
    }
  }
}
