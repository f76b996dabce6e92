import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface HostileServer {
  readonly host: string;
  readonly url: string;
  readonly port: number;
  /** Method and path of each request, with the Authorization header that came along. */
  readonly seen: { readonly request: string; readonly authorization: string | undefined }[];
  /** All that arrived: request lines, headers and bodies. */
  received(): string;
}

interface Place {
  /** Address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
  /** Speaks TLS when given. */
  readonly tls?: ServerOptions;
}

/** A server that answers as the test says, whatever that is. */
export async function hostileServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  { host: address = '127.0.0.1', tls }: Place = {},
): Promise<HostileServer> {
  const seen: HostileServer['seen'] = [];
  const received: string[] = [];
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    seen.push({ request: line, authorization: request.headers.authorization });
    received.push(line, request.rawHeaders.join('\n'));
    request.on('data', (chunk: Buffer) => received.push(chunk.toString('utf8')));
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const host = `${address}:${port}`;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  return { host, url, port, seen, received: () => received.join('\n') };
}
