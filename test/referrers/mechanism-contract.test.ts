import { describe, expect, it } from 'vitest';
import type { Mechanism } from '../../src/policy/evidence.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { ociManifest } from '../../src/oci/media-types.ts';
import { manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, pushFallbackTag, repository } from './artifacts.ts';
import { app, both, endOf, outline, start } from './start-source.ts';
import type { Started } from './start-source.ts';

const other = manifest('other');

interface MechanismCase {
  readonly mechanism: Mechanism;
  readonly ask: readonly Mechanism[];
  readonly serves: { readonly references: boolean; readonly referrers: boolean };
  readonly push: (started: Started, name: string, subject?: TestDocument) => TestDocument;
}

/** Every mechanism that lists: they pass the same suite. */
const cases: MechanismCase[] = [
  {
    mechanism: 'References',
    ask: ['References'],
    serves: { references: true, referrers: false },
    push: ({ registry }, name, subject = app) =>
      pushBundle(registry, app, name, { subject: undefined, reference: subject.descriptor }),
  },
  {
    mechanism: 'Referrers',
    ask: ['Referrers'],
    serves: { references: false, referrers: true },
    push: ({ registry }, name, subject = app) => pushBundle(registry, subject, name),
  },
  {
    mechanism: 'FallbackTag',
    ask: ['Referrers', 'FallbackTag'],
    serves: { references: false, referrers: false },
    push: ({ registry }, name, subject = app) => {
      const document = pushBundle(registry, subject, name);
      const tag = registry.store.resolveTag(repository, fallbackTag(app.digest));
      const before = tag === undefined ? undefined : registry.store.manifest(repository, tag);
      const listed =
        before === undefined
          ? []
          : (JSON.parse(Buffer.from(before.bytes).toString()) as { manifests: object[] }).manifests;
      pushFallbackTag(registry, app, [...listed, document.descriptor]);
      return document;
    },
  },
];

describe.each(cases)('$mechanism', ({ mechanism, ask, serves, push }) => {
  const begin = (): Promise<Started> => start({ ask, mechanisms: serves });

  it('finds what refers to the image, and reads its layers', async () => {
    const started = await begin();
    const bundle = push(started, 'bundle');
    const events = await started.discover();
    expect(outline(events)).toEqual([`candidate ${mechanism} ${bundle.digest}`, 'complete']);
    const [found] = events;
    if (found?.kind !== 'candidate') throw new Error('no candidate');
    const [layer] = found.manifest.layers;
    if (layer === undefined) throw new Error('no layer');
    const bytes = await found.fetchLayer(layer, accessOf());
    expect(Buffer.from(bytes).toString()).toBe('payload of bundle');
    expect(endOf(events).listingAgeMs).toBe(0);
  });

  it('finds nothing where there is nothing', async () => {
    const { discover } = await begin();
    expect(outline(await discover())).toEqual(['complete']);
  });

  it('T29 a deleted, altered or malformed artifact beside a good one spoils nothing', async () => {
    const started = await begin();
    const { registry } = started;
    const [gone, altered, malformed, good] = ['gone', 'altered', 'malformed', 'good'].map((name) =>
      push(started, name),
    );
    registry.intercept((request, response) => {
      const digest = /manifests\/(sha256:[0-9a-f]+)$/.exec(request.url ?? '')?.[1];
      if (digest === gone?.digest) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      else if (digest === altered?.digest)
        response.writeHead(200, { 'content-type': ociManifest }).end(good?.bytes);
      else if (digest === malformed?.digest)
        response
          .writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' })
          .end(malformed?.bytes);
      else return false;
      return true;
    });
    const events = outline(await started.discover());
    expect(events.toSorted()).toEqual(
      [
        `candidate ${mechanism} ${good?.digest ?? ''}`,
        'complete',
        `unusable ${mechanism} ArtifactMissing`,
        `unusable ${mechanism} DigestMismatch`,
        `unusable ${mechanism} ManifestAmbiguous`,
      ].toSorted(),
    );
  });

  it('T29 an artifact that cannot be fetched leaves it open whether it was the good one', async () => {
    const started = await begin();
    const [bad, good] = [push(started, 'bad'), push(started, 'good')];
    started.registry.intercept((request, response) => {
      if (request.url?.endsWith(bad.digest) !== true) return false;
      response.writeHead(500).end();
      return true;
    });
    const events = await started.discover();
    expect(outline(events).toSorted()).toEqual(
      [
        `candidate ${mechanism} ${good.digest}`,
        'incomplete RegistryUnavailable',
        `unusable ${mechanism} RegistryUnavailable`,
      ].toSorted(),
    );
  });

  it('T28 is not asked again within the life of its answer, and is when a fresh one is wanted', async () => {
    const started = await begin();
    push(started, 'one');
    await started.discover();
    started.requests();
    started.clock.advance(30_000);
    const cached = await started.discover();
    expect([started.requests(), endOf(cached).listingAgeMs]).toEqual([[], 30_000]);

    const two = push(started, 'two');
    const fresh = await started.discover(both, accessOf({ maxListingAgeMs: 10_000 }));
    expect(outline(fresh)).toContain(`candidate ${mechanism} ${two.digest}`);
    expect(endOf(fresh).listingAgeMs).toBe(0);

    started.clock.advance(61_000);
    started.requests();
    await started.discover();
    expect(started.requests()).toHaveLength(1);
  });
});

describe('an artifact that is listed but names another subject', () => {
  it('T15 does not count, whatever the listing says', async () => {
    const started = await start({
      ask: ['Referrers', 'FallbackTag'],
      mechanisms: { references: false, referrers: false },
    });
    const stranger = pushBundle(started.registry, other, 'stranger');
    pushFallbackTag(started.registry, app, [
      { ...stranger.descriptor, artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
    ]);
    const events = await started.discover();
    expect(outline(events)).toEqual(['unusable FallbackTag SubjectMissing', 'complete']);
    expect(events[0]).toMatchObject({
      digest: stranger.digest,
      failure: {
        message: `${started.registry.host}/shop/app: artifact ${stranger.digest.slice(0, 15)} does not refer to ${app.digest.slice(0, 15)}.`,
      },
    });
  });
});
