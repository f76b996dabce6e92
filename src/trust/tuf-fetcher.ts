import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import type { Fetcher } from 'tuf-js';
import { RefwardenError } from '../failures/failure.ts';
import type { BoundedFetch } from '../network/bounded-fetch.ts';
import { parseStrictJson } from '../oci/strict-json.ts';

/** Largest metadata file, bytes, whatever length the repository states for it. Sigstore's take at most 20,000. */
export const maxMetadataBytes = 1024 * 1024;

/** One file, milliseconds. */
const requestTimeoutMs = 10_000;

/** Reads metadata for tuf-js: bounded, and never anything that is no strict JSON. */
export class TufFetcher implements Fetcher {
  readonly #network: BoundedFetch;
  readonly #signal: AbortSignal;
  /** Why the last download failed: tuf-js keeps only the text of some errors. */
  failure: unknown;

  constructor(network: BoundedFetch, signal: AbortSignal) {
    this.#network = network;
    this.#signal = signal;
  }

  async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    this.failure = undefined;
    try {
      const body = await this.download(new URL(url), Math.min(maxLength, maxMetadataBytes));
      parseStrictJson(body, describe(new URL(url)));
      return Buffer.from(body);
    } catch (thrown) {
      this.failure = thrown;
      throw thrown;
    }
  }

  /** @throws DownloadHTTPError by which tuf-js learns that there is no newer root; RefwardenError. */
  async download(url: URL, maxBytes: number): Promise<Uint8Array> {
    const what = describe(url);
    const bounds = { maxBytes, timeoutMs: requestTimeoutMs, signal: this.#signal };
    const { status, body } = await this.#network.fetch(url.href, { method: 'GET', what, ...bounds });
    if (status === 200) return body;
    throw new DownloadHTTPError(`${what}: answered with HTTP status ${status}`, status);
  }

  /** Files are not used: targets are fetched into memory. */
  downloadFile(): Promise<never> {
    return Promise.reject(new RefwardenError('InternalError', 'TUF targets are not downloaded to files.'));
  }
}

const describe = ({ host, pathname }: URL): string => host + pathname;
