import type { IncomingMessage } from 'node:http';

export interface RecordedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** 0 as long as nothing was answered. */
  readonly status: number;
}

/** Older entries give way. */
const maxRecordedRequests = 10_000;

/** The requests in the order of their arrival, so that tests and the demo can count what a decision cost. */
export class RequestLog {
  readonly #entries: { method: string; path: string; status: number }[] = [];

  get entries(): readonly RecordedRequest[] {
    return this.#entries;
  }

  /** Returns how to note the answer's status and look at the entry. */
  add(request: IncomingMessage): (status: number) => RecordedRequest {
    const entry = { method: request.method ?? '', path: request.url ?? '', status: 0 };
    if (this.#entries.length >= maxRecordedRequests) this.#entries.shift();
    this.#entries.push(entry);
    return (status) => {
      entry.status = status;
      return entry;
    };
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
