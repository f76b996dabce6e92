import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { BoundedFetch } from '../network/bounded-fetch.ts';
import type { HostRules } from '../network/bounded-fetch.ts';
import { wellKnownMirror } from '../policy/model/trusted-issuer.ts';
import type { TufReference } from '../policy/resolved-issuer.ts';
import { builtInTufRoot } from './built-in-roots.ts';
import { defaultTufTiming, TufMirror } from './tuf-mirror.ts';
import type { TufEvents, TufMirrorStatus, TufTiming } from './tuf-mirror.ts';
import { TufStore } from './tuf-store.ts';

/** Different mirrors, roots and targets that are read at a time. */
const maxMirrors = 32;
/** Policies are compiled every minute at least; a mirror that none asked for so long is named no longer, milliseconds. */
const unusedMs = 10 * 60_000;

export interface TufMirrorsOptions {
  /** Which hosts the operator named, and how they are connected to. */
  readonly hosts: HostRules;
  /** Keeps what was verified across restarts; absent = in memory only. */
  readonly directory?: string;
  readonly events: TufEvents;
  readonly timing?: Partial<TufTiming>;
}

/**
 * The TUF repositories that issuers name, each read once however many name it. Reading starts when one is first asked for,
 * and ends some time after none asks any more.
 */
export class TufMirrors {
  readonly #options: TufMirrorsOptions;
  readonly #network: BoundedFetch;
  readonly #store: TufStore | undefined;
  readonly #mirrors = new Map<string, { readonly mirror: TufMirror; askedAtMs: number }>();
  readonly #listeners = new Set<() => void>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: TufMirrorsOptions) {
    this.#options = options;
    this.#network = new BoundedFetch(options.hosts);
    this.#store = options.directory === undefined ? undefined : new TufStore(options.directory);
    this.#sweep = setInterval(() => {
      this.#dropUnused();
    }, unusedMs).unref();
  }

  /** The trusted root as it was last verified, JSON text. Never waits. */
  material({ mirror: url, root: given, target }: TufReference): string | Failure {
    const known = wellKnownMirror(url);
    const root = given ?? (known === undefined ? undefined : builtInTufRoot(known));
    if (root === undefined) {
      return failure('TrustMaterialMissing', `The TUF mirror ${url} needs the root.json to start from.`);
    }
    const mirror = url.replace(/\/+$/, '');
    const key = JSON.stringify([mirror, target, createHash('sha256').update(root).digest('hex')]);
    const open = this.#mirrors.get(key) ?? this.#open(mirror, target, root, key);
    if ('code' in open) return open;
    open.askedAtMs = performance.now();
    return open.mirror.material();
  }

  /** Calls back when what {@link material} answers has changed. Returns how to end that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Waits until every mirror that was asked for has answered once, or has failed to. */
  async settled(): Promise<void> {
    await Promise.all([...this.#mirrors.values()].map(({ mirror }) => mirror.settled));
  }

  status(): readonly TufMirrorStatus[] {
    return [...this.#mirrors.values()].map(({ mirror }) => mirror.status());
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#listeners.clear();
    await Promise.all([...this.#mirrors.values()].map(({ mirror }) => mirror.close()));
    await this.#network.close();
  }

  #open(
    mirror: string,
    target: string,
    root: string,
    key: string,
  ): { readonly mirror: TufMirror; askedAtMs: number } | Failure {
    if (!URL.canParse(mirror)) {
      return failure('TrustMaterialInvalid', `The TUF mirror ${JSON.stringify(mirror)} is no URL.`);
    }
    if (this.#mirrors.size >= maxMirrors) {
      return failure('TrustMaterialMissing', `More than ${maxMirrors} TUF mirrors are named.`);
    }
    const { directory, events, timing } = this.#options;
    const opened = new TufMirror({
      mirror,
      target,
      root,
      key,
      events,
      network: this.#network,
      scratch: directory ?? tmpdir(),
      store: this.#store,
      timing: { ...defaultTufTiming, ...timing },
      changed: () => {
        for (const listener of this.#listeners) listener();
      },
    });
    const entry = { mirror: opened, askedAtMs: 0 };
    this.#mirrors.set(key, entry);
    return entry;
  }

  #dropUnused(): void {
    for (const [key, { mirror, askedAtMs }] of this.#mirrors) {
      if (performance.now() - askedAtMs < unusedMs) continue;
      this.#mirrors.delete(key);
      void mirror.close();
    }
  }
}
