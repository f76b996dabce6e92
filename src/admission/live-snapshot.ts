import type { BaseLogger } from 'pino';
import { compileInPieces } from '../policy/compile.ts';
import type { UnreadablePolicy } from '../policy/compile.ts';
import { ExpressionChecks } from '../policy/expression-checks.ts';
import type { Resource } from '../policy/model/resource.ts';
import { newlyNotReady } from '../policy/newly-not-ready.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { installationTenant, Turn } from '../scheduling/fair-queue.ts';
import type { ConfigMapLookup, SnapshotOptions } from './live-source.ts';

/** What a live source says at the moment of a compilation. */
export interface SnapshotInput {
  readonly resources: readonly Resource[];
  readonly unreadable?: readonly UnreadablePolicy[];
}

export interface LiveSnapshotOptions extends SnapshotOptions {
  readonly read: () => SnapshotInput;
  readonly configMap: ConfigMapLookup;
  readonly logger?: BaseLogger;
}

/** The snapshot in force of a live source; one compilation at a time. */
export class LiveSnapshot {
  readonly #options: LiveSnapshotOptions;
  readonly #checks: ExpressionChecks;
  #current: PolicySnapshot | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #queued: Promise<PolicySnapshot> | undefined;

  constructor(options: LiveSnapshotOptions) {
    this.#options = options;
    this.#checks = new ExpressionChecks(options.checkExpression);
  }

  get current(): PolicySnapshot | undefined {
    return this.#current;
  }

  /**
   * Compiles what the source says. All that ask while a compilation is under way share the next one.
   * @throws whatever the trust material throws; then the last snapshot stays in force.
   */
  compile(): Promise<PolicySnapshot> {
    if (this.#queued !== undefined) return this.#queued;
    const queued = this.#last.then(() => {
      this.#queued = undefined;
      return this.#compile();
    });
    this.#queued = queued;
    this.#last = queued.catch(() => undefined);
    return queued;
  }

  async #compile(): Promise<PolicySnapshot> {
    const { read, configMap, trustFor, noMatch, maxExceptionMs, logger } = this.#options;
    const { resources, unreadable } = read();
    const turn = new Turn(installationTenant);
    await this.#checks.prepare(resources, turn);
    const support = { ...trustFor(configMap), checkExpression: this.#checks.of };
    const before = this.#current;
    const options = { noMatch, maxExceptionMs, unreadable };
    const snapshot = await turn.complete(compileInPieces(resources, support, options));
    this.#current = snapshot;
    for (const sentence of newlyNotReady(before, snapshot)) {
      logger?.warn(`What this guards is refused under its mode. ${sentence}`);
    }
    return snapshot;
  }
}
