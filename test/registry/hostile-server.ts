import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface HostileServer {
  readonly host: string;
  readonly url: string;
  /** Method and path of each request, with the Authorization header that came along. */
  readonly seen: { readonly request: string; readonly authorization: string | undefined }[];
}

/** A server that answers as the test says, whatever that is. */
export async function hostileServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HostileServer> {
  const seen: HostileServer['seen'] = [];
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    seen.push({
      request: `${request.method ?? ''} ${request.url ?? ''}`,
      authorization: request.headers.authorization,
    });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, seen };
}
