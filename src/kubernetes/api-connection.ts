import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { RefwardenError } from '../failures/failure.ts';

const connectTimeoutMs = 10_000;

/**
 * Credentials and connections for the API server. Tokens and certificates are read anew for every request, and
 * rotated certificates get new connections. HTTP/1.1: one stalled connection then holds up one watch, not all.
 */
export class ApiConnection {
  readonly #kubeConfig: KubeConfig;
  #dispatcher: Dispatcher | undefined;
  /** The TLS settings that the dispatcher was made with. */
  #settings = '';

  constructor(kubeConfig: KubeConfig) {
    this.#kubeConfig = kubeConfig;
  }

  /** @throws RefwardenError `ClusterUnavailable` when the credentials cannot be used. */
  async prepare(): Promise<{ readonly dispatcher: Dispatcher; readonly headers: Record<string, string> }> {
    const options: RequestOptions = { headers: {} };
    let dispatcher: Dispatcher;
    try {
      await this.#kubeConfig.applyToHTTPSOptions(options);
      dispatcher = this.#dispatcherFor(options);
    } catch (cause) {
      throw new RefwardenError(
        'ClusterUnavailable',
        `The credentials for the API server cannot be used${fileOf(cause)}: check the files, commands and proxy that the kubeconfig names.`,
        cause,
      );
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
    if (typeof options.auth === 'string') {
      headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    }
    return { dispatcher, headers };
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #dispatcherFor({
    ca,
    cert,
    key,
    pfx,
    passphrase,
    rejectUnauthorized,
    servername,
  }: RequestOptions): Dispatcher {
    const given = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
    const tls = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const settings = JSON.stringify(tls);
    if (this.#dispatcher !== undefined && this.#settings === settings) return this.#dispatcher;
    const outdated = this.#dispatcher;
    const proxy = this.#kubeConfig.getCurrentCluster()?.proxyUrl;
    this.#dispatcher =
      proxy === undefined
        ? new Agent({ allowH2: false, connect: { ...tls, timeout: connectTimeoutMs } })
        : new ProxyAgent({ uri: proxy, allowH2: false, requestTls: { ...tls, timeout: connectTimeoutMs } });
    this.#settings = settings;
    void outdated?.close(); // lets the requests under way end
    return this.#dispatcher;
  }
}

/** The file that could not be read, where that is why. */
function fileOf(cause: unknown): string {
  const { code, path } = (cause instanceof Error ? cause : {}) as { code?: unknown; path?: unknown };
  return typeof code === 'string' && typeof path === 'string' ? `, ${path} (${code})` : '';
}
