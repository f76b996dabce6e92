import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../src/admission/ports.ts';
import { loadDockerConfig } from '../../src/registry/docker-config.ts';
import type { ContentStore } from '../../src/admission/content-store.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { accessOf, expectFailure, plainHttp } from './registry-access.ts';
import { app, json, startClient } from './start-client.ts';
import { access, basic, challenge, elsewhere, fetchApp, fetchLayer, layer, serveLayer } from './two-hosts.ts';
import type { Answer } from './two-hosts.ts';

// The registry, and whoever it leads to: each test asserts what the second one got.

const [basicChallenge, token] = ['Basic realm="x"', 'registry-token'];

/** A registry that wants the password, or a token for it, before it answers. */
function guarded(kind: 'basic' | 'bearer', answer: Answer): Promise<HostileServer> {
  return hostileServer((request, response) => {
    const { authorization, host = '' } = request.headers;
    if (request.url?.startsWith('/token') === true && authorization === basic) {
      response.end(JSON.stringify({ token }));
    } else if (authorization === (kind === 'basic' ? basic : `Bearer ${token}`)) answer(request, response);
    else challenge(response, kind === 'basic' ? basicChallenge : `Bearer realm="http://${host}/token"`);
  });
}

const listReferrers = (client: ContentStore, registry: string): Promise<unknown> => {
  const subject = { registry, repository: 'shop/app', digest: app.digest };
  return client.list('referrers', subject, access);
};

function expectNoSecret(server: HostileServer): void {
  expect(server.received()).not.toMatch(
    new RegExp(`authorization|cookie|sesame|${token}|${basic.slice(6)}`, 'i'),
  );
}

describe.each(['basic', 'bearer'] as const)('T09 the credentials of a registry (%s)', (kind) => {
  it.each([301, 302, 303, 307, 308])('do not go along with a blob that is elsewhere (%i)', async (status) => {
    const otherPort = await hostileServer(serveLayer);
    for (const other of [await elsewhere(serveLayer), otherPort]) {
      const home = await guarded(kind, (_, response) =>
        response.writeHead(status, { location: `${other.url}/layer?sig=x` }).end(),
      );
      await fetchLayer(startClient(plainHttp(home.host)), home.host);
      expect(other.seen).toEqual([{ request: 'GET /layer?sig=x', authorization: undefined }]);
      expectNoSecret(other);
    }
  });

  it('are not given again to the registry when it is come back to', async () => {
    const home = await hostileServer((request, response) => {
      if (request.url === '/back') response.end(layer);
      else if (request.url?.startsWith('/token') === true) response.end(JSON.stringify({ token }));
      else if (request.headers.authorization === undefined) {
        challenge(response, kind === 'basic' ? basicChallenge : `Bearer realm="${home.url}/token"`);
      } else response.writeHead(307, { location: `${other.url}/away` }).end();
    });
    const other: HostileServer = await elsewhere((_, response) =>
      response.writeHead(307, { location: `${home.url}/back` }).end(),
    );
    await fetchLayer(startClient(plainHttp(home.host)), home.host);
    expect(home.seen.at(-1)).toEqual({ request: 'GET /back', authorization: undefined });
    expect(other.seen).toHaveLength(1);
    expectNoSecret(other);
  });

  it('are not asked for by a host that it redirects to', async () => {
    for (const header of [basicChallenge, 'Bearer realm="REALM/token",service="s"']) {
      const other: HostileServer = await elsewhere((_, response) => {
        challenge(response, header.replace('REALM', other.url));
      });
      const home = await guarded(kind, (_, response) =>
        response.writeHead(307, { location: `${other.url}/layer` }).end(),
      );
      const client = startClient(plainHttp(home.host));
      for (const repository of ['shop/app', 'shop/other'])
        await expectFailure(fetchLayer(client, home.host, repository), 'RegistryUnauthorized', /\(401\)/);
      expect(other.seen.map(({ request }) => request)).toEqual(['GET /layer', 'GET /layer']);
      expectNoSecret(other);
      // Nor does what it said count for the registry afterwards.
      expect(home.seen.at(-1)?.authorization).toBe(kind === 'basic' ? basic : `Bearer ${token}`);
    }
  });

  it('nor any request at all: a manifest stays where it is', async () => {
    const other = await elsewhere((_, response) => response.writeHead(200, json).end(app.bytes));
    const home = await guarded(kind, (request, response) =>
      response.writeHead(307, { location: `${other.url}${request.url ?? ''}` }).end(),
    );
    const client = startClient(plainHttp(home.host));
    await expectFailure(
      fetchApp(client, home.host),
      'RegistryRefused',
      /redirect to another host is not followed/,
    );
    const tagged = { registry: home.host, repository: 'shop/app', tag: '1.0' };
    await expectFailure(client.resolveTag(tagged, access), 'RegistryRefused', /is not followed\.$/);
    await expectFailure(client.fetchTagged(tagged, access), 'RegistryRefused', /is not followed\.$/);
    expect(other.seen).toEqual([]);
  });

  it('nor any request at all: a Link stays within the repository', async () => {
    const other = await elsewhere((_, response) => response.end('{"schemaVersion":2,"manifests":[]}'));
    const nexts = (home: HostileServer): string[] => [
      `${other.url}/v2/shop/app/referrers/x`,
      `//${other.host}/v2/shop/app/referrers/x`,
      `\\\\${other.host}/v2/shop/app/referrers/x`,
      `http://${home.host}@${other.host}/v2/shop/app/referrers/x`,
      `http://user@${home.host}/v2/shop/app/referrers/x`,
      `https://${home.host}/v2/shop/app/referrers/x`,
      '/v2/shop/appevil/referrers/x',
      '/v2/shop/app/../../other/referrers/x',
      '/v2/shop/app/%2e%2e/other/referrers/x',
      '/token?scope=x',
    ];
    const home: HostileServer = await guarded(kind, (_, response) => {
      const link = `<${next}>; rel="next"`;
      response.writeHead(200, { 'content-type': 'application/json', link });
      response.end('{"schemaVersion":2,"manifests":[]}');
    });
    let next = '';
    for (next of nexts(home)) {
      const before = home.seen.length;
      const answer = await listReferrers(startClient(plainHttp(home.host)), home.host);
      expect(answer, next).toMatchObject({ kind: 'listing', faults: [{ code: 'RegistryRefused' }] });
      expect(home.seen.slice(before).filter(({ request }) => request.includes('/x'))).toEqual([]);
    }
    expect(other.seen).toEqual([]);
  });
});

