import { describe, expect, it, onTestFinished } from 'vitest';
import { BoundedFetch, publicHosts } from '../../src/network/bounded-fetch.ts';
import type { BoundedRequest, HostRules } from '../../src/network/bounded-fetch.ts';
import type { ResolveHost } from '../../src/network/host-lookups.ts';
import { expectFailure } from '../registry/registry-access.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';

const naming = (...hosts: string[]): HostRules => ({
  ...publicHosts,
  isNamed: (host) => hosts.includes(host),
});
const request: BoundedRequest = { method: 'GET', maxBytes: 100, timeoutMs: 5_000, what: 'The document' };

function open(hosts: HostRules, resolveHost?: ResolveHost): BoundedFetch {
  const network = new BoundedFetch(hosts, {}, resolveHost);
  onTestFinished(() => network.close());
  return network;
}

const local = (host: string): string =>
  `${host} is not asked: its address is local to the cluster or the machine, and it is not allowed by name.`;

describe('BoundedFetch', () => {
  it('sends a body to a host that is named, and no credentials', async () => {
    const server = await hostileServer((message, response) => {
      message.on('end', () => response.end('answer'));
    });
    const body = Buffer.from('question');
    const headers = { 'content-type': 'application/ocsp-request' };
    const answer = await open(naming(server.host)).fetch(`${server.url}/path?q=1`, {
      ...request,
      method: 'POST',
      headers,
      body,
    });
    expect(Buffer.from(answer.body).toString()).toBe('answer');
    expect(server.seen).toEqual([{ request: 'POST /path?q=1', authorization: undefined }]);
    expect(server.received()).toContain('question');
    expect(server.received()).toContain('application/ocsp-request');
  });

  it('T10 asks no host at a local address that is not named, by address or by name', async () => {
    const server = await hostileServer((_, response) => response.end());
    const resolveHost: ResolveHost = (_, done) => {
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const network = open(publicHosts, resolveHost);
    await expectFailure(network.fetch(server.url, request), 'RegistryRefused', local('127.0.0.1'));
    const byName = `http://responder.example:${server.port}/`;
    await expectFailure(network.fetch(byName, request), 'RegistryRefused', local('responder.example'));
    expect(server.seen).toEqual([]);
  });

  it.each([
    'http://127.0.0.1:PORT/',
    'http://169.254.169.254/latest',
    'http://[::ffff:a9fe:a9fe]/',
    'http://10.0.0.1/',
  ])('T10 follows no redirect to %s', async (location) => {
    const victim = await hostileServer((_, response) => response.end('secret'));
    const server = await hostileServer((_, response) => {
      response.writeHead(302, { location: location.replace('PORT', `${victim.port}`) }).end();
    });
    await expectFailure(
      open(naming(server.host)).fetch(server.url, request),
      'RegistryRefused',
      / is not asked: its address is local to the cluster or the machine, and it is not allowed by name\.$/,
    );
    expect(victim.seen).toEqual([]);
  });

  it('follows a redirect of a GET to a host that is named, and gives up on a circle', async () => {
    const target = await hostileServer((_, response) => response.end('there'));
    const server = await hostileServer((message, response) => {
      response
        .writeHead(301, { location: message.url === '/circle' ? '/circle' : `${target.url}/moved` })
        .end();
    });
    const network = open(naming(server.host, target.host));
    const { body } = await network.fetch(server.url, request);
    expect(Buffer.from(body).toString()).toBe('there');
    await expectFailure(
      network.fetch(`${server.url}/circle`, request),
      'RegistryRefused',
      'The document: more than 3 redirects.',
    );
    expect(server.seen).toHaveLength(5);
  });

  it('follows no redirect from https to http', async () => {
    const authority = await createTestAuthority();
    const server = await hostileServer(
      (_, response) => response.writeHead(302, { location: `http://${server.host}/` }).end(),
      { tls: await authority.serving() },
    );
    const network = open({ ...naming(server.host), connection: () => ({ ca: authority.ca }) });
    await expectFailure(
      network.fetch(server.url, request),
      'RegistryRefused',
      'The document: a redirect from https to http is not followed.',
    );
    expect(server.seen).toHaveLength(1);
  });

  it('hands a redirect of a POST back, unfollowed', async () => {
    const server = await hostileServer((_, response) =>
      response.writeHead(307, { location: '/other' }).end(),
    );
    const network = open(naming(server.host));
    expect((await network.fetch(server.url, { ...request, method: 'POST' })).status).toBe(307);
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    'ftp://public.example/',
    'file:///etc/passwd',
    'http://user:secret@public.example/',
    'http://user@public.example/',
    'no url',
  ])('does not ask %s', async (url) => {
    await expectFailure(
      open(publicHosts).fetch(url, request),
      'RegistryRefused',
      'The document: only http and https URLs without a user are asked.',
    );
  });

  it('T11 reads no more than it may, told or untold', async () => {
    for (const isTold of [true, false]) {
      const server = await hostileServer((_, response) => {
        if (isTold) response.setHeader('content-length', 101);
        response.end(Buffer.alloc(101));
      });
      await expectFailure(
        open(naming(server.host)).fetch(server.url, request),
        'ArtifactTooLarge',
        'The document: the answer is larger than 100 bytes.',
      );
    }
  });

  it('T11 unpacks nothing', async () => {
    const server = await hostileServer((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end('x');
    });
    await expectFailure(
      open(naming(server.host)).fetch(server.url, request),
      'RegistryProtocolError',
      'The document: the answer is compressed although that was not asked for.',
    );
  });

  it('T11 waits no longer than it may, over all redirects together', async () => {
    const server = await hostileServer(() => undefined);
    await expectFailure(
      open(naming(server.host)).fetch(server.url, { ...request, timeoutMs: 50 }),
      'RegistryTimeout',
      'The document: no answer in time.',
    );
  });

  it('ends when its caller does', async () => {
    const controller = new AbortController();
    const server = await hostileServer(() => {
      controller.abort();
    });
    await expectFailure(
      open(naming(server.host)).fetch(server.url, { ...request, signal: controller.signal }),
      'DeadlineExceeded',
      'The document: the time for asking ended.',
    );
  });
});
