import type { Server as HttpsServer } from 'node:https';
import type { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { BaseLogger } from 'pino';
import type { FailureCode } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';
import { listen } from './listen.ts';
import { ConnectionDrain } from './connection-drain.ts';
import { refuseWithSentences } from './http-refusal.ts';
import { shareConnections } from './share-connections.ts';
import { ReviewEndpoint } from './review-endpoint.ts';
import type { Review } from './review-endpoint.ts';

/** What each path answers. */
export const webhookPaths = {
  validate: '/validate',
  mutate: '/mutate',
  resources: '/validate-resources',
} as const;

/** Bounds of the webhook server. */
export const webhookLimits = {
  /** Largest body, bytes: a review carries two objects of at most 3 MiB. */
  maxBodyBytes: 8 * 1024 * 1024,
  /** Largest sum of the bodies being read or judged, bytes beyond the first 64 KiB of each; one address alone may have half. */
  maxHeldBytes: 64 * 1024 * 1024,
  /** Reviews judged at a time, half of them of one namespace alone; more are denied at once rather than queued. */
  maxRunningReviews: 1024,
  /** Open connections, half of them of one address alone; more are dropped. */
  maxConnections: 2048,
  /** Milliseconds for a TLS handshake. */
  handshakeTimeoutMs: 10_000,
  /** Milliseconds for the headers of a request, once it began. */
  headersTimeoutMs: 10_000,
  /** Milliseconds for a whole request to arrive, once it began. */
  requestTimeoutMs: 5_000,
  /** How often both are enforced, milliseconds. */
  connectionsCheckMs: 1000,
  /** Idle time of a connection, milliseconds: longer than the API server's 90 s, or its requests race our close. */
  keepAliveTimeoutMs: 120_000,
  /** On close, milliseconds during which connections are still taken: endpoints take a moment to lose this replica. */
  lingerMs: 5000,
  /** On close, milliseconds after which what still runs is cut off: past the longest review. */
  drainMs: 35_000,
} as const;

/**
 * A connection with a larger answer is closed after it, bytes. A busy process may read the next request before it learns that such an
 * answer is written; Node.js then pauses its parser, and fails that request (`HPE_PAUSED`).
 */
const maxKeptAnswerBytes = 48 * 1024;

export type WebhookLimits = { readonly [Name in keyof typeof webhookLimits]: number };

/** PEM texts; the certificate may be followed by its chain. */
export interface ServingTls {
  readonly cert: string;
  readonly key: string;
}

export interface WebhookServerOptions {
  readonly tls: ServingTls;
  /** PEM of the authority that signs the API server's client certificate; then no other client is served. */
  readonly clientCa?: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly reviews: { readonly [Name in keyof typeof webhookPaths]: Review };
  /** Told of every request that the server refused itself, with no verdict. */
  readonly refused: (code: FailureCode) => void;
  readonly log: BaseLogger;
  readonly limits?: Partial<WebhookLimits>;
}

export interface WebhookServer {
  /** @throws RefwardenError `ConfigurationInvalid` when the address cannot be bound. */
  listen(): Promise<{ readonly port: number }>;
  /**
   * Connections made from now on show the new certificate; open ones go on.
   * @throws RefwardenError `ConfigurationInvalid` for a pair that TLS cannot use; the former stays.
   */
  setTls(tls: ServingTls): void;
  /** Answers everything that is under way and everything that arrives for `lingerMs`, then ends. */
  close(): Promise<void>;
}

/**
 * The HTTPS server of the admission webhook.
 * @throws RefwardenError `ConfigurationInvalid` for TLS material that cannot be used.
 */
export function createWebhookServer(options: WebhookServerOptions): WebhookServer {
  const limits: WebhookLimits = { ...webhookLimits, ...options.limits };
  const endpoint = new ReviewEndpoint({ ...options, ...limits });
  const secure = secureContext(options.tls, options.clientCa);
  const app: FastifyInstance<HttpsServer> = fastify({
    https: {
      ...secure,
      ...(options.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
      handshakeTimeout: limits.handshakeTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckMs,
    },
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.keepAliveTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    bodyLimit: limits.maxBodyBytes,
    // While draining, a request on an open connection is still answered: nobody would send it a second time.
    return503OnClosing: false,
    forceCloseConnections: false,
    clientErrorHandler: (error, socket) => {
      drain.onClientError(error, socket);
    },
  });
  app.server.maxConnections = limits.maxConnections;
  shareConnections(app.server, limits.maxConnections);
  const drain = new ConnectionDrain(app.server, limits);
  app.server.on('tlsClientError', (cause) => {
    options.log.debug({ cause }, 'A TLS handshake failed');
  });

  refuseWithSentences(app, {
    paths: Object.values(webhookPaths),
    method: 'POST',
    hint: `Send an AdmissionReview as application/json by POST to ${Object.values(webhookPaths).join(' or ')}.`,
    refused: options.refused,
    log: options.log,
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const isLarge = typeof payload === 'string' && Buffer.byteLength(payload) > maxKeptAnswerBytes;
    // What is left of a refused body must not be taken for the next request.
    if (drain.draining || isLarge || !request.raw.complete) reply.header('connection', 'close');
    done();
  });
  // The framework's own JSON parser accepts duplicate keys: the endpoint takes the raw bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (_request, body, done) => {
    done(null, body);
  });
  for (const name of ['validate', 'mutate', 'resources'] as const) {
    app.post<{ Querystring: { timeout?: unknown } }>(webhookPaths[name], async (request, reply) => {
      const body = (request.body ?? request.raw) as Readable;
      const callerGone = new AbortController();
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) callerGone.abort();
      });
      const answer = await endpoint.answer({
        review: options.reviews[name],
        body,
        address: request.ip,
        timeout: request.query.timeout,
        callerGone: callerGone.signal,
      });
      return reply.type('application/json').send(answer);
    });
  }

  return {
    listen: () => listen(app, options),
    setTls(tls) {
      app.server.setSecureContext(secureContext(tls, options.clientCa));
    },
    close: () => drain.end(() => app.close()),
  };
}

function secureContext(tls: ServingTls, clientCa: string | undefined): SecureContextOptions {
  const secure: SecureContextOptions = {
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
  try {
    createSecureContext(secure);
  } catch (cause) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      'The serving certificate and key cannot be used for TLS.',
      cause,
    );
  }
  return secure;
}
