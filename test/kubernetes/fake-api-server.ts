import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly resourceVersion?: string;
  };
  readonly [field: string]: unknown;
}

export interface SeenRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
}

interface StoredEvent {
  readonly version: number;
  readonly collection: string;
  readonly line: string;
}

export const paths = {
  issuers: '/apis/refwarden.dev/v1alpha1/trustedissuers',
  clusterPolicies: '/apis/refwarden.dev/v1alpha1/clusterartifactpolicies',
  policies: '/apis/refwarden.dev/v1alpha1/artifactpolicies',
  exceptions: '/apis/refwarden.dev/v1alpha1/artifactpolicyexceptions',
  namespaces: '/api/v1/namespaces',
  configMaps: '/api/v1/namespaces/refwarden-system/configmaps',
} as const;

/** Answers a request itself and returns true, or leaves it to the server. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean;

/**
 * Speaks list and watch as the Kubernetes API does, in memory: one version counter, events kept from the start,
 * pages, 410 for versions that are gone; and whatever fault a test puts in its way.
 */
export class FakeApiServer {
  readonly requests: SeenRequest[] = [];
  fault: Fault | undefined;
  readonly #objects = new Map<string, Map<string, FakeObject>>(
    Object.values(paths).map((path) => [path, new Map()]),
  );
  readonly #events: StoredEvent[] = [];
  readonly #watches = new Map<ServerResponse, string>();
  readonly #server;
  #version = 100;
  /** Versions before this are gone. */
  #compactedTo = 0;
  #port = 0;

  constructor(tls?: { readonly cert: string; readonly key: string }) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response);
    };
    this.#server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  }

  /** On the same port as before, if there was one. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  openConnections(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.getConnections((_, count) => {
        resolve(count);
      });
    });
  }

  put(collection: string, object: FakeObject): number {
    const objects = this.#collection(collection);
    const key = keyOf(object);
    const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version++;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    objects.set(key, stored);
    this.#emit(collection, type, stored);
    return this.#version;
  }

  delete(collection: string, name: string, namespace?: string): void {
    const key = keyOf({ metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
    const object = this.#collection(collection).get(key);
    if (object === undefined) throw new Error(`no ${key}`);
    this.#collection(collection).delete(key);
    this.#version++;
    this.#emit(collection, 'DELETED', {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    });
  }

  /** Changes the store without an event, as if the event got lost. */
  putUnseen(collection: string, object: FakeObject): void {
    this.#version++;
    this.#collection(collection).set(keyOf(object), {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    });
  }

  /** Forgets all events, so that a watch from an old version is refused. */
  compact(): void {
    this.#compactedTo = this.#version;
    this.#events.length = 0;
  }

  /** Tells every watch the newest version, without a change. */
  bookmark(): number {
    this.#version++;
    for (const response of this.#of(undefined)) {
      const object = { metadata: { resourceVersion: String(this.#version) } };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
    return this.#version;
  }

  watchCount(collection: string): number {
    return [...this.#watches.values()].filter((path) => path === collection).length;
  }

  /** Writes raw text into the open watches of a collection. */
  writeRaw(collection: string, text: string): void {
    for (const response of this.#of(collection)) response.write(text);
  }

  /** Cuts the connections of the open watches; of one collection only, when given. */
  resetWatches(collection?: string): void {
    for (const response of this.#of(collection)) response.socket?.resetAndDestroy();
  }

  /** Ends the open watches of a collection as a server does whose time is up. */
  endWatches(collection: string): void {
    for (const response of this.#of(collection)) response.end();
  }

  seen(path: string, kind: 'read' | 'watch'): SeenRequest[] {
    return this.requests.filter(
      (request) => request.path === path && (kind === 'watch') === (request.query['watch'] === 'true'),
    );
  }

  #of(collection: string | undefined): ServerResponse[] {
    return [...this.#watches].flatMap(([response, path]) =>
      collection === undefined || path === collection ? [response] : [],
    );
  }

  #collection(path: string): Map<string, FakeObject> {
    const objects = this.#objects.get(path);
    if (objects === undefined) throw new Error(`no collection ${path}`);
    return objects;
  }

  #emit(collection: string, type: string, object: FakeObject): void {
    const event = { version: this.#version, collection, line: `${JSON.stringify({ type, object })}\n` };
    this.#events.push(event);
    for (const response of this.#of(collection)) response.write(event.line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake');
    const seen: SeenRequest = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      authorization: request.headers.authorization,
    };
    this.requests.push(seen);
    if (this.fault?.(seen, response) === true) return;
    if (seen.path.startsWith(`${paths.namespaces}/`) && seen.path !== paths.configMaps) {
      const object = this.#collection(paths.namespaces).get(
        `/${seen.path.slice(paths.namespaces.length + 1)}`,
      );
      answerJson(response, object === undefined ? 404 : 200, object ?? { kind: 'Status', code: 404 });
    } else if (!this.#objects.has(seen.path)) answerJson(response, 404, { kind: 'Status', code: 404 });
    else if (seen.query['watch'] === 'true') this.#watch(seen, response);
    else this.#list(seen, response);
  }

  #list({ path, query }: SeenRequest, response: ServerResponse): void {
    const objects = [...this.#collection(path).values()];
    const start = Number(query['continue'] ?? 0);
    const end = start + Number(query['limit'] ?? objects.length);
    const more = end < objects.length ? { continue: String(end) } : {};
    answerJson(response, 200, {
      kind: 'List',
      metadata: { resourceVersion: String(this.#version), ...more },
      items: objects.slice(start, end),
    });
  }

  #watch({ path, query }: SeenRequest, response: ServerResponse): void {
    const from = Number(query['resourceVersion']);
    if (from < this.#compactedTo) {
      answerJson(response, 410, { kind: 'Status', code: 410 });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watches.set(response, path);
    response.on('close', () => this.#watches.delete(response));
    for (const event of this.#events) {
      if (event.collection === path && event.version > from) response.write(event.line);
    }
  }
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const keyOf = ({ metadata: { name, namespace = '' } }: FakeObject): string => `${namespace}/${name}`;
