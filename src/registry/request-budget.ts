import { LRUCache } from 'lru-cache';
import type { Clock, Tenant } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { RegistryLimits } from './limits.ts';

const minuteMs = 60_000;
/** No tenant alone may spend more of a host's budget, whatever is set. */
const maxShareOfHost = 1 / 2;

/** A token bucket: it holds what one minute brings, and fills evenly. */
interface Bucket {
  tokens: number;
  filledAtMs: number;
}

type BudgetLimits = Pick<
  RegistryLimits,
  'requestsPerMinutePerTenant' | 'requestsPerMinutePerHost' | 'maxRemembered'
>;

/** Bounds the requests of a minute to each host: those of each tenant, and all together. */
export class RequestBudget {
  readonly #limits: BudgetLimits;
  readonly #clock: Clock;
  readonly #hosts: LRUCache<string, Bucket>;
  readonly #tenants: LRUCache<string, Bucket>;

  constructor(limits: BudgetLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#hosts = new LRUCache({ max: limits.maxRemembered });
    this.#tenants = new LRUCache({ max: limits.maxRemembered });
  }

  /**
   * Spends one request.
   * @throws RefwardenError `RequestBudgetSpent`, saying whose and when to try again.
   */
  spend(host: string, tenant: Tenant): void {
    const { requestsPerMinutePerTenant, requestsPerMinutePerHost } = this.#limits;
    const most = Math.min(requestsPerMinutePerTenant, requestsPerMinutePerHost * maxShareOfHost);
    const ownRate = Math.max(1, Math.floor(most * tenant.share));
    const own = this.#fill(this.#tenants, `${host}\n${tenant.name}`, ownRate);
    if (own.tokens < 1) throw spent(`${tenant.name} has spent its`, host, ownRate, own);
    const all = this.#fill(this.#hosts, host, requestsPerMinutePerHost);
    if (all.tokens < 1) throw spent('All together have spent the', host, requestsPerMinutePerHost, all);
    own.tokens--;
    all.tokens--;
  }

  #fill(buckets: LRUCache<string, Bucket>, key: string, ratePerMinute: number): Bucket {
    const nowMs = this.#clock.nowMs();
    const bucket = buckets.get(key) ?? { tokens: ratePerMinute, filledAtMs: nowMs };
    const passedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(ratePerMinute, bucket.tokens + (passedMs * ratePerMinute) / minuteMs);
    bucket.filledAtMs = nowMs;
    buckets.set(key, bucket);
    return bucket;
  }
}

function spent(whose: string, host: string, ratePerMinute: number, { tokens }: Bucket): RefwardenError {
  const seconds = Math.ceil(((1 - tokens) * 60) / ratePerMinute);
  return new RefwardenError(
    'RequestBudgetSpent',
    `${whose} ${ratePerMinute} requests a minute to ${host}: try again in ${seconds} s.`,
  );
}
