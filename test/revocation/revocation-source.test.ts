import { describe, expect, it, onTestFinished } from 'vitest';
import { publicHosts } from '../../src/network/bounded-fetch.ts';
import { createRevocationSource } from '../../src/revocation/revocation-source.ts';
import type {
  KeptRevocationSource,
  RevocationSourceOptions,
} from '../../src/revocation/revocation-source.ts';
import { checkRevocation } from '../../src/verification/revocation/check-revocation.ts';
import type { RevocationResult } from '../../src/verification/revocation/check-revocation.ts';
import { expectFailure } from '../registry/registry-access.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { makeAnswer, makeList } from '../support/make-revocation.ts';
import type { AnswerOptions } from '../support/make-revocation.ts';
import { certify, listsAt, ocspAt, ofAuthority, pkiNowMs } from '../support/test-pki.ts';
import type { TestHolder } from '../support/test-pki.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const root = certify('root', { extensions: ofAuthority });

interface World {
  readonly server: HostileServer;
  readonly source: KeptRevocationSource;
  readonly clock: { now: number };
  /** Of the responder; undefined: it is broken. */
  answer: AnswerOptions | undefined;
  readonly leaf: TestHolder;
  readonly check: () => Promise<RevocationResult>;
}

/** A responder at /ocsp and a list at /crl of one host, which is named. */
async function world(
  options: Partial<RevocationSourceOptions> = {},
  services: (url: string) => Uint8Array[] = (url) => [ocspAt(`${url}/ocsp`)],
): Promise<World> {
  const server = await hostileServer((request, response) => {
    request.on('end', () => {
      if (made.answer === undefined) response.writeHead(500).end('no secrets');
      else if (request.url === '/crl') response.end(makeList(root));
      else response.end(makeAnswer(leaf, root, made.answer));
    });
    request.resume();
  });
  const clock = { now: pkiNowMs };
  const leaf = certify('leaf', { by: root, extensions: services(server.url) });
  const source = createRevocationSource({
    hosts: { ...publicHosts, isNamed: (host) => host === server.host },
    clock: { nowMs: () => clock.now },
    ...options,
  });
  onTestFinished(() => source.close());
  const made: World = {
    server,
    source,
    clock,
    answer: { nextUpdateMs: pkiNowMs + 10 * hourMs },
    leaf,
    check: () => checkRevocation([leaf.der, root.der], { source, nowMs: clock.now }),
  };
  return made;
}

