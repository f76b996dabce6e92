import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** One owner works this long in one turn of the event loop before whatever else is due, milliseconds. */
const ownerMs = 5;
/** All of them together, milliseconds. */
const allMs = 20;
/** Many small pieces are done together for so long, milliseconds: looking whose turn it is takes longer than one of them. */
const togetherMs = 1;

/** The owner of what is of no tenant. */
export const installation = '';

/** Whoever waits, by owner. */
interface Line {
  /** In this turn of the event loop, milliseconds. */
  spentMs: number;
  /** Who goes on in this turn of the event loop. */
  admitted: Turn | undefined;
  /** Number of the turn of the event loop in which it was served last; who comes anew is as one served in the last. */
  servedIn: number;
  /** First come, first served; a Map so that whoever has left can go. */
  readonly waiting: Map<Turn, () => void>;
}

/** There is one thread. */
const lines = new Map<string, Line>();
let turnNumber = 0;
let spentMs = 0;
let isBegun = false;

/**
 * Work that may take long: it goes on in turns, so that it holds up nobody however much of it there is. Each owner, a tenant, has
 * a line of its own: who brings much waits for itself, and who brings little waits for nobody.
 */
export class Turn {
  readonly #owner: string;
  readonly #signal: AbortSignal | undefined;
  /** All work of this turn shares a place in the line. */
  #place: Promise<void> | undefined;

  /** @param signal ends the work. */
  constructor(owner: string, signal?: AbortSignal) {
    this.#owner = owner;
    this.#signal = signal;
  }

  /**
   * Does a piece of work, some milliseconds at most, after waiting for its turn where that is due.
   * @throws RefwardenError `DeadlineExceeded` when the signal aborts while it waits, and what the work throws.
   */
  async do<T>(work: () => T): Promise<T> {
    begin();
    let line = lineOf(this.#owner);
    while (this.#mustWait(line)) {
      this.#place ??= this.#wait(line).finally(() => {
        this.#place = undefined;
      });
      await this.#place;
      line = lineOf(this.#owner);
    }
    const beganMs = performance.now();
    try {
      return work();
    } finally {
      const tookMs = performance.now() - beganMs;
      line.spentMs += tookMs;
      spentMs += tookMs;
      line.servedIn = turnNumber;
    }
  }

  /**
   * Does work for each item, many in one piece, until it returns true for one.
   * @throws RefwardenError as {@link do}.
   */
  async each<Item>(items: Iterable<Item>, work: (item: Item) => unknown): Promise<void> {
    const rest = items[Symbol.iterator]();
    const together = (): boolean => {
      const endMs = performance.now() + togetherMs;
      do {
        const next = rest.next();
        if (next.done === true || work(next.value) === true) return true;
      } while (performance.now() < endMs);
      return false;
    };
    while (!(await this.do(together)));
  }

  #mustWait(line: Line): boolean {
    if (line.spentMs >= ownerMs) return true;
    return line.admitted !== this && (line.waiting.size > 0 || spentMs >= allMs);
  }

  async #wait({ waiting }: Line): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const leave = (): void => {
      waiting.delete(this);
      reject(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
    };
    waiting.set(this, () => {
      resolve(undefined);
    });
    if (this.#signal?.aborted === true) leave();
    else this.#signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      this.#signal?.removeEventListener('abort', leave);
    }
  }
}

function lineOf(owner: string): Line {
  let line = lines.get(owner);
  if (line === undefined) {
    line = { spentMs: 0, admitted: undefined, servedIn: turnNumber - 1, waiting: new Map() };
    lines.set(owner, line);
  }
  return line;
}

function begin(): void {
  if (isBegun) return;
  isBegun = true;
  setImmediate(nextTurn);
}

/** In a new turn of the event loop: a few of those that wait go on, each of another owner, who waited longest first. */
function nextTurn(): void {
  isBegun = false;
  spentMs = 0;
  turnNumber++;
  for (const [owner, line] of lines) {
    line.spentMs = 0;
    line.admitted = undefined;
    if (line.waiting.size === 0) lines.delete(owner);
  }
  const inOrder = [...lines.values()].sort((one, other) => one.servedIn - other.servedIn);
  for (const line of inOrder.slice(0, allMs / ownerMs)) {
    const [first] = line.waiting;
    if (first === undefined) continue;
    const [turn, goOn] = first;
    line.waiting.delete(turn);
    line.admitted = turn;
    goOn();
  }
  if (lines.size > 0) begin();
}
