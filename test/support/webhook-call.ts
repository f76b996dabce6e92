import { once } from 'node:events';
import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

/** Trust and, where wanted, the client's own certificate. */
export type ClientTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>;

export interface WebhookResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly json: Record<string, unknown>;
}

export interface WebhookCall {
  readonly port: number;
  readonly tls: ClientTls;
  readonly body?: string | Uint8Array;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: RequestOptions['headers'];
  readonly agent?: Agent;
  /** That it comes from; any of 127.0.0.0/8. */
  readonly address?: string;
  readonly signal?: AbortSignal;
}

/** One HTTP/1.1 request as the API server sends it; a new connection unless an agent is given. */
export async function callWebhook(call: WebhookCall): Promise<WebhookResponse> {
  const sent = request({
    host: '127.0.0.1',
    port: call.port,
    path: call.path ?? '/validate?timeout=10s',
    method: call.method ?? 'POST',
    headers: call.headers ?? { 'content-type': 'application/json' },
    agent: call.agent ?? false,
    ...(call.address === undefined ? {} : { localAddress: call.address }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
    ...call.tls,
  });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end(call.body);
  const [response] = await answered;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    json: JSON.parse(await text(response)) as Record<string, unknown>,
  };
}

/** A connection kept between calls, as the API server keeps its own. */
export function keptConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** A TLS connection to write bytes to by hand. `address` is the client's. */
export async function openConnection(
  port: number,
  tls: ClientTls,
  address = '127.0.0.1',
): Promise<TLSSocket> {
  const socket = connect({ socket: connectTcp({ host: '127.0.0.1', port, localAddress: address }), ...tls });
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything that the server still sends until it ends the connection. */
export function readToEnd(socket: TLSSocket): Promise<string> {
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('close', () => {
    resolve(received);
  });
  return promise;
}

/** An AdmissionReview of a new Pod, changed as a test needs it. */
export function podReview(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'shop',
      name: 'app',
      userInfo: { username: 'alice' },
      object: { spec: { containers: [{ name: 'app', image: 'ghcr.io/acme/app:1.4' }] } },
      oldObject: null,
      dryRun: false,
      ...change,
    },
  };
}

/** What the answer to a review says, for short assertions. */
export function answerOf(response: WebhookResponse): { allowed: unknown; message: unknown; uid: unknown } {
  const { allowed, status, uid } = response.json['response'] as {
    allowed: unknown;
    uid: unknown;
    status?: { message: unknown };
  };
  return { allowed, uid, message: status?.message };
}
