import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import type { Fetcher } from 'tuf-js';
import { RefwardenError } from '../failures/failure.ts';
import { parseStrictJson } from '../oci/strict-json.ts';
import type { FetchBounded } from './fetch-bounded.ts';

/** Largest metadata file, bytes, whatever length the repository states for it. Sigstore's take at most 20,000. */
export const maxMetadataBytes = 1024 * 1024;

/** Reads metadata for tuf-js: bounded, and never anything that is no strict JSON. */
export class TufFetcher implements Fetcher {
  readonly #fetch: FetchBounded;
  readonly #signal: AbortSignal;
  /** Why the last download failed: tuf-js keeps only the text of some errors. */
  failure: unknown;

  constructor(fetch: FetchBounded, signal: AbortSignal) {
    this.#fetch = fetch;
    this.#signal = signal;
  }

  async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    this.failure = undefined;
    try {
      const body = await this.download(new URL(url), Math.min(maxLength, maxMetadataBytes));
      parseStrictJson(body, new URL(url).host + new URL(url).pathname);
      return Buffer.from(body);
    } catch (thrown) {
      this.failure = thrown;
      throw thrown;
    }
  }

  /** @throws DownloadHTTPError by which tuf-js learns that there is no newer root; RefwardenError. */
  async download(url: URL, maxBytes: number): Promise<Uint8Array> {
    const { status, body } = await this.#fetch(url, { maxBytes, signal: this.#signal });
    if (status === 200) return body;
    throw new DownloadHTTPError(`${url.host}${url.pathname}: answered with HTTP status ${status}`, status);
  }

  /** Files are not used: targets are fetched into memory. */
  downloadFile(): Promise<never> {
    return Promise.reject(new RefwardenError('InternalError', 'TUF targets are not downloaded to files.'));
  }
}
