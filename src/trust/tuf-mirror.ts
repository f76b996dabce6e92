import { failure, RefwardenError } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { BoundedFetch } from '../network/bounded-fetch.ts';
import { parseTrustedRoot } from '../verification/sigstore/trusted-root.ts';
import { readTufTarget } from './read-tuf-target.ts';
import type { TufState, TufStore } from './tuf-store.ts';

const minute = 60_000;
const hour = 60 * minute;

export interface TufTiming {
  /** After a reading that succeeded, milliseconds; up to a tenth more or less. */
  readonly refreshMs: number;
  /** After the first that failed, milliseconds; it doubles, and up to a half is taken off by chance. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** One reading with all its requests, milliseconds. */
  readonly readingMs: number;
}

export const defaultTufTiming: TufTiming = {
  refreshMs: 24 * hour,
  retryMs: 30_000,
  maxRetryMs: hour,
  readingMs: minute,
};
const refreshJitter = 0.1;

export interface TufMirrorOptions {
  /** URL without a slash at its end. */
  readonly mirror: string;
  readonly target: string;
  /** The root.json to start from, JSON text. */
  readonly root: string;
  /** Name of the state on disk. */
  readonly key: string;
  readonly network: BoundedFetch;
  readonly scratch: string;
  readonly store: TufStore | undefined;
  readonly timing: TufTiming;
  /** What {@link TufMirror.material} answers has changed. */
  readonly changed: () => void;
  readonly events: TufEvents;
}

/** What an operator is told. `host` is the mirror's. */
export interface TufEvents {
  /** The trusted root was read, and differs from the one before. */
  replaced(host: string): void;
  /** A reading failed; `keeps` = a root that was read earlier stays in force. */
  failed(host: string, cause: Failure, keeps: boolean): void;
  /** What is kept on disk could not be used. */
  diskFailed(host: string, cause: unknown): void;
}

export interface TufMirrorStatus {
  readonly host: string;
  /** When the root in force was last verified to be current, milliseconds since the epoch. */
  readonly verifiedAtMs: number | undefined;
  /** Until when the timestamp says that it is current, milliseconds since the epoch. */
  readonly expiresAtMs: number | undefined;
  readonly failures: number;
}

/**
 * The trusted root of one TUF repository, read in the background and read again for as long as it is open. What was
 * verified last stays in force whatever the repository does.
 */
export class TufMirror {
  readonly #options: TufMirrorOptions;
  readonly #host: string;
  readonly #closing = new AbortController();
  #state: TufState;
  #failure: Failure;
  #failures = 0;
  #failuresInRow = 0;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void>;

  constructor(options: TufMirrorOptions) {
    this.#options = options;
    this.#host = new URL(options.mirror).host;
    this.#state = { metadata: { root: options.root } };
    this.#failure = this.#notRead('it is being asked');
    this.#work = this.#start();
  }

  /** The trusted root, JSON text, or why there is none yet. */
  material(): string | Failure {
    return this.#state.text ?? this.#failure;
  }

  /** The first answer: from disk when it is young enough, else from the repository. Never rejects. */
  get settled(): Promise<void> {
    return this.#work;
  }

  status(): TufMirrorStatus {
    return {
      host: this.#host,
      verifiedAtMs: this.#state.verifiedAtMs,
      expiresAtMs: expiryOf(this.#state.metadata.timestamp),
      failures: this.#failures,
    };
  }

  /** Ends what is under way; what was last in force stays answerable. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #start(): Promise<void> {
    await this.#load();
    const { verifiedAtMs, text } = this.#state;
    const ageMs = Date.now() - (verifiedAtMs ?? 0);
    const { refreshMs } = this.#options.timing;
    // An age below zero was written by another clock.
    if (text === undefined || ageMs < 0 || ageMs >= refreshMs) await this.#refresh();
    else this.#schedule(jittered(refreshMs) - ageMs);
  }

  async #load(): Promise<void> {
    const { store, key, changed, events } = this.#options;
    if (store === undefined) return;
    try {
      const found = await store.read(key);
      if (found === 'absent') return;
      if (found === 'spoilt') {
        events.diskFailed(this.#host, new Error('The file is not what was written.'));
        return;
      }
      this.#state = found;
      if (found.text !== undefined) changed();
    } catch (cause) {
      events.diskFailed(this.#host, cause);
    }
  }

  #schedule(delayMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(
      () => {
        this.#work = this.#refresh();
      },
      Math.max(delayMs, 0),
    ).unref();
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    const before = this.material();
    const refused = await this.#read();
    if (this.#closing.signal.aborted) return;
    const { events, timing, changed } = this.#options;
    if (refused === undefined) {
      this.#failuresInRow = 0;
      this.#schedule(jittered(timing.refreshMs));
      if (this.#state.text !== before) events.replaced(this.#host);
    } else {
      this.#failures++;
      this.#failure = this.#notRead(refused.message);
      const delayMs = Math.min(timing.retryMs * 2 ** this.#failuresInRow, timing.maxRetryMs);
      this.#failuresInRow++;
      this.#schedule(delayMs * (1 - Math.random() / 2));
      events.failed(this.#host, failure(refused.code, refused.message), this.#state.text !== undefined);
    }
    if (this.material() !== before) changed();
    await this.#keep();
  }

  /** Why nothing new is in force, or undefined. */
  async #read(): Promise<RefwardenError | undefined> {
    const { mirror, target, network, scratch, timing } = this.#options;
    const { metadata, text } = this.#state;
    try {
      const result = await readTufTarget({
        mirror,
        target,
        known: metadata,
        knownTarget: text === undefined ? undefined : Buffer.from(text),
        network,
        scratch,
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timing.readingMs)]),
      });
      // Roots are never walked twice, and nothing older is taken, also when the rest failed.
      this.#state = { ...this.#state, metadata: result.metadata };
      if (result.outcome instanceof RefwardenError) return result.outcome;
      this.#state = {
        metadata: result.metadata,
        text: readableRoot(result.outcome, target),
        verifiedAtMs: Date.now(),
      };
      return undefined;
    } catch (thrown) {
      return thrown instanceof RefwardenError
        ? thrown
        : new RefwardenError('InternalError', 'reading it failed unexpectedly', thrown);
    }
  }

  async #keep(): Promise<void> {
    const { store, key, events } = this.#options;
    try {
      await store?.write(key, this.#state);
    } catch (cause) {
      events.diskFailed(this.#host, cause);
    }
  }

  #notRead(why: string): Failure {
    const sentence = `The TUF mirror ${this.#host} has not been read yet: ${why.replace(/\.$/, '')}.`;
    return failure('TrustMaterialMissing', sentence);
  }
}

/** What this version cannot read never takes the place of what it can. @throws RefwardenError. */
function readableRoot(bytes: Uint8Array, target: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new RefwardenError('TrustMaterialInvalid', `target ${target} is not valid UTF-8`, cause);
  }
  parseTrustedRoot(text, `target ${target}`);
  return text;
}

function expiryOf(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const { signed } = JSON.parse(timestamp) as { readonly signed: { readonly expires: string } };
  return Date.parse(signed.expires);
}

const jittered = (delayMs: number): number => delayMs * (1 + refreshJitter * (2 * Math.random() - 1));
