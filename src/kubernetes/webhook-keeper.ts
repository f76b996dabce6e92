import type { BaseLogger } from 'pino';
import type { WebhookConfiguration } from '../admission/webhook-configurations.ts';
import { toFailure } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';
import { serviceCollection, webhookCollection } from './collection.ts';
import { recordEvent } from './record-event.ts';
import { webhookChange, withWebhooks } from './kept-webhooks.ts';
import type { WebhookChange, WebhookKind } from './kept-webhooks.ts';
import { textsOf } from './kube-object.ts';
import type { Lease } from './lease.ts';
import { NamedObject } from './named-object.ts';
import { ProblemLog } from './problem-log.ts';
import { Reflector } from './reflector.ts';
import type { WatchTiming } from './watch-timing.ts';
import { Waker } from './waker.ts';

/** On the Service that leads to the webhook: the webhook configurations were removed, and nobody puts them back. */
export const webhooksAnnotation = 'refwarden.dev/webhooks';
export const webhooksRemoved = 'Removed';

export interface WebhookKeeperOptions {
  readonly api: ApiClient;
  readonly lease: Lease;
  /** Name of both configurations. */
  readonly name: string;
  /** Carries the mark of removal. */
  readonly service: { readonly namespace: string; readonly name: string };
  /** What is to stand there; undefined while it is too early to be asked. */
  readonly wanted: () => Promise<readonly WebhookConfiguration[] | undefined>;
  /** A configuration that stood was deleted or changed, and stands again. */
  readonly restored: (kind: WebhookKind, change: WebhookChange) => void;
  readonly timing: WatchTiming;
  readonly logger: BaseLogger;
}

interface Kept {
  readonly object: NamedObject;
  readonly reflector: Reflector;
  /** As it stands; undefined when there is none. */
  found: JsonObject | undefined;
  /** It was seen standing, so that writing it again is a restoration. */
  hasStood: boolean;
}

/** Registers the webhooks with the API server, and puts them back when somebody deletes or weakens them. */
export class WebhookKeeper {
  readonly #options: WebhookKeeperOptions;
  readonly #waker: Waker;
  readonly #kept: ReadonlyMap<WebhookKind, Kept>;
  readonly #closing = new AbortController();
  readonly #problems: ProblemLog;
  #isRemoved = false;

  constructor(options: WebhookKeeperOptions) {
    this.#options = options;
    this.#problems = new ProblemLog(options.logger, 'The webhooks cannot be kept');
    this.#waker = new Waker(() => this.#reconcile());
    this.#kept = new Map([
      ['MutatingWebhookConfiguration', this.#watch('MutatingWebhookConfiguration')],
      ['ValidatingWebhookConfiguration', this.#watch('ValidatingWebhookConfiguration')],
    ]);
  }

  /** Looks again soon: what is wanted may have changed. */
  wake(): void {
    this.#waker.wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#kept.values()].map(({ reflector }) => reflector.close()));
    await this.#waker.close();
  }

  #watch(kind: WebhookKind): Kept {
    const { api, name, timing, logger } = this.#options;
    const collection = webhookCollection(kind, name);
    const wake = (): void => {
      this.#waker.wake();
    };
    const kept: Kept = {
      object: new NamedObject(api, collection),
      reflector: new Reflector({
        ...{ api, collection, timing, logger },
        sink: {
          put: (_header, object) => {
            kept.found = object;
            kept.hasStood = true;
            wake();
          },
          remove: () => {
            kept.found = undefined;
            wake();
          },
          synced: wake,
        },
      }),
      found: undefined,
      hasStood: false,
    };
    return kept;
  }

  async #reconcile(): Promise<void> {
    if (!this.#options.lease.isHeld) return;
    if (![...this.#kept.values()].every(({ reflector }) => reflector.isSynced)) return;
    try {
      const wanted = await this.#options.wanted();
      if (wanted === undefined) return;
      for (const [kind, kept] of this.#kept) {
        await this.#keep(
          kind,
          kept,
          wanted.find((configuration) => configuration.kind === kind),
        );
      }
      this.#problems.succeeded();
    } catch (cause) {
      if (!this.#closing.signal.aborted) this.#problems.failed(cause);
    }
  }

  async #keep(kind: WebhookKind, kept: Kept, wanted: WebhookConfiguration | undefined): Promise<void> {
    const { signal } = this.#closing;
    const { hasStood } = kept; // before what is written here is seen standing
    const change = webhookChange(wanted, kept.found);
    if (change === undefined || (await this.#wereRemoved(signal))) return;
    const isDone =
      wanted === undefined
        ? await kept.object.remove(signal)
        : (await kept.object.write(withWebhooks(wanted, kept.found), signal)) !== undefined;
    // Else somebody was faster, and the watch tells of it.
    if (isDone) this.#tell(kind, change, hasStood);
  }

  #tell(kind: WebhookKind, change: WebhookChange, hasStood: boolean): void {
    const { api, logger, name, restored } = this.#options;
    if (!hasStood || change === 'Unwanted') {
      logger.info(
        { kind, name },
        change === 'Unwanted' ? 'A webhook was withdrawn' : 'A webhook was registered',
      );
      return;
    }
    const message = `${kind} ${name} was ${change === 'Missing' ? 'deleted' : 'changed'}, and was put back.`;
    logger.warn({ kind, name, change }, message);
    restored(kind, change);
    recordEvent(api, { kind, name, reason: 'WebhookRestored', message }, this.#closing.signal).catch(
      (cause: unknown) => {
        logger.warn({ cause, code: toFailure(cause).code }, toFailure(cause).message);
      },
    );
  }

  /** Asked before each write only: writes are rare. */
  async #wereRemoved(signal: AbortSignal): Promise<boolean> {
    const { api, logger, service } = this.#options;
    try {
      const found = await new NamedObject(api, serviceCollection(service.namespace, service.name)).read(
        signal,
      );
      const metadata = isJsonObject(found?.['metadata']) ? found['metadata'] : {};
      const isRemoved = textsOf(metadata, 'annotations')[webhooksAnnotation] === webhooksRemoved;
      if (isRemoved && !this.#isRemoved) {
        logger.warn(
          `The webhooks stay away: Service ${service.name} says ${webhooksAnnotation}: ${webhooksRemoved}. Nothing is judged until "kubectl annotate service ${service.name} --namespace ${service.namespace} ${webhooksAnnotation}-".`,
        );
      }
      this.#isRemoved = isRemoved;
      return isRemoved;
    } catch (cause) {
      if (!signal.aborted) logger.warn({ cause, code: toFailure(cause).code }, toFailure(cause).message);
      return false; // no reason to leave the cluster unguarded
    }
  }
}
