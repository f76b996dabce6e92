import { describe, expect, it, onTestFinished } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { manifest } from '../demo/registry/documents.ts';
import { accessOf, plainHttp } from '../registry/registry-access.ts';
import { pushBundle, pushFallbackTag, repository } from './artifacts.ts';
import { app, both, collect, outline, start } from './start-source.ts';

describe('sha512', () => {
  it('T14 names an image for which there is no cosign tag: its name would be too long', async () => {
    const started = await start({ ask: ['CosignTag'] });
    const digest = computeDigest(app.bytes, 'sha512');
    expect(outline(await started.discover(both, accessOf(), digest))).toEqual(['complete']);
    expect(started.requests()).toEqual([]);
  });

  it('T14 names an artifact as well as sha256 does', async () => {
    const started = await start({ mechanisms: { references: false, referrers: false } });
    const bundle = pushBundle(started.registry, app);
    const digest = started.registry.store.putManifest(
      repository,
      bundle.bytes,
      bundle.mediaType,
      undefined,
      'sha512',
    );
    pushFallbackTag(started.registry, app, [{ ...bundle.descriptor, digest }]);
    expect(outline(await started.discover())).toEqual([`candidate FallbackTag ${digest}`, 'complete']);
  });

  it('T14 T15 shares its fallback tag with digests that begin alike, and the subject decides', async () => {
    const started = await start({ mechanisms: { references: false, referrers: false } });
    const digest = computeDigest(app.bytes, 'sha512');
    const alike = `${digest.slice(0, 7 + 64)}${'0'.repeat(64)}`;
    const [own, stranger] = [digest, alike].map((named) =>
      pushBundle(started.registry, app, named, { subject: { ...app.descriptor, digest: named } }),
    );
    if (own === undefined || stranger === undefined) throw new Error('nothing pushed');
    const tagged = { ...app, digest: digest.slice(0, 7 + 64) as typeof app.digest };
    pushFallbackTag(started.registry, tagged, [stranger.descriptor, own.descriptor]);
    const events = outline(await started.discover(both, accessOf(), digest));
    expect(events).toEqual([
      'unusable FallbackTag SubjectMissing',
      `candidate FallbackTag ${own.digest}`,
      'complete',
    ]);
  });
});

describe('a mirror with a prefix', () => {
  it('T40 is asked for the referrers of an image, page by page, and they are named as of the image', async () => {
    const started = await start({ referrersPageSize: 1 });
    const { host, store } = started.registry;
    const mirrored = 'hub/library/app';
    const artifacts = ['one', 'two', 'three'].map((name) => manifest(name, { subject: app.descriptor }));
    for (const { bytes, mediaType } of artifacts) store.putManifest(mirrored, bytes, mediaType);
    const { registries = [], ...options } = plainHttp(host);
    const client = createRegistryClient({
      ...options,
      registries: [...registries, { host: 'docker.io', mirror: host, prefix: 'hub' }],
    });
    const source = createArtifactSource(client);
    onTestFinished(() => source.close());
    const image = { registry: 'docker.io', repository: 'library/app', digest: app.digest };
    const events = await collect(source.referrers(image, both, accessOf()));
    expect(outline(events).toSorted()).toEqual(
      [...artifacts.map(({ digest }) => `candidate Referrers ${digest}`), 'complete'].toSorted(),
    );
    for (const event of events.slice(0, -1))
      expect(event).toMatchObject({ repository: { registry: 'docker.io', repository: 'library/app' } });
    const asked = started.registry.requests.map(({ path }) => path);
    expect(asked.filter((path) => path.includes('/referrers/'))).toHaveLength(3);
    expect(asked.filter((path) => !path.startsWith('/v2/hub/library/app/'))).toEqual([]);
  });
});
