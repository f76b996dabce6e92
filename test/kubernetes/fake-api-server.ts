import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../../src/oci/strict-json.ts';
import type { JsonObject } from '../../src/oci/strict-json.ts';

export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
  };
  readonly [field: string]: unknown;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  /** What was sent; undefined when nothing was. */
  readonly body: JsonObject | undefined;
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
  secrets: '/api/v1/namespaces/refwarden-system/secrets',
  services: '/api/v1/namespaces/refwarden-system/services',
  events: '/api/v1/namespaces/default/events',
  leases: '/apis/coordination.k8s.io/v1/namespaces/refwarden-system/leases',
  clusterRoles: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  validating: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  mutating: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
} as const;

/** Answers a request itself and returns true, or leaves it to the server. */
export type Fault = (request: SeenRequest, response: ServerResponse) => boolean;

/**
 * Speaks as the Kubernetes API does, in memory: list and watch with one version counter, events kept from the start,
 * pages, 410 for versions that are gone; objects written by POST, PUT, merge patch and DELETE with 409 for a version
 * that is not the newest; and whatever fault a test puts in its way.
 */
export class FakeApiServer {
  readonly requests: SeenRequest[] = [];
  fault: Fault | undefined;
  /** What an admission plugin or a newer API server makes of what is written. */
  altered: (collection: string, object: FakeObject) => FakeObject = (_, object) => object;
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
      // A request that is broken off has nobody to be answered.
      this.#answer(request, response).catch(() => response.destroy());
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
    const uid = object.metadata.uid ?? objects.get(key)?.metadata.uid ?? `uid-${this.#version}`;
    const metadata = { ...object.metadata, uid, resourceVersion: String(this.#version) };
    const stored = { ...object, metadata };
    objects.set(key, stored);
    this.#emit(collection, type, stored);
    return this.#version;
  }

  /** As it stands. */
  get(collection: string, name: string, namespace?: string): FakeObject | undefined {
    return this.#collection(collection).get(keyOf(header(name, namespace)));
  }

  delete(collection: string, name: string, namespace?: string): void {
    const key = keyOf(header(name, namespace));
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

  /** Requests that write, as `METHOD path`. */
  get writes(): string[] {
    return this.requests.flatMap(({ method, path }) => (method === 'GET' ? [] : [`${method} ${path}`]));
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const hasBody = ['POST', 'PUT', 'PATCH'].includes(request.method ?? '');
    const seen: SeenRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: hasBody ? ((await json(request)) as JsonObject) : undefined,
    };
    this.requests.push(seen);
    if (this.fault?.(seen, response) === true) return;
    if (!this.#objects.has(seen.path)) this.#answerObject(seen, response);
    else if (seen.method === 'POST') this.#create(seen, response);
    else if (seen.query['watch'] === 'true') this.#watch(seen, response);
    else this.#list(seen, response);
  }

  /** `…/collection/name`, its status, or that within a namespace of a collection that spans all. */
  #answerObject({ method, path, body }: SeenRequest, response: ServerResponse): void {
    const named =
      /^(?<base>.+?)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)\/(?<name>[^/]+?)(?:\/status)?$/u;
    const { base = '', namespace, plural = '', name = '' } = named.exec(path)?.groups ?? {};
    const within = namespace === undefined ? '' : `/namespaces/${namespace}`;
    const collection = [`${base}${within}/${plural}`, `${base}/${plural}`].find((one) =>
      this.#objects.has(one),
    );
    const found =
      collection === undefined
        ? undefined
        : (this.get(collection, name, namespace) ?? this.get(collection, name));
    if (collection === undefined || found === undefined) answerStatus(response, 404);
    else if (method === 'GET') answerJson(response, 200, found);
    else if (method === 'DELETE') {
      this.delete(collection, name, found.metadata.namespace);
      answerStatus(response, 200);
    } else if (method === 'PATCH') this.#replace(collection, found, merged(found, body ?? {}), response);
    else if (versionOf(body) !== found.metadata.resourceVersion) answerStatus(response, 409);
    else this.#replace(collection, found, body as unknown as FakeObject, response);
  }

  #create({ path, body }: SeenRequest, response: ServerResponse): void {
    const object = this.altered(path, body as unknown as FakeObject);
    const key = keyOf(object);
    if (this.#collection(path).has(key)) {
      answerStatus(response, 409);
      return;
    }
    this.put(path, object);
    answerJson(response, 201, this.#collection(path).get(key));
  }

  /** What changes nothing makes no new version. */
  #replace(collection: string, found: FakeObject, object: FakeObject, response: ServerResponse): void {
    const wanted = this.altered(collection, object);
    if (!isDeepStrictEqual(wanted, found)) this.put(collection, wanted);
    answerJson(response, 200, this.#collection(collection).get(keyOf(found)));
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

export function answerStatus(response: ServerResponse, code: number): void {
  answerJson(response, code, { kind: 'Status', code });
}

const header = (name: string, namespace: string | undefined): Pick<FakeObject, 'metadata'> => ({
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

const versionOf = (object: JsonObject | undefined): unknown =>
  isJsonObject(object?.['metadata']) ? object['metadata']['resourceVersion'] : undefined;

/** A merge patch (RFC 7386). */
function merged<T extends object>(target: T, patch: JsonObject): T {
  const result = { ...target } as Record<string, unknown>;
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, field);
    else if (isJsonObject(value)) {
      const inner = result[field];
      result[field] = merged(typeof inner === 'object' && inner !== null ? inner : {}, value);
    } else result[field] = value;
  }
  return result as T;
}

const keyOf = ({ metadata: { name, namespace = '' } }: Pick<FakeObject, 'metadata'>): string =>
  `${namespace}/${name}`;
