import { request as requestPlain } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { RefwardenError } from '../failures/failure.ts';

const proxyAuthenticationRequired = 407;

/**
 * Connects through a proxy by CONNECT (RFC 9110, 9.3.6), also to hosts that are spoken to without TLS. The proxy
 * resolves the name. TLS is with the target, end to end; the proxy sees host and port and nothing else of it.
 * @param secure makes TLS of a tunnel.
 */
export function tunnelConnector(
  proxy: URL,
  secure: buildConnector.connector,
  timeoutMs: number,
): buildConnector.connector {
  return (target, callback) => {
    const { hostname, port, protocol } = target;
    const authority = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
    openTunnel(proxy, authority, timeoutMs).then(
      (socket) => {
        if (protocol === 'https:') secure({ ...target, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error('no tunnel'), null);
      },
    );
  };
}

async function openTunnel(proxy: URL, authority: string, timeoutMs: number): Promise<Socket> {
  const request = proxy.protocol === 'https:' ? requestTls : requestPlain;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const connecting = request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? undefined : Number(proxy.port),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority },
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  connecting.once('connect', (answer: IncomingMessage, socket: Socket, early: Buffer) => {
    const { statusCode = 0 } = answer;
    // Nobody speaks before we do: early bytes are none of the target's.
    if (statusCode >= 200 && statusCode < 300 && early.length === 0) resolve(socket);
    else {
      socket.destroy();
      reject(refusedBy(proxy, authority, statusCode));
    }
  });
  connecting.once('response', (answer) => {
    answer.destroy();
    reject(refusedBy(proxy, authority, answer.statusCode ?? 0));
  });
  connecting.once('error', (cause) => {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'error';
    const why = cause.name === 'AbortError' ? `gave no tunnel within ${timeoutMs} ms` : `failed (${code})`;
    reject(
      new RefwardenError(
        'RegistryUnavailable',
        `The proxy ${proxy.host}, asked for ${authority}, ${why}.`,
        cause,
      ),
    );
  });
  connecting.end();
  return await promise;
}

function refusedBy(proxy: URL, authority: string, status: number): RefwardenError {
  const why =
    status === proxyAuthenticationRequired
      ? 'wants a user (407), which is not supported: let it serve this machine without one'
      : `gave none (${status})`;
  return new RefwardenError(
    'RegistryUnavailable',
    `The proxy ${proxy.host}, asked for a tunnel to ${authority}, ${why}.`,
  );
}
