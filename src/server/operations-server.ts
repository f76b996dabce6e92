import { fastify } from 'fastify';
import type { FastifyError } from 'fastify';
import type { BaseLogger } from 'pino';
import { listen } from './listen.ts';

/** Bounds of the operations server: probes and scrapes are few and have no body. */
const operationsLimits = {
  maxConnections: 64,
  maxBodyBytes: 1024,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 5000,
  connectionsCheckMs: 1000,
  keepAliveTimeoutMs: 15_000,
} as const;

export interface OperationsServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /**
   * What still keeps the process from being ready, a line each (`policies: PolicyInvalid: ...`); empty when ready.
   * Not asked again once ready: later faults are for metrics, or an API server restart would unready a whole fleet.
   */
  readonly missing: () => readonly string[];
  /** The text exposition of all metrics. */
  readonly metrics: () => Promise<string>;
  readonly log: BaseLogger;
}

export interface OperationsServer {
  /** @throws RefwardenError `ConfigurationInvalid` when the address cannot be bound. */
  listen(): Promise<{ readonly port: number }>;
  /** `/readyz` refuses from now on, so that no new reviews are sent here. */
  beginShutdown(): void;
  close(): Promise<void>;
}

/** `/livez`, `/readyz` and `/metrics` over plain HTTP, for kubelet and Prometheus. */
export function createOperationsServer(options: OperationsServerOptions): OperationsServer {
  let ready = false;
  let shuttingDown = false;
  const app = fastify({
    http: {
      headersTimeout: operationsLimits.headersTimeoutMs,
      connectionsCheckingInterval: operationsLimits.connectionsCheckMs,
    },
    requestTimeout: operationsLimits.requestTimeoutMs,
    keepAliveTimeout: operationsLimits.keepAliveTimeoutMs,
    bodyLimit: operationsLimits.maxBodyBytes,
    forceCloseConnections: true,
  });
  app.server.maxConnections = operationsLimits.maxConnections;

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).type('text/plain').send('Nothing is here: see /livez, /readyz and /metrics.\n'),
  );
  app.setErrorHandler((cause: FastifyError, _request, reply) => {
    if (cause.statusCode !== undefined && cause.statusCode < 500) {
      return reply.code(cause.statusCode).type('text/plain').send('The request is not acceptable.\n');
    }
    options.log.error({ cause }, 'An operations request failed');
    return reply.code(500).type('text/plain').send('This failed: see the log.\n');
  });
  app.get('/livez', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const missing = shuttingDown ? ['shutting down'] : ready ? [] : options.missing();
    if (missing.length > 0)
      return reply
        .code(503)
        .type('text/plain')
        .send(`${missing.join('\n')}\n`);
    ready = true;
    return reply.type('text/plain').send('ok\n');
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics()),
  );

  return {
    listen: () => listen(app, options),
    beginShutdown() {
      shuttingDown = true;
    },
    close: () => app.close(),
  };
}
