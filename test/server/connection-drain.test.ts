import { once } from 'node:events';
import { createConnection } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { admitted, startWebhook } from '../support/running-webhook.ts';
import { answerOf, keptConnection, openConnection, podReview, readToEnd } from '../support/webhook-call.ts';

const body = JSON.stringify(podReview());

/** A review that is under way until its gate opens. */
function gatedReview() {
  const gate = Promise.withResolvers<ReviewAnswer>();
  const started = Promise.withResolvers<undefined>();
  const review = () => {
    started.resolve(undefined);
    return gate.promise;
  };
  return { gate, started: started.promise, review };
}

describe('ConnectionDrain', () => {
  it('answers a review that is under way, and ends its connection with it', async () => {
    const { gate, started, review } = gatedReview();
    const webhook = await startWebhook({ review });
    const agent = keptConnection();
    const call = webhook.call({ body, agent });
    await started;
    const closed = webhook.server.close();
    gate.resolve(admitted);
    const response = await call;
    expect(answerOf(response).allowed).toBe(true);
    expect(response.headers.connection).toBe('close');
    await closed;
    await expect(webhook.call({ body })).rejects.toThrow(/ECONNREFUSED/);
  });

  it('ends idle connections, whether they were used or not', async () => {
    const webhook = await startWebhook({ limits: { drainMs: 60_000 } });
    const agent = keptConnection();
    await webhook.call({ body, agent });
    const [idle] = Object.values(agent.freeSockets).flat();
    const unused = await openConnection(webhook.port, webhook.tls);
    const ended = Promise.all([idle === undefined ? undefined : once(idle, 'close'), readToEnd(unused)]);
    await webhook.server.close();
    await ended;
    expect(idle?.destroyed).toBe(true);
  });

  it('takes reviews while it lingers, on open connections and on new ones, and ends each with its answer', async () => {
    const webhook = await startWebhook({ limits: { lingerMs: 300 } });
    const agent = keptConnection();
    expect((await webhook.call({ body, agent })).headers.connection).toBe('keep-alive');
    const closed = webhook.server.close();
    for (const call of [{ agent }, {}]) {
      const response = await webhook.call({ body, ...call });
      expect(answerOf(response).allowed).toBe(true);
      expect(response.headers.connection).toBe('close');
    }
    await closed;
  });

  it('ends a connection that finishes its handshake after the last one was taken', async () => {
    const { gate, started, review } = gatedReview();
    const webhook = await startWebhook({ review, limits: { drainMs: 60_000 } });
    const call = webhook.call({ body });
    await started;
    const late = createConnection({ host: '127.0.0.1', port: webhook.port });
    await once(late, 'connect');
    const closed = webhook.server.close();
    await expect.poll(() => webhook.call({ body }).catch(String)).toContain('ECONNREFUSED');
    expect(await readToEnd(connect({ socket: late, ...webhook.tls }))).toBe('');
    gate.resolve(admitted);
    expect(answerOf(await call).allowed).toBe(true);
    await closed;
  });

  it('cuts off what does not end in time', async () => {
    const { started, review } = gatedReview();
    const webhook = await startWebhook({ review, limits: { drainMs: 50 } });
    const handshaking = createConnection({ host: '127.0.0.1', port: webhook.port });
    handshaking.on('error', () => undefined);
    const handshakeEnded = once(handshaking, 'close');
    const call = webhook.call({ body });
    await started;
    const cut = expect(call).rejects.toThrow(/socket hang up|ECONNRESET/);
    await webhook.server.close();
    await cut;
    await handshakeEnded;
  });
});
