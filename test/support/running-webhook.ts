import { onTestFinished } from 'vitest';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import type { Review } from '../../src/server/review-endpoint.ts';
import { createWebhookServer } from '../../src/server/webhook-server.ts';
import type { WebhookServer, WebhookServerOptions } from '../../src/server/webhook-server.ts';
import { captureLog } from './captured-log.ts';
import { createTestAuthority } from './tls-certificates.ts';
import type { TestAuthority } from './tls-certificates.ts';
import { callWebhook } from './webhook-call.ts';
import type { ClientTls, WebhookCall, WebhookResponse } from './webhook-call.ts';

export const admitted: ReviewAnswer = { allowed: true, message: '', warnings: [], auditAnnotations: {} };

export interface RunningWebhook {
  readonly server: WebhookServer;
  readonly port: number;
  readonly authority: TestAuthority;
  readonly tls: ClientTls;
  readonly refused: FailureCode[];
  readonly lines: () => Record<string, unknown>[];
  call(call?: Partial<WebhookCall>): Promise<WebhookResponse>;
}

/** The webhook server on a loopback port, for one test. Nothing lingers unless the test says so. */
export async function startWebhook({
  review = () => Promise.resolve(admitted),
  ...options
}: Partial<WebhookServerOptions> & {
  /** Of the validating webhook. */
  readonly review?: Review;
} = {}): Promise<RunningWebhook> {
  const authority = await createTestAuthority();
  const { log, lines } = captureLog();
  const refused: FailureCode[] = [];
  const server = createWebhookServer({
    tls: await authority.serving(),
    host: '127.0.0.1',
    port: 0,
    reviews: {
      validate: review,
      mutate: () => Promise.resolve(admitted),
      resources: () => Promise.resolve(admitted),
    },
    refused: (code) => refused.push(code),
    log,
    ...options,
    limits: { lingerMs: 0, drainMs: 1000, ...options.limits },
  });
  onTestFinished(() => server.close());
  const { port } = await server.listen();
  const tls = { ca: authority.ca };
  return {
    server,
    port,
    authority,
    tls,
    refused,
    lines,
    call: (call) => callWebhook({ port, tls, ...call }),
  };
}
