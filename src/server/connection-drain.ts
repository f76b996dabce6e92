import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export interface DrainLimits {
  readonly keepAliveTimeoutMs: number;
  readonly lingerMs: number;
  readonly drainMs: number;
}

/**
 * Ends connections without failing a review. The API server sends a review once, so a connection is best ended by
 * an answer that says `connection: close`; only what stays silent is closed from here.
 */
export class ConnectionDrain {
  readonly #limits: DrainLimits;
  readonly #sockets = new Set<Socket>();
  /** TLS sockets that have not carried a request: the API server opens some ahead of need. */
  readonly #unused = new Set<Duplex>();
  #draining = false;

  constructor(server: HttpsServer, limits: DrainLimits) {
    this.#limits = limits;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => {
      this.#unused.add(socket);
      socket.once('close', () => this.#unused.delete(socket));
    });
    server.on('request', (request) => {
      this.#unused.delete(request.socket);
    });
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Ends a connection that broke the protocol or was too slow. One that has not sent a byte is no slow request:
   * it is kept as long as any idle one.
   */
  onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const silent =
      error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && this.#unused.has(socket) && socket.bytesRead === 0;
    if (silent && !this.#draining) {
      socket.setTimeout(this.#limits.keepAliveTimeoutMs, () => socket.destroy());
      return;
    }
    if (socket.writable) {
      const [status, message] = clientErrors[error.code ?? ''] ?? [
        '400 Bad Request',
        'The request is not HTTP/1.1.',
      ];
      const body = JSON.stringify({ code: 'ReviewInvalid', message });
      socket.write(
        `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    }
    socket.destroySoon();
  }

  /** @param close stops listening, closes idle connections, and resolves when no connection is left. */
  async end(close: () => Promise<void>): Promise<void> {
    this.#draining = true;
    await delay(this.#limits.lingerMs);
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#limits.drainMs);
    const closed = close();
    for (const socket of this.#unused) socket.destroy();
    await closed;
    clearTimeout(cut);
  }
}

const clientErrors: Readonly<Record<string, readonly [string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too large.'],
};
