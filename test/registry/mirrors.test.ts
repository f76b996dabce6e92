import { describe, expect, it, onTestFinished } from 'vitest';
import type { Credentials } from '../../src/admission/ports.ts';
import type { AuthOptions } from '../../src/demo/registry/auth.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { accessOf, account, expectFailure } from './registry-access.ts';
import { app, startClient } from './start-client.ts';

const hub = { registry: 'docker.io', repository: 'library/app' };

/** A pull-through cache that keeps Docker Hub under `hub/`. */
async function startCache(auth?: AuthOptions): Promise<EmbeddedRegistry> {
  const registry = await startRegistry({
    mechanisms: { references: false, referrers: true },
    referrersPageSize: 1,
    ...(auth === undefined ? {} : { auth }),
  });
  onTestFinished(() => registry.close());
  registry.store.putManifest('hub/library/app', app.bytes, app.mediaType, '1.0');
  return registry;
}

const mirrored = (mirror: string) => [
  { host: 'docker.io', mirror, prefix: 'hub' },
  { host: mirror, plainHttp: true },
];

/** Notes what it is asked for. */
function listening(scopes: Record<string, string> = {}): Credentials & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    scope: (registry) => scopes[registry] ?? registry,
    account: (registry, repository) => {
      asked.push(`${registry}/${repository}`);
      return Promise.resolve({ username: 'reader', password: `sesame-${registry}` });
    },
  };
}

describe('a mirror', () => {
  it('is asked for everything instead, under the prefix, and the image keeps its name', async () => {
    const cache = await startCache();
    const source = createArtifactSource(createRegistryClient({ registries: mirrored(cache.host) }));
    onTestFinished(() => source.close());
    const resolved = await source.resolve({ ...hub, tag: '1.0' }, accessOf());
    expect(resolved.digest).toBe(app.digest);
    const subject = { ...hub, digest: app.digest };
    const wanted = { signatures: true, attestations: true, sboms: false };
    for await (const [event] of source.referrers(subject, wanted, accessOf())) {
      expect(event).toMatchObject({ kind: 'end', complete: true });
    }
    const paths = cache.requests.map(({ path }) => path);
    expect(paths).toContain(`/v2/hub/library/app/referrers/${app.digest}`);
    expect(paths.every((path) => path.startsWith('/v2/hub/library/app/'))).toBe(true);
    await expectFailure(
      source.resolve({ ...hub, tag: 'none' }, accessOf()),
      'ImageNotFound',
      'docker.io/library/app has no tag "none".',
    );
  });

  it('T09 is given its own credentials, for the repository as it has it, and never those of the original', async () => {
    const cache = await startCache({ kind: 'bearer', account: { username: 'reader', password: 'none' } });
    const credentials = listening();
    const client = startClient({ registries: mirrored(cache.host) });
    await expectFailure(
      client.fetchManifest({ ...hub, digest: app.digest }, accessOf({ credentials })),
      'RegistryUnauthorized',
      new RegExp(`^${cache.host} refused access to the token of ${cache.host}/hub/library/app from`),
    );
    expect(credentials.asked).toEqual([`${cache.host}/hub/library/app`]);
    expect(cache.requests.map(({ path }) => decodeURIComponent(path)).at(-1)).toBe(
      `/token?service=${cache.host}&scope=repository:hub/library/app:pull`,
    );
  });

  it('T27 what it gave for one set of credentials is not served to another', async () => {
    const cache = await startCache();
    const client = startClient({ registries: mirrored(cache.host) });
    const subject = { ...hub, digest: app.digest };
    // Alike at Docker Hub, which is not asked; different at the mirror.
    for (const scope of ['one', 'two']) {
      const credentials = listening({ 'docker.io': 'same', [cache.host]: scope });
      await client.fetchManifest(subject, accessOf({ credentials }));
    }
    expect(cache.requests).toHaveLength(2);
  });

  it('T09 follows no Link out of the repository, whatever the repository is called at the original', async () => {
    for (const next of ['/v2/library/app/referrers/x', '/v2/hub/library/appevil/referrers/x', '/v2/hub/x']) {
      const server = await hostileServer((_, response) => {
        const headers = {
          'content-type': 'application/vnd.oci.image.index.v1+json',
          link: `<${next}>; rel="next"`,
        };
        response.writeHead(200, headers).end('{"schemaVersion":2,"manifests":[]}');
      });
      const client = startClient({ registries: mirrored(server.host) });
      const subject = { ...hub, digest: app.digest };
      const answer = await client.list('referrers', subject, accessOf());
      expect(answer).toMatchObject({ kind: 'listing', faults: [{ code: 'RegistryRefused' }] });
      expect(server.seen).toHaveLength(1);
    }
  });

  it('T10 is allowed by name, without an entry of its own', async () => {
    // Not over TLS, so that it fails; but it was connected to, at a loopback address.
    const server = await hostileServer(() => undefined);
    const client = startClient({ registries: [{ host: 'registry.example', mirror: server.host }] });
    await expectFailure(
      client.fetchManifest({ registry: 'registry.example', repository: 'a', digest: app.digest }, accessOf()),
      'RegistryUnavailable',
      /^registry\.example\/a: manifest .*: the connection failed \(.*SSL.*\)\. It does not answer in TLS: .*$/,
    );
  });

  it('a prefix without a mirror is put before repositories of the host itself', async () => {
    const cache = await startCache();
    const client = startClient({ registries: [{ host: cache.host, plainHttp: true, prefix: 'hub' }] });
    const subject = { registry: cache.host, repository: 'library/app', digest: app.digest };
    await client.fetchManifest(subject, accessOf({ credentials: account('reader') }));
    expect(cache.requests.map(({ path }) => path)).toEqual([`/v2/hub/library/app/manifests/${app.digest}`]);
  });
});
