import { RefwardenError } from '../failures/failure.ts';
import type { ApiClient } from './api-client.ts';
import { namespaceCollection } from './collection.ts';
import { headerOf, labelsOf } from './kube-object.ts';

type Labels = Readonly<Record<string, string>>;

/** Namespaces that are asked for at the same time; more are refused. */
const maxLookups = 32;
const lookupTimeoutMs = 3000;
const maxNamespaceBytes = 4 * 1024 * 1024;

/**
 * Asks the API server for the labels of a namespace that no watch has shown yet. Everyone who waits for the same
 * namespace shares one request; a caller's signal ends only its own wait.
 */
export class NamespaceLookup {
  readonly #api: ApiClient;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<string, Promise<Labels>>();

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** @throws RefwardenError `NamespaceUnknown` */
  async labels(namespace: string, signal: AbortSignal): Promise<Labels> {
    if (signal.aborted) throw outOfTime(namespace);
    const lookup = this.#underWay.get(namespace) ?? this.#start(namespace);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(outOfTime(namespace));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      void lookup.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
    });
  }

  close(): void {
    this.#closing.abort();
  }

  #start(namespace: string): Promise<Labels> {
    if (this.#underWay.size >= maxLookups) {
      throw unknown(namespace, 'too many namespaces are being asked for at this moment');
    }
    const lookup = this.#ask(namespace).finally(() => {
      this.#underWay.delete(namespace);
    });
    lookup.catch(() => undefined); // its callers may all have left
    this.#underWay.set(namespace, lookup);
    return lookup;
  }

  async #ask(namespace: string): Promise<Labels> {
    const { path, permission } = namespaceCollection;
    const bounds = { maxBytes: maxNamespaceBytes, timeoutMs: lookupTimeoutMs, signal: this.#closing.signal };
    const { status, content } = await this.#api
      .get(`${path}/${encodeURIComponent(namespace)}`, {}, bounds)
      .catch((cause: unknown) => {
        throw unknown(namespace, 'the API server did not answer', cause);
      });
    if (content !== undefined) {
      if (headerOf(content)?.name === namespace) return labelsOf(content);
      throw unknown(namespace, 'the API server did not answer with a Namespace');
    }
    if (status === 404) throw unknown(namespace, 'it does not exist');
    throw unknown(namespace, status === 403 ? permission : `the API server answered ${status}`);
  }
}

const unknown = (namespace: string, reason: string, cause?: unknown): RefwardenError =>
  new RefwardenError(
    'NamespaceUnknown',
    `The labels of namespace ${JSON.stringify(namespace.slice(0, 253))} are not known: ${reason.replace(/\.$/, '')}.`,
    cause,
  );

const outOfTime = (namespace: string): RefwardenError =>
  unknown(namespace, 'the API server did not answer within the time of the decision');