describe('createRevocationSource', () => {
  it('asks a responder by POST, and keeps what was confirmed for an hour', async () => {
    const { check, server, clock, source } = await world();
    expect((await check()).status).toBe('good');
    clock.now += 59 * minuteMs;
    expect((await check()).status).toBe('good');
    expect(server.seen.map(({ request }) => request)).toEqual(['POST /ocsp']);
    expect(server.received()).toContain('application/ocsp-request');
    clock.now += 2 * minuteMs;
    expect((await check()).status).toBe('good');
    expect(server.seen).toHaveLength(2);
    expect(source.caches().map(({ name, entries }) => [name, entries])).toEqual([
      ['ocspAnswers', 1],
      ['revocationLists', 0],
    ]);
  });

  it('T34 asks again once an answer has ended, and notices that the certificate was revoked', async () => {
    const made = await world();
    made.answer = { nextUpdateMs: pkiNowMs + minuteMs };
    expect((await made.check()).status).toBe('good');
    made.clock.now += 2 * minuteMs;
    made.answer = { status: { reason: 1 }, nextUpdateMs: pkiNowMs + hourMs };
    expect((await made.check()).status).toBe('revoked');
  });

  it('keeps an answer that still counts where asking again fails, and no longer', async () => {
    const made = await world();
    expect((await made.check()).status).toBe('good');
    made.answer = undefined;
    made.clock.now += 2 * hourMs;
    expect((await made.check()).status).toBe('good');
    expect((await made.check()).status).toBe('good');
    expect(made.server.seen).toHaveLength(2);
    made.clock.now = pkiNowMs + 10 * hourMs + minuteMs;
    expect(await made.check()).toEqual({
      status: 'unknown',
      message: `Whether CN=leaf is revoked is unknown. OCSP responder ${made.server.host}: the answer is HTTP 500.`,
    });
  });

  it('does not ask again for half a minute what failed, and then does', async () => {
    const made = await world();
    made.answer = undefined;
    const failed = await made.check();
    expect(failed.message).toContain('the answer is HTTP 500.');
    made.answer = {};
    expect(await made.check()).toEqual(failed);
    expect(made.server.seen).toHaveLength(1);
    made.clock.now += minuteMs / 2;
    expect((await made.check()).status).toBe('good');
  });

  it('T27 keeps an answer that does not verify no longer than that, whatever it says of itself', async () => {
    const made = await world();
    made.answer = { isForged: true, nextUpdateMs: pkiNowMs + 10 * hourMs };
    expect((await made.check()).message).toContain('The signature of the answer does not verify.');
    made.answer = {};
    made.clock.now += minuteMs / 2;
    expect((await made.check()).status).toBe('good');
  });

  it('T27 keeps the answers of a responder apart by question', async () => {
    const made = await world();
    const other = certify('other', { by: root, extensions: [ocspAt(`${made.server.url}/ocsp`)] });
    expect((await made.check()).status).toBe('good');
    const result = await checkRevocation([other.der, root.der], { source: made.source, nowMs: pkiNowMs });
    expect(result.message).toContain('The answer is about another certificate.');
    expect(made.server.seen).toHaveLength(2);
  });

  it('confirms nothing that it does not have, or has as a failure', async () => {
    const made = await world();
    const url = `${made.server.url}/crl`;
    made.source.confirm({ url }, pkiNowMs + hourMs);
    made.answer = undefined;
    await expectFailure(made.source.crl(url), 'RevocationUnknown', /HTTP 500\.$/);
    made.source.confirm({ url }, pkiNowMs + hourMs);
    made.answer = {};
    made.clock.now += minuteMs / 2;
    expect((await made.source.crl(url)).length).toBeGreaterThan(100);
  });

  it('asks once for all who want the same at the same time', async () => {
    const { check, server } = await world({}, (url) => [listsAt(`${url}/crl`)]);
    const results = await Promise.all([check(), check(), check()]);
    expect(results.map(({ status }) => status)).toEqual(['good', 'good', 'good']);
    expect(server.seen.map(({ request }) => request)).toEqual(['GET /crl']);
  });

  it("a caller's end ends its own wait only", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
    const { promise: freed, resolve: free } = Promise.withResolvers<undefined>();
    const server = await hostileServer((_, response) => {
      arrive(undefined);
      void freed.then(() => response.end(makeList(root)));
    });
    const { source } = await world({ hosts: { ...publicHosts, isNamed: (host) => host === server.host } });
    const controller = new AbortController();
    const impatient = source.crl(server.url, controller.signal);
    const patient = source.crl(server.url);
    await arrived;
    controller.abort();
    await expectFailure(impatient, 'DeadlineExceeded', /./);
    free(undefined);
    expect((await patient).length).toBeGreaterThan(100);
    expect(server.seen).toHaveLength(1);
  });

  it('T10 does not ask services at local addresses that the operator did not name', async () => {
    const { check, server } = await world({ hosts: publicHosts });
    expect((await check()).message).toBe(
      'Whether CN=leaf is revoked is unknown. 127.0.0.1 is not asked: its address is local to the cluster or the machine, and it is not allowed by name.',
    );
    expect(server.seen).toEqual([]);
  });

  it('T10 follows no redirect of a list to the metadata service', async () => {
    const server = await hostileServer((_, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    });
    const { source } = await world({ hosts: { ...publicHosts, isNamed: (host) => host === server.host } });
    await expectFailure(source.crl(server.url), 'RegistryRefused', /^169\.254\.169\.254 is not asked/);
  });

  it('T11 reads no endless answer', async () => {
    const server = await hostileServer((_, response) => {
      response.end(Buffer.alloc(64 * 1024 + 1));
    });
    const { source } = await world({ hosts: { ...publicHosts, isNamed: (host) => host === server.host } });
    await expectFailure(
      source.ocsp(server.url, Buffer.from('request')),
      'ArtifactTooLarge',
      `OCSP responder ${server.host}: the answer is larger than 65536 bytes.`,
    );
  });

  it('T11 waits for no slow one', async () => {
    const server = await hostileServer((_, response) => {
      response.write('begun');
    });
    const { source } = await world({
      hosts: { ...publicHosts, isNamed: (host) => host === server.host },
      timeoutsMs: { ocsp: 50, crl: 60 },
    });
    await expectFailure(
      source.ocsp(server.url, Buffer.from('request')),
      'RegistryTimeout',
      `OCSP responder ${server.host}: no answer in time.`,
    );
    await expectFailure(
      source.crl(server.url),
      'RegistryTimeout',
      `List of revoked certificates of ${server.host}: no answer in time.`,
    );
  });

  it('T28 refuses further lists while eight are on their way', async () => {
    const { promise: all, resolve: seenAll } = Promise.withResolvers<undefined>();
    const server = await hostileServer(() => {
      if (server.seen.length === 4) seenAll(undefined);
    });
    const { source } = await world({ hosts: { ...publicHosts, isNamed: (host) => host === server.host } });
    const waiting = Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => source.crl(`${server.url}/${index}`)),
    );
    await all; // four at a time to one host
    await expectFailure(
      source.crl(`${server.url}/9`),
      'Overloaded',
      'Too many revocation services are being asked.',
    );
    await source.close();
    await waiting;
  });
});
