import type {
  Clock,
  Credentials,
  RegistryAccess,
  RequestOutcome,
  RequestPurpose,
  RequestRecorder,
} from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { AddressClass } from '../network/address-class.ts';
import { isReset } from '../network/connection-failure.ts';
import type { GuardedAgents } from '../network/guarded-agents.ts';
import { HostGate } from './host-gate.ts';
import { exchange } from '../network/http-exchange.ts';
import type { HttpAnswer, HttpRequest } from '../network/http-exchange.ts';
import type { RegistryLimits } from './limits.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';
import { RequestBudget } from './request-budget.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { SharedWork } from './single-flight.ts';

/** Shared work together with what its first caller brought. */
export interface Work extends SharedWork {
  readonly credentials: Credentials;
  readonly trace: RegistryAccess['trace'];
  readonly purpose: RequestPurpose;
}

export interface WireOptions {
  readonly limits: RegistryLimits;
  readonly clock: Clock;
  /** Rejects when the signal aborts. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly requests: RequestRecorder;
}

const transientStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Sends requests: each counted, within the budget of its tenant, in turn for its host, and again after a transient
 * failure while somebody waits.
 */
export class Wire {
  readonly #agents: GuardedAgents;
  readonly #endpoints: RegistryEndpoints;
  readonly #budget: RequestBudget;
  readonly #gate: HostGate;
  readonly #options: WireOptions;

  constructor(agents: GuardedAgents, endpoints: RegistryEndpoints, options: WireOptions) {
    this.#agents = agents;
    this.#endpoints = endpoints;
    this.#budget = new RequestBudget(options.limits, options.clock);
    const { maxConcurrentPerHost, maxQueuedPerHost } = options.limits;
    this.#gate = new HostGate(maxConcurrentPerHost, maxQueuedPerHost, options.clock);
    this.#options = options;
  }

  /**
   * The last answer, whatever its status.
   * @param registry the host that is asked, on whose behalf: it decides which addresses may be connected to, and how.
   * @throws RefwardenError as {@link exchange}, {@link RequestBudget} and {@link HostGate} do.
   */
  async send(request: HttpRequest, registry: string, work: Work): Promise<HttpAnswer> {
    for (let retries = 0; ; retries++) {
      const outcome = await this.#attempt(request, registry, work).catch((thrown: unknown) => ({ thrown }));
      const failed = 'thrown' in outcome;
      const isTransient = failed ? isReset(outcome.thrown) : transientStatuses.has(outcome.status);
      const delayMs = this.#delayMs(retries, failed ? undefined : outcome.headers['retry-after']);
      const { maxRetries, maxRetryDelayMs } = this.#options.limits;
      if (isTransient && retries < maxRetries && delayMs <= maxRetryDelayMs && work.isAwaited()) {
        const slept = await this.#options.sleep(delayMs, work.signal).then(
          () => true,
          () => false,
        );
        if (slept && work.isAwaited()) continue;
      }
      if (failed) throw outcome.thrown;
      return outcome;
    }
  }

  async #attempt(request: HttpRequest, registry: string, work: Work): Promise<HttpAnswer> {
    this.#budget.spend(request.url.host, work.tenant);
    const leave = await this.#gate.enter(request.url.host, work);
    const ended = work.trace.start();
    const startedMs = performance.now();
    let outcome: RequestOutcome = 'error';
    try {
      const { maxErrorBytes, requestTimeoutMs } = this.#options.limits;
      const answer = await exchange(request, {
        dispatcher: this.#agents.for(
          this.#reach(request.url, registry),
          this.#endpoints.connection(request.url, registry),
        ),
        maxErrorBytes,
        timeoutMs: requestTimeoutMs,
        signal: work.signal,
      });
      outcome = outcomeOf(answer.status);
      return answer;
    } catch (thrown) {
      if (isTimeout(thrown)) outcome = 'timeout';
      throw thrown;
    } finally {
      ended();
      leave();
      const durationMs = performance.now() - startedMs;
      this.#options.requests.record({ outcome, purpose: work.purpose, durationMs });
    }
  }

  /**
   * The operator allows any address by name. A registry that nobody named may be on the private network, as the
   * nodes pull from it, but not on this machine. What it sends us to is at most as local as itself.
   */
  #reach(url: URL, registry: string): AddressClass {
    const isHome = this.#endpoints.isHome(url, registry);
    if (this.#endpoints.isNamed(isHome ? registry : url.host)) return 'reserved';
    return isHome ? 'private' : this.#agents.seenAt(this.#endpoints.home(registry));
  }

  #delayMs(retries: number, retryAfter: string | string[] | undefined): number {
    const { clock, limits, random } = this.#options;
    const doubledMs = Math.min(limits.retryDelayMs * 2 ** retries, limits.maxRetryDelayMs);
    const backoffMs = doubledMs * (0.5 + random() / 2);
    return Math.max(backoffMs, parseRetryAfter(retryAfter, clock.nowMs()) ?? 0);
  }
}

function outcomeOf(status: number): RequestOutcome {
  if (status < 400) return 'ok';
  if (status === 404) return 'notFound';
  if (status === 401 || status === 403) return 'refused';
  return status === 429 ? 'rateLimited' : 'error';
}

const isTimeout = (thrown: unknown): boolean =>
  thrown instanceof RefwardenError &&
  (thrown.code === 'RegistryTimeout' || thrown.code === 'DeadlineExceeded');