describe('T09 a token service', () => {
  it('may be elsewhere: it gets the account of the registry that named it, and the token goes to that one only', async () => {
    const service = await elsewhere((_, response) => response.end(JSON.stringify({ token })));
    const home = await hostileServer((request, response) => {
      if (request.headers.authorization === `Bearer ${token}`) response.writeHead(200, json).end(app.bytes);
      else challenge(response, `Bearer realm="${service.url}/token",service="s"`);
    });
    const asked: string[] = [];
    const credentials: Credentials = {
      scope: (registry) => registry,
      account: (registry, repository) => {
        asked.push(`${registry}/${repository}`);
        return Promise.resolve({ username: 'reader', password: 'sesame' });
      },
    };
    // The service is a registry of its own as well, with credentials that are not for this.
    const client = startClient({
      registries: [home, service].map(({ host }) => ({ host, plainHttp: true })),
    });
    const subject = { registry: home.host, repository: 'shop/app', digest: app.digest };
    await client.fetchManifest(subject, accessOf({ credentials }));
    expect(asked).toEqual([`${home.host}/shop/app`]);
    const scope = 'repository%3Ashop%2Fapp%3Apull';
    expect(service.seen).toEqual([{ request: `GET /token?service=s&scope=${scope}`, authorization: basic }]);
    expect(service.received()).not.toContain(token);
    expect(home.received()).not.toContain(basic.slice(6));
  });

  it('over http is not asked by a registry of https, nor is a blob fetched so', async () => {
    const authority = await createTestAuthority();
    const other = await elsewhere(serveLayer);
    const tls = await authority.serving();
    const leads = ['challenge', 'redirect'] as const;
    for (const lead of leads) {
      const home = await hostileServer(
        (_, response) => {
          if (lead === 'challenge') challenge(response, `Bearer realm="${other.url}/token"`);
          else response.writeHead(307, { location: `${other.url}/layer` }).end();
        },
        { tls },
      );
      const client = startClient({
        registries: [
          { host: home.host, ca: authority.ca },
          { host: other.host, plainHttp: true },
        ],
      });
      await expectFailure(
        fetchLayer(client, home.host),
        'RegistryRefused',
        /"127\.0\.0\.2:[0-9]+".*: it must be an https URL without a user\.$/,
      );
    }
    expect(other.seen).toEqual([]);
  });

  it('with a user in its URL is not asked, nor is such a redirect followed', async () => {
    const other = await elsewhere(serveLayer);
    for (const user of ['user@', 'user:pw@', ':pw@']) {
      const url = other.url.replace('http://', `http://${user}`);
      const answers: Answer[] = [
        (_, response) => {
          challenge(response, `Bearer realm="${url}/token"`);
        },
        (_, response) => response.writeHead(307, { location: `${url}/layer` }).end(),
      ];
      for (const answer of answers) {
        const home = await hostileServer(answer);
        await expectFailure(
          fetchLayer(startClient(plainHttp(home.host)), home.host),
          'RegistryRefused',
          /it must be an https URL without a user\.$/,
        );
      }
    }
    expect(other.seen).toEqual([]);
  });
});

