import { RefwardenError } from '../failures/failure.ts';

interface Host {
  active: number;
  /** First come, first served; a Set so that a waiter can leave. */
  readonly waiting: Set<() => void>;
}

/** Bounds the requests under way to each host, and those that wait. */
export class HostGate {
  readonly #hosts = new Map<string, Host>();
  readonly #maxActive: number;
  readonly #maxWaiting: number;

  constructor(maxActive: number, maxWaiting: number) {
    this.#maxActive = maxActive;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Resolves to a function that must be called once when the request has ended.
   * @throws RefwardenError `Overloaded` when the queue is full or the signal aborts.
   */
  async enter(name: string, signal: AbortSignal): Promise<() => void> {
    const host = this.#hosts.get(name) ?? { active: 0, waiting: new Set() };
    this.#hosts.set(name, host);
    if (host.active < this.#maxActive) host.active++;
    else await this.#wait(name, host, signal);
    return () => {
      this.#leave(name, host);
    };
  }

  #wait(name: string, host: Host, signal: AbortSignal): Promise<void> {
    if (host.waiting.size >= this.#maxWaiting) {
      throw new RefwardenError('Overloaded', `Too many requests are waiting for ${name}.`);
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        host.waiting.delete(enter);
        // Ours, not the registry's: many are waiting.
        reject(new RefwardenError('Overloaded', `A request waited too long for its turn at ${name}.`));
      };
      host.waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Hands the place to the next in line. */
  #leave(name: string, host: Host): void {
    const [next] = host.waiting;
    if (next !== undefined) {
      host.waiting.delete(next);
      next();
      return;
    }
    host.active--;
    if (host.active === 0) this.#hosts.delete(name);
  }
}
