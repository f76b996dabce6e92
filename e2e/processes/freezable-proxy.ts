import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';

/** An HTTP proxy on loopback (CONNECT) whose connections can be made to stand still. */
export interface FreezableProxy {
  readonly url: string;
  /** The connections that are open now bring nothing more, and stay open. Later ones work. */
  readonly freeze: () => void;
  /** They go on where they stood. */
  readonly thaw: () => void;
  readonly stop: () => Promise<void>;
}

interface Tunnel {
  readonly client: Socket;
  readonly upstream: Socket;
}

export async function startFreezableProxy(): Promise<FreezableProxy> {
  const open = new Set<Tunnel>();
  const frozen = new Set<Tunnel>();
  const server = createServer();
  server.on('connect', ({ url = '' }, client: Socket, head: Buffer) => {
    const { hostname, port } = new URL(`tcp://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    const tunnel = { client, upstream };
    open.add(tunnel);
    const end = (): void => {
      open.delete(tunnel);
      frozen.delete(tunnel);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze: () => {
      for (const tunnel of open) {
        frozen.add(tunnel);
        tunnel.upstream.unpipe(tunnel.client).pause();
      }
    },
    thaw: () => {
      for (const tunnel of frozen) tunnel.upstream.pipe(tunnel.client);
      frozen.clear();
    },
    stop: async () => {
      for (const { client } of open) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
