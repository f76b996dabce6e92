import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ConnectProxy {
  readonly url: string;
  /** `host:port` of each tunnel that was asked for. */
  readonly asked: string[];
  /** All headers of these requests. */
  received(): string;
}

/**
 * A proxy that tunnels whatever host is asked for to the same port of loopback, as if its own resolver said so.
 * @param refuse what it answers instead; nothing at all when that is empty.
 */
export async function connectProxy(refuse?: string): Promise<ConnectProxy> {
  const asked: string[] = [];
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request, client: Socket) => {
    asked.push(request.url ?? '');
    received.push(request.rawHeaders.join('\n'));
    client.on('error', () => undefined);
    if (refuse !== undefined) {
      if (refuse !== '') client.end(`HTTP/1.1 ${refuse}\r\n\r\n`);
      return;
    }
    const target = connect(Number(/:([0-9]+)$/.exec(request.url ?? '')?.[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    sockets.add(target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, received: () => received.join('\n') };
}
