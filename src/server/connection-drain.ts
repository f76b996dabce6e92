import { STATUS_CODES } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { statusBody } from './status-body.ts';

export interface DrainLimits {
  readonly lingerMs: number;
  readonly drainMs: number;
}

/**
 * Ends connections without failing a review. The API server sends a review once, so a connection is best ended by
 * an answer that says `connection: close`; only what stays silent is closed from here.
 */
export class ConnectionDrain {
  readonly #server: HttpsServer;
  readonly #limits: DrainLimits;
  readonly #sockets = new Set<Socket>();
  /** Those that finished their handshake, and whether they carried a request: the API server opens some ahead of need. */
  readonly #secure = new Map<Duplex, { used: boolean }>();
  #draining = false;
  #listening = true;

  constructor(server: HttpsServer, limits: DrainLimits) {
    this.#server = server;
    this.#limits = limits;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket) => {
      if (!this.#listening) socket.destroy();
      this.#secure.set(socket, { used: false });
      socket.once('close', () => this.#secure.delete(socket));
    });
    server.on('request', ({ socket }) => {
      const connection = this.#secure.get(socket);
      if (connection !== undefined) connection.used = true;
    });
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Ends a connection that broke the protocol or was too slow. One that has not sent a byte is no slow request: it
   * is left to the idle timeout.
   */
  onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const silent = this.#secure.get(socket)?.used === false && socket.bytesRead === 0;
    if (silent && error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && !this.#draining) return;
    if (!socket.writable || !this.#secure.has(socket)) {
      socket.destroy();
      return;
    }
    const [status, message] = clientErrors[error.code ?? ''] ?? [400, 'The request is not HTTP/1.1.'];
    const body = JSON.stringify(statusBody(status, 'ReviewInvalid', message));
    const headers = `connection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}\r\n\r\n${body}`);
    socket.destroySoon();
  }

  /** @param close stops listening, closes idle connections, and resolves when no connection is left. */
  async end(close: () => Promise<void>): Promise<void> {
    this.#draining = true;
    if (this.#server.listening) await delay(this.#limits.lingerMs);
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#limits.drainMs);
    const closed = close();
    this.#listening = false;
    for (const [socket, { used }] of this.#secure) if (!used) socket.destroy();
    await closed;
    clearTimeout(cut);
  }
}

const clientErrors: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
};
