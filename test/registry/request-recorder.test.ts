import { describe, expect, it } from 'vitest';
import type { FinishedRequest, RegistryAccess } from '../../src/admission/ports.ts';
import type { RegistryLimits } from '../../src/registry/limits.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { accessOf, plainHttp } from './registry-access.ts';
import { app, json, startClient } from './start-client.ts';

/** What is recorded of one fetch from a server that answers so; 0 resets the connection, undefined is silent. */
async function recorded(
  status: number | undefined,
  access: Partial<RegistryAccess> = {},
  limits: Partial<RegistryLimits> = {},
): Promise<FinishedRequest[]> {
  const server = await hostileServer((_, response) => {
    if (status === 0) response.destroy();
    else if (status !== undefined) response.writeHead(status, json).end(app.bytes);
  });
  const requests: FinishedRequest[] = [];
  const client = startClient({
    ...plainHttp(server.host),
    limits: { maxRetries: 1, ...limits },
    requests: { record: (request) => requests.push(request) },
  });
  const subject = { registry: server.host, repository: 'a', digest: app.digest };
  await client.fetchManifest(subject, accessOf(access)).catch(() => undefined);
  expect(requests).toHaveLength(server.seen.length);
  return requests;
}

describe('requests that were sent', () => {
  it.each([
    [200, ['ok']],
    [404, ['notFound']],
    [401, ['refused']],
    [403, ['refused']],
    [429, ['rateLimited', 'rateLimited']],
    [500, ['error']],
    [503, ['error', 'error']],
    [0, ['error', 'error']],
  ])('are recorded one by one, those of further attempts too: %i', async (status, outcomes) => {
    const requests = await recorded(status);
    expect(requests.map(({ outcome }) => outcome)).toEqual(outcomes);
    for (const { purpose, durationMs } of requests) {
      expect(purpose).toBe('decision');
      expect(durationMs).toBeGreaterThan(0);
    }
  });

  it('are recorded when no answer came in time', async () => {
    // Long enough for a busy machine to connect and send: what never reached the server would be recorded, too.
    const [request] = await recorded(undefined, {}, { requestTimeoutMs: 1000, maxRetries: 1 });
    expect(request).toMatchObject({ outcome: 'timeout', purpose: 'decision' });
  });

  it('are recorded apart when no decision waits for them', async () => {
    expect(await recorded(200, { purpose: 'background' })).toMatchObject([
      { outcome: 'ok', purpose: 'background' },
    ]);
  });

  it('T39 are not those that a budget kept back', async () => {
    const requests = await recorded(503, {}, { requestsPerMinutePerTenant: 1, maxRetries: 5 });
    expect(requests).toHaveLength(1);
  });
});
