import { RefwardenError } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import type { ApiClient, ApiWrite } from './api-client.ts';
import type { SingleCollection } from './collection.ts';

const timeoutMs = 5000;
/** Largest object, bytes: the API server keeps none of more than about 3 MiB. */
const maxObjectBytes = 4 * 1024 * 1024;

/** One object of the API server, read and written as a whole. */
export class NamedObject {
  readonly #api: ApiClient;
  readonly #collection: SingleCollection;

  constructor(api: ApiClient, collection: SingleCollection) {
    this.#api = api;
    this.#collection = collection;
  }

  /**
   * @returns undefined when there is none.
   * @throws RefwardenError `ClusterUnavailable`
   */
  async read(signal: AbortSignal): Promise<JsonObject | undefined> {
    const { status, content } = await this.#api.get(this.#path, {}, this.#bounds(signal));
    if (content === undefined && status !== 404) throw this.#refused(status, 'reading');
    return content;
  }

  /**
   * Creates an object that has no `metadata.resourceVersion`; replaces this very version otherwise.
   * @returns what is kept now; undefined when somebody else was faster.
   * @throws RefwardenError `ClusterUnavailable`
   */
  async write(object: JsonObject, signal: AbortSignal): Promise<JsonObject | undefined> {
    const { metadata } = object;
    const isNew = !isJsonObject(metadata) || metadata['resourceVersion'] === undefined;
    const { status, content } = isNew
      ? await this.#send(this.#collection.path, { method: 'POST', object }, signal)
      : await this.#send(this.#path, { method: 'PUT', object }, signal);
    // 404: what was to be replaced is gone.
    if (content === undefined && status !== 409 && status !== 404) throw this.#refused(status, 'writing');
    return content;
  }

  /** @returns whether there was one. @throws RefwardenError `ClusterUnavailable` */
  async merge(patch: JsonObject, signal: AbortSignal, subresource?: 'status'): Promise<boolean> {
    const path = subresource === undefined ? this.#path : `${this.#path}/${subresource}`;
    const { status, content } = await this.#send(path, { method: 'PATCH', object: patch }, signal);
    if (content === undefined && status !== 404) throw this.#refused(status, 'changing');
    return content !== undefined;
  }

  /** @returns whether there was one. @throws RefwardenError `ClusterUnavailable` */
  async remove(signal: AbortSignal): Promise<boolean> {
    const { status, content } = await this.#send(this.#path, { method: 'DELETE' }, signal);
    if (content === undefined && status !== 404) throw this.#refused(status, 'deleting');
    return content !== undefined;
  }

  get #path(): string {
    return `${this.#collection.path}/${encodeURIComponent(this.#collection.only)}`;
  }

  #bounds(signal: AbortSignal): { maxBytes: number; timeoutMs: number; signal: AbortSignal } {
    return { maxBytes: maxObjectBytes, timeoutMs, signal };
  }

  #send(path: string, write: ApiWrite, signal: AbortSignal): ReturnType<ApiClient['write']> {
    return this.#api.write(path, write, this.#bounds(signal));
  }

  #refused(status: number, what: string): RefwardenError {
    const { name, only, permission } = this.#collection;
    const why =
      status === 403
        ? ` ${permission}`
        : status === 401
          ? ' The credentials are wrong, or have expired.'
          : '';
    return new RefwardenError(
      'ClusterUnavailable',
      `The API server answered ${status} to ${what} ${only} of ${name}.${why}`,
    );
  }
}
