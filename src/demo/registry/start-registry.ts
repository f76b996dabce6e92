import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RefwardenError } from '../../failures/failure.ts';
import type { Answer } from './answer.ts';
import type { AuthOptions } from './auth.ts';
import { makeAnswerer } from './make-answerer.ts';
import { RegistryStore } from './registry-store.ts';
import { RequestLog } from './request-log.ts';
import type { RecordedRequest } from './request-log.ts';
import type { Mechanisms } from './route-context.ts';

export interface RegistryOptions {
  /** Address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly mechanisms: Mechanisms;
  /** Absent: everyone may read and write. */
  readonly auth?: AuthOptions;
  /** Descriptors in one page of the referrers and ORAS APIs. */
  readonly referrersPageSize?: number;
  /** Manifests up to this many bytes stand in listings as `data` (image-spec #826); none unless told. */
  readonly inlineDataBytes?: number;
  readonly store?: RegistryStore;
  /** Called when a request has been answered. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EADDRNOTAVAIL: 'is no address of this machine',
  EACCES: 'may not be used by this user',
  ENOTFOUND: 'is a host name that does not resolve',
};

/** Sees every request first; answers it itself and returns true, or returns false to let the registry answer. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface EmbeddedRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands at the start of an image reference. */
  readonly host: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly store: RegistryStore;
  /** In the order of arrival, refused and intercepted ones included. */
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  /** Injects faults: errors, redirects, altered or endless bodies. Undefined ends it. */
  intercept(handler: Interceptor | undefined): void;
  close(): Promise<void>;
}

/**
 * An OCI registry in memory over plain HTTP (distribution-spec 1.1), with the discovery mechanisms asked for.
 * @throws RefwardenError `ConfigurationInvalid` when the port is taken or may not be used.
 */
export async function startRegistry(options: RegistryOptions): Promise<EmbeddedRegistry> {
  const { host: address = '127.0.0.1', port = 0 } = options;
  const name = address.includes(':') ? `[${address}]` : address;
  const store = options.store ?? new RegistryStore();
  const log = new RequestLog();
  const answer = makeAnswerer({ ...options, store });
  let interceptor: Interceptor | undefined;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const note = log.add(request);
    response.once('close', () => options.onRequest?.(note(response.headersSent ? response.statusCode : 0)));
    if (interceptor !== undefined && (await interceptor(request, response))) {
      note(response.headersSent ? response.statusCode : 0);
      return;
    }
    const { status, headers, body } = await answer(request);
    note(status);
    send(request, response, { status, headers, ...(body === undefined ? {} : { body }) });
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = reasons[cause.code ?? ''] ?? `cannot be used (${cause.code ?? 'error'})`;
      reject(
        new RefwardenError(
          'ConfigurationInvalid',
          `The embedded registry cannot start: ${name}:${port} ${why}.`,
          cause,
        ),
      );
    });
    server.listen(port, address, resolve);
  });
  const host = `${name}:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    host,
    url: `http://${host}`,
    store,
    requests: log.entries,
    clearRequests: () => {
      log.clear();
    },
    intercept: (handler) => {
      interceptor = handler;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  const hasLength = body !== undefined || status !== 204;
  response.writeHead(status, { ...headers, ...(hasLength ? { 'content-length': length } : {}) });
  response.end(request.method === 'HEAD' ? undefined : body);
}