describe('T09 credentials of a Docker configuration', () => {
  async function load(auths: Record<string, unknown>): Promise<Credentials> {
    const directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const path = join(directory, 'config.json');
    await writeFile(path, JSON.stringify({ auths }));
    return await loadDockerConfig(path);
  }

  it.each(['basic', 'bearer'] as const)('for one path are not sent for a sibling (%s)', async (kind) => {
    const home = await guarded(kind, (_, response) => response.writeHead(200, json).end(app.bytes));
    const credentials = await load({ [`${home.host}/acme`]: { username: 'reader', password: 'sesame' } });
    const client = startClient(plainHttp(home.host));
    const fetch = (repository: string): Promise<unknown> =>
      client.fetchManifest(
        { registry: home.host, repository, digest: app.digest },
        accessOf({ credentials }),
      );
    // By now the registry's challenge is remembered, and a token is at hand.
    await fetch('acme/app');
    const before = home.seen.length;
    for (const repository of ['acmeevil/app', 'acme-2', 'other/acme']) {
      await expectFailure(fetch(repository), 'RegistryUnauthorized', /\(401\), asked without credentials\.$/);
    }
    expect(home.seen.slice(before).map(({ authorization }) => authorization)).toEqual(
      home.seen.slice(before).map(() => undefined),
    );
  });

  it('T40 of the original are not sent to its mirror, whose own are; and the original is not asked', async () => {
    const original = await elsewhere((_, response) => response.end());
    const mirror = await hostileServer((request, response) => {
      if (request.headers.authorization === undefined) challenge(response, basicChallenge);
      else response.writeHead(200, json).end(app.bytes);
    });
    const registries = [
      { host: original.host, mirror: mirror.host },
      { host: mirror.host, plainHttp: true },
    ];
    const subject = { registry: original.host, repository: 'shop/app', digest: app.digest };
    const secret = { username: 'reader', password: 'sesame' };
    const fetch = async (auths: Record<string, unknown>): Promise<unknown> =>
      await startClient({ registries }).fetchManifest(subject, accessOf({ credentials: await load(auths) }));
    await expectFailure(
      fetch({ [original.host]: secret, 'https://index.docker.io/v1/': secret }),
      'RegistryUnauthorized',
      new RegExp(
        `^${mirror.host} refused access to ${original.host}/shop/app: .* asked without credentials\\.$`,
      ),
    );
    expectNoSecret(mirror);
    await fetch({ [original.host]: secret, [mirror.host]: { username: 'mirror', password: 'm' } });
    expect(mirror.seen.at(-1)?.authorization).toBe(`Basic ${Buffer.from('mirror:m').toString('base64')}`);
    expect(mirror.received()).not.toContain(basic);
    expect(original.seen).toEqual([]);
  });
});
