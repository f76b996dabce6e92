import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ContentStore } from '../../src/admission/content-store.ts';
import type { RegistrySettings } from '../../src/registry/registry-settings.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { hostileServer } from '../support/hostile-server.ts';
import type { HostileServer } from '../support/hostile-server.ts';
import { accessOf, account, expectFailure } from './registry-access.ts';
import { app, blobOf, json, startClient } from './start-client.ts';

const authority = await createTestAuthority('Registry CA');
const layer = Buffer.from('layer');

/** The common name of the certificate that a client showed. */
function clientName(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return 'no TLS';
  const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } };
  return subject?.CN ?? 'none';
}

/** Over TLS by the authority; notes the subject of the client's certificate for each request. */
async function mutual(
  answer: (url: string, response: { redirect(to: string): void; challenge(realm: string): void }) => boolean,
  host?: string,
): Promise<HostileServer & { readonly clients: string[] }> {
  const clients: string[] = [];
  const tls = {
    ...(await authority.serving()),
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = await hostileServer(
    (request, response) => {
      clients.push(clientName(request.socket));
      const answered = answer(request.url ?? '', {
        redirect: (location) => response.writeHead(307, { location }).end(),
        challenge: (realm) =>
          response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end(),
      });
      if (answered) return;
      if (request.url?.includes('/manifests/') === true) response.writeHead(200, json).end(app.bytes);
      else response.end(layer);
    },
    { tls, ...(host === undefined ? {} : { host }) },
  );
  return { ...server, clients };
}

const start = (...registries: RegistrySettings[]): ContentStore =>
  startClient({ registries, sleep: () => Promise.resolve() });
const subject = (registry: string) => ({ registry, repository: 'shop/app', digest: app.digest });

describe('TLS material of a host', () => {
  it('caFile: only the authority that is named is trusted, and for this host only', async () => {
    const server = await mutual(() => false);
    const host = server.host;
    const other = await createTestAuthority('Other CA');
    await start({ host, ca: authority.ca }).fetchManifest(subject(host), accessOf());
    for (const settings of [{ host }, { host, ca: other.ca }]) {
      await expectFailure(
        start(settings, { host: '127.0.0.1:1', ca: authority.ca }).fetchManifest(subject(host), accessOf()),
        'RegistryUnavailable',
        /the connection failed \([A-Z_]+\)\. No trusted authority vouches for its certificate: name its own as caFile/,
      );
    }
    expect(server.seen).toHaveLength(1);
  });

  it('clientCertificate: is shown to this host, over connections that no other settings share', async () => {
    const server = await mutual(() => false);
    const host = server.host;
    const clientCertificate = await authority.client();
    await start({ host, ca: authority.ca, clientCertificate }).fetchManifest(subject(host), accessOf());
    await start({ host, ca: authority.ca }).fetchManifest(subject(host), accessOf());
    expect(server.clients).toEqual(['kube-apiserver', 'none']);
  });

  it('T09 neither goes along to a host that the registry redirects to', async () => {
    const storage = await mutual(() => false);
    const server = await mutual((_, response) => {
      response.redirect(`${storage.url}/layer`);
      return true;
    });
    const clientCertificate = await authority.client();
    const home = { host: server.host, ca: authority.ca, clientCertificate };
    const fetch = (client: ContentStore): Promise<unknown> =>
      client.fetchBlob({ registry: server.host, repository: 'a' }, blobOf(layer), accessOf());
    // The authority is trusted for the registry, not for the storage.
    await expectFailure(fetch(start(home)), 'RegistryUnavailable', /No trusted authority vouches/);
    expect(storage.seen).toEqual([]);
    await fetch(start(home, { host: storage.host, ca: authority.ca }));
    expect([server.clients, storage.clients]).toEqual([['kube-apiserver', 'kube-apiserver'], ['none']]);
  });

  it('T09 a registry cannot spend the certificate that is meant for another host, by redirect or as its token service', async () => {
    const victim = await mutual(() => false);
    for (const leads of ['redirect', 'challenge'] as const) {
      const server = await mutual((_, response) => {
        response[leads](`${victim.url}/token`);
        return true;
      });
      const client = start(
        { host: server.host, ca: authority.ca },
        { host: victim.host, ca: authority.ca, clientCertificate: await authority.client() },
      );
      const access = accessOf({ credentials: account('reader') });
      await client
        .fetchBlob({ registry: server.host, repository: 'a' }, blobOf(layer), access)
        .catch(() => undefined);
    }
    expect(victim.clients).toEqual(['none', 'none']);
  });
});
