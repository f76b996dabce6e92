import { LRUCache } from 'lru-cache';
import type { Clock } from '../admission/ports.ts';
import { toFailure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient } from './api-client.ts';

/** How long an object is believed, milliseconds: what changes counts after this. */
const ttlMs = 10_000;
/** How long it is believed that there is none, or that it may not be read, milliseconds. */
const absentTtlMs = 5000;
const maxKept = 1000;
const maxKeptBytes = 32 * 1024 * 1024;
/** What is kept of an object beside its content, bytes. */
const entryBytes = 512;
/** Objects that are asked for at the same time, of one namespace and of all; what is beyond counts as not readable. */
const maxUnderWayOfOne = 32;
const maxUnderWay = 512;
const timeoutMs = 2000;
/** The API server keeps no Secret of more than 1 MiB, which base64 makes larger. */
const maxObjectBytes = 2 * 1024 * 1024;

/** What was asked for, or why there is nothing, a sentence without its full stop. */
export type Looked<T> = { readonly found: T } | { readonly missing: string };

export interface RememberedObjectsOptions<T> {
  readonly api: ApiClient;
  readonly clock: Clock;
  /** Plural, of the core group. */
  readonly resource: string;
  /** As messages call one. */
  readonly kind: string;
  /** @param called `KIND NAME in namespace NAMESPACE`. */
  readonly read: (object: JsonObject, called: string) => Looked<T>;
  /** What is kept of one, bytes. */
  readonly sizeOf: (found: T) => number;
}

interface Kept<T> {
  readonly looked: Looked<T>;
  readonly askedAtMs: number;
}

/**
 * Objects that are read by name when they are needed, and remembered for a while, so that nobody has to be allowed to list
 * them. Whoever waits for the same object shares one request.
 */
export class RememberedObjects<T> {
  readonly #options: RememberedObjectsOptions<T>;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<string, Promise<Looked<T>>>();
  /** By namespace. */
  readonly #askedOf = new Map<string, number>();
  readonly #kept: LRUCache<string, Kept<T>>;

  constructor(options: RememberedObjectsOptions<T>) {
    this.#options = options;
    this.#kept = new LRUCache({
      max: maxKept,
      maxSize: maxKeptBytes,
      sizeCalculation: ({ looked }) => entryBytes + ('found' in looked ? options.sizeOf(looked.found) : 0),
    });
  }

  /** Never rejects. */
  async look(namespace: string, name: string): Promise<Looked<T>> {
    const key = `${namespace}/${name}`;
    const known = this.#kept.get(key);
    if (known !== undefined && this.#isFresh(known)) return known.looked;
    const asking = this.#underWay.get(key);
    if (asking !== undefined) return await asking;
    const called = `${this.#options.kind} ${excerpt(name)} in namespace ${excerpt(namespace)}`;
    // Pods may say anything; the path of a request must not.
    if (![namespace, name].every(isObjectName))
      return { missing: `${called} does not exist: no object has such a name` };
    const askedOf = this.#askedOf.get(namespace) ?? 0;
    if (askedOf >= maxUnderWayOfOne || this.#underWay.size >= maxUnderWay) {
      return { missing: `${called} was not read: too many are being read at this moment` };
    }
    this.#askedOf.set(namespace, askedOf + 1);
    const asked = this.#ask(key, namespace, name, called).finally(() => {
      this.#underWay.delete(key);
      const left = (this.#askedOf.get(namespace) ?? 1) - 1;
      if (left > 0) this.#askedOf.set(namespace, left);
      else this.#askedOf.delete(namespace);
    });
    this.#underWay.set(key, asked);
    return await asked;
  }

  close(): void {
    this.#closing.abort();
  }

  #isFresh({ looked, askedAtMs }: Kept<T>): boolean {
    const ageMs = this.#options.clock.nowMs() - askedAtMs;
    return ageMs >= 0 && ageMs < ('found' in looked ? ttlMs : absentTtlMs);
  }

  async #ask(key: string, namespace: string, name: string, called: string): Promise<Looked<T>> {
    const { api, clock, resource, read } = this.#options;
    const askedAtMs = clock.nowMs();
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
    let looked: Looked<T>;
    try {
      const bounds = { maxBytes: maxObjectBytes, timeoutMs, signal: this.#closing.signal };
      const { status, content } = await api.get(path, {}, bounds);
      looked = content === undefined ? { missing: refusal(called, status) } : read(content, called);
    } catch (error) {
      looked = { missing: `${called} was not read (${toFailure(error).code})` };
    }
    this.#kept.set(key, { looked, askedAtMs });
    return looked;
  }
}

/** RFC 1123 subdomain, as names of objects and namespaces are (Kubernetes, "Object Names and IDs"). */
const isObjectName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(name) && !name.includes('..');

/** Longest name in a message, characters. */
const maxNameExcerpt = 80;
const excerpt = (name: string): string => printable(name.slice(0, maxNameExcerpt));

function refusal(called: string, status: number): string {
  if (status === 404) return `${called} does not exist`;
  if (status === 403) return `${called} may not be read by Refwarden`;
  return `${called} was not read: the API server answered ${status}`;
}
