import { describe, expect, it } from 'vitest';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import { statusBody } from '../../src/server/status-body.ts';
import { admitted, startWebhook } from '../support/running-webhook.ts';
import { answerOf, podReview } from '../support/webhook-call.ts';

const body = JSON.stringify(podReview());
const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';
const never = () => new Promise<ReviewAnswer>(() => undefined);

describe('ReviewEndpoint', () => {
  it('T28 denies when the review rejects, and tells nothing of the cause but to the log', async () => {
    const webhook = await startWebhook({ review: () => Promise.reject(new Error('at 10.0.0.7: boom')) });
    expect(answerOf(await webhook.call({ body }))).toEqual({
      uid,
      allowed: false,
      message: 'InternalError: Refwarden failed in a way that it should not.',
    });
    expect(webhook.refused).toEqual(['InternalError']);
    expect(webhook.lines()).toMatchObject([{ level: 'error', uid, cause: { message: 'at 10.0.0.7: boom' } }]);
  });

  it('T28 denies when the review throws before it returns a promise', async () => {
    const webhook = await startWebhook({
      review: () => {
        throw new RefwardenError('NamespaceUnknown', 'Namespace shop is not known.');
      },
    });
    expect(answerOf(await webhook.call({ body }))).toMatchObject({
      allowed: false,
      message: 'NamespaceUnknown: Namespace shop is not known.',
    });
  });

  it.each<[string, unknown]>([
    ['something that is no answer', undefined],
    [
      'something that fails as a request may',
      {
        get warnings() {
          throw Object.assign(new Error('boom'), { statusCode: 500 });
        },
      },
    ],
  ])('T28 refuses when the review answers with %s, and logs that once', async (_what, answer) => {
    const webhook = await startWebhook({ review: () => Promise.resolve(answer as ReviewAnswer) });
    const response = await webhook.call({ body });
    expect(response.status).toBe(500);
    expect(response.json).toEqual(
      statusBody(500, 'InternalError', 'Refwarden failed in a way that it should not.'),
    );
    expect(webhook.lines()).toMatchObject([{ level: 'error', msg: 'A request failed' }]);
  });

  it('T28 denies by itself when the review hangs past the deadline of the caller', async () => {
    const webhook = await startWebhook({ review: never });
    expect(answerOf(await webhook.call({ body, path: '/validate?timeout=100ms' }))).toEqual({
      uid,
      allowed: false,
      message:
        'DeadlineExceeded: The decision was not reached within the time that the caller gave. ' +
        'Try again: in a cluster the work goes on and the next try finds its result; on the command line raise --timeout.',
    });
    expect(webhook.refused).toEqual(['DeadlineExceeded']);
  });

  it('T28 tells the review first, so that it can say what it waited for', async () => {
    const webhook = await startWebhook({
      review: (_request, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve({ ...admitted, allowed: false, message: (signal.reason as RefwardenError).code });
          });
        }),
    });
    const response = await webhook.call({ body, path: '/validate?timeout=100ms' });
    expect(answerOf(response)).toMatchObject({ allowed: false, message: 'DeadlineExceeded' });
    expect(webhook.refused).toEqual([]);
  });

  it('tells the review when its caller is gone', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const webhook = await startWebhook({
      review: (_request, { signal }) => {
        started.resolve(signal);
        return never();
      },
    });
    const caller = new AbortController();
    const call = webhook.call({ body, signal: caller.signal, path: '/validate?timeout=30s' });
    const signal = await started.promise;
    caller.abort();
    await expect(call).rejects.toThrow(/abort/);
    await expect.poll(() => signal.aborted).toBe(true);
  });

  it('T28 denies at once above the number of reviews that one namespace may have running, and serves again when one ended', async () => {
    const gates = [Promise.withResolvers<ReviewAnswer>(), Promise.withResolvers<ReviewAnswer>()];
    const bothRun = Promise.withResolvers<undefined>();
    let running = 0;
    const webhook = await startWebhook({
      limits: { maxRunningReviews: 4 },
      review: () => {
        const gate = gates[running++];
        if (running === 2) bothRun.resolve(undefined);
        return gate?.promise ?? Promise.resolve(admitted);
      },
    });
    const first = webhook.call({ body });
    const second = webhook.call({ body });
    await bothRun.promise;
    expect(answerOf(await webhook.call({ body }))).toEqual({
      uid,
      allowed: false,
      message: 'Overloaded: Too many reviews are waiting. Try again; add replicas if it stays.',
    });
    expect(webhook.refused).toEqual(['Overloaded']);
    gates[0]?.resolve(admitted);
    expect(answerOf(await first).allowed).toBe(true);
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
    gates[1]?.resolve(admitted);
    expect(answerOf(await second).allowed).toBe(true);
  });

  it('T28 frees the place of a review that hangs', async () => {
    let calls = 0;
    const webhook = await startWebhook({
      limits: { maxRunningReviews: 1 },
      review: () => (calls++ === 0 ? never() : Promise.resolve(admitted)),
    });
    expect(answerOf(await webhook.call({ body, path: '/validate?timeout=50ms' })).allowed).toBe(false);
    expect(answerOf(await webhook.call({ body })).allowed).toBe(true);
  });

  it('T28 refuses with 503 what would hold more bytes than all reviews may, until they are answered', async () => {
    const gate = Promise.withResolvers<ReviewAnswer>();
    const started = Promise.withResolvers<undefined>();
    const large = body.padEnd(256 * 1024);
    const webhook = await startWebhook({
      limits: { maxHeldBytes: large.length * 1.5 },
      review: () => {
        started.resolve(undefined);
        return gate.promise;
      },
    });
    const first = webhook.call({ body: large });
    await started.promise;
    const response = await webhook.call({ body: large });
    expect(response.status).toBe(503);
    expect(response.json).toEqual(statusBody(503, 'Overloaded', 'Too many reviews are being read.'));
    gate.resolve(admitted);
    expect(answerOf(await first).allowed).toBe(true);
    expect(answerOf(await webhook.call({ body: large })).allowed).toBe(true);
  });

  it('T28 gives back the bytes of refused and broken requests', async () => {
    const webhook = await startWebhook({ limits: { maxBodyBytes: 200_000, maxHeldBytes: 300_000 } });
    for (let i = 0; i < 5; i++) {
      expect((await webhook.call({ body: ' '.repeat(190_000) })).status).toBe(400);
      expect((await webhook.call({ body: ' '.repeat(300_000) })).status).toBe(413);
    }
    expect(answerOf(await webhook.call({ body: body.padEnd(190_000) })).allowed).toBe(true);
  });

  it('T39 reviews of one namespace that wait leave room for those of another, and for their bytes', async () => {
    const of = (namespace: string): string =>
      JSON.stringify(podReview({ namespace, object: { metadata: { namespace }, spec: { containers: [] } } }));
    for (const limits of [{ maxRunningReviews: 4 }, { maxHeldBytes: of('flood').length * 4 }]) {
      const gate = Promise.withResolvers<ReviewAnswer>();
      const started: string[] = [];
      const webhook = await startWebhook({
        limits,
        review: ({ namespace }) => {
          started.push(namespace);
          return namespace === 'flood' ? gate.promise : Promise.resolve(admitted);
        },
      });
      const flood = Array.from({ length: 2 }, () => webhook.call({ body: of('flood') }));
      await expect.poll(() => started).toHaveLength(2);
      expect(answerOf(await webhook.call({ body: of('flood') }))).toMatchObject({
        allowed: false,
        message: 'Overloaded: Too many reviews are waiting. Try again; add replicas if it stays.',
      });
      expect(answerOf(await webhook.call({ body: of('quiet') })).allowed).toBe(true);
      gate.resolve(admitted);
      for (const call of flood) expect(answerOf(await call).allowed).toBe(true);
    }
  });
});
