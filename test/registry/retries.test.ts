import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ociManifest } from '../../src/oci/media-types.ts';
import type { RegistryClientOptions } from '../../src/registry/registry-client.ts';
import { manifest } from '../demo/registry/documents.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { TestClock, accessOf, expectFailure, plainHttp } from './registry-access.ts';
import { startClient } from './start-client.ts';

const app = manifest('app');
type Answer = (response: ServerResponse) => void;

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end('<b>registry body</b>');
  };
const good: Answer = (response) => {
  response.writeHead(200, { 'content-type': ociManifest }).end(app.bytes);
};
const reset: Answer = (response) => {
  response.writeHead(200, { 'content-type': ociManifest, 'content-length': '999' });
  response.write('{', () => response.destroy());
};

/** Gives the answers one after another, then the last for good. */
async function setUp(answers: readonly Answer[], options: RegistryClientOptions = {}) {
  const delays: number[] = [];
  const server: HostileServer = await hostileServer((_, response) => {
    (answers[server.seen.length - 1] ?? answers.at(-1))?.(response);
  });
  const client = startClient({
    ...plainHttp(server.host),
    random: () => 0,
    sleep: (delayMs) => {
      delays.push(delayMs);
      return Promise.resolve();
    },
    ...options,
  });
  const access = accessOf();
  const subject = { registry: server.host, repository: 'a', digest: app.digest };
  return { server, delays, access, fetch: () => client.fetchManifest(subject, access) };
}

describe('retries', () => {
  it.each([
    ['502', status(502)],
    ['503', status(503)],
    ['504', status(504)],
    ['429', status(429)],
    ['a reset within the body', reset],
  ])('tries again after %s, twice at most, and later each time', async (_, fault) => {
    const mends = await setUp([fault, fault, good]);
    expect((await mends.fetch()).digest).toBe(app.digest);
    expect(mends.delays).toEqual([75, 150]);
    expect(mends.access.trace.total).toBe(3);
    const stays = await setUp([fault]);
    await expect(stays.fetch()).rejects.toMatchObject({ name: 'RefwardenError' });
    expect(stays.server.seen).toHaveLength(3);
  });

  it.each([
    [status(500), 'RegistryUnavailable', / answered 500 for /],
    [status(403), 'RegistryUnauthorized', / refused access to .* \(403\), asked without credentials\.$/],
    [status(418), 'RegistryProtocolError', /: an unexpected answer \(418\)\.$/],
  ] as const)('tries what a repetition will not mend once only', async (fault, code, message) => {
    const { server, fetch } = await setUp([fault]);
    await expectFailure(fetch(), code, message);
    expect(server.seen).toHaveLength(1);
  });

  it('waits as long as Retry-After asks, but no longer than is worth it', async () => {
    const short = await setUp([status(429, { 'retry-after': '2' }), good]);
    await short.fetch();
    expect(short.delays).toEqual([2_000]);
    const long = await setUp([status(429, { 'retry-after': '3600' })]);
    await expectFailure(long.fetch(), 'RegistryRateLimited', / limits the rate of requests \(429\) for /);
    expect([long.delays, long.server.seen.length]).toEqual([[], 1]);
  });

  it('reads a date of Retry-After by its own clock', async () => {
    const clock = new TestClock();
    const date = (afterMs: number): string => new Date(clock.nowMs() + afterMs).toUTCString();
    const soon = await setUp([status(503, { 'retry-after': date(2_000) }), good], { clock });
    await soon.fetch();
    expect(soon.delays).toEqual([2_000]);
    const past = await setUp([status(503, { 'retry-after': date(-60_000) }), good], { clock });
    await past.fetch();
    expect(past.delays).toEqual([75]);
    const late = await setUp([status(503, { 'retry-after': date(3_600_000) })], { clock });
    await expectFailure(late.fetch(), 'RegistryUnavailable', / answered 503 for /);
    expect([late.delays, late.server.seen.length]).toEqual([[], 1]);
  });

  it.each(['', '-1', '1.5', 'soon', '99999999999', '2 s'])(
    'takes Retry-After: %j for none',
    async (header) => {
      const { delays, fetch } = await setUp([status(429, { 'retry-after': header }), good]);
      await fetch();
      expect(delays).toEqual([75]);
    },
  );

  it('half of a wait is random, and no wait is longer than the limit', async () => {
    const late = await setUp([status(503)], { random: () => 0.999_999 });
    await expectFailure(late.fetch(), 'RegistryUnavailable', / answered 503 for /);
    expect(late.delays.map(Math.round)).toEqual([150, 300]);
    const limits = { maxRetries: 6, maxRetryDelayMs: 1_000 };
    const many = await setUp([status(503)], { limits });
    await expectFailure(many.fetch(), 'RegistryUnavailable', / answered 503 for /);
    expect(many.delays).toEqual([75, 150, 300, 500, 500, 500]);
  });

  it('T28 the time of the work ends a wait, and what was answered last is the answer', async () => {
    const waiting = await setUp([status(503)], {
      limits: { operationTimeoutMs: 40 },
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    });
    await expectFailure(waiting.fetch(), 'RegistryUnavailable', / answered 503 for /);
    expect(waiting.server.seen).toHaveLength(1);
  });

  it('the requests for a token are tried again as well', async () => {
    let tokens = 0;
    const server: HostileServer = await hostileServer((request, response) => {
      if (request.url?.startsWith('/token') === true) {
        if (++tokens === 1) response.writeHead(503).end();
        else response.end('{"token":"t"}');
      } else if (request.headers.authorization === 'Bearer t') good(response);
      else {
        const challenge = `Bearer realm="${server.url}/token"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    const client = startClient(plainHttp(server.host));
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    await client.fetchManifest(subject, accessOf());
    expect(tokens).toBe(2);
  });

  it('T39 does not go on for callers that have left', async () => {
    const caller = new AbortController();
    const { server, access } = await setUp([status(503)]);
    const client = startClient({
      ...plainHttp(server.host),
      sleep: () => {
        caller.abort();
        return new Promise((resolve) => setImmediate(resolve));
      },
    });
    const subject = { registry: server.host, repository: 'a', digest: app.digest };
    const left = client.fetchManifest(subject, { ...access, signal: caller.signal });
    await expectFailure(left, 'DeadlineExceeded', /^The decision was not reached within the time/);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(access.trace.total).toBe(1);
    expect(server.seen).toHaveLength(1);
  });

  it('T28 a registry that says nothing, or drips, is a timeout', async () => {
    const drip: Answer = (response) => {
      response.writeHead(200, { 'content-type': ociManifest });
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => {
        clearInterval(timer);
      });
    };
    for (const answer of [drip, () => undefined]) {
      const { server, fetch } = await setUp([answer], { limits: { requestTimeoutMs: 500 } });
      await expectFailure(fetch(), 'RegistryTimeout', /: no answer in time\.$/);
      expect(server.seen).toHaveLength(1);
    }
  });

  it('T31 says what failed in its own words', async () => {
    const refused = startClient(plainHttp('127.0.0.1:1'));
    await expectFailure(
      refused.fetchManifest({ registry: '127.0.0.1:1', repository: 'a', digest: app.digest }, accessOf()),
      'RegistryUnavailable',
      `127.0.0.1:1/a: manifest ${app.digest}: the connection failed (ECONNREFUSED). Nobody listens there: check host and port.`,
    );
  });
});
