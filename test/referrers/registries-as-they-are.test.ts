import { describe, expect, it, onTestFinished } from 'vitest';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry, Interceptor } from '../../src/demo/registry/start-registry.ts';
import type { Mechanism } from '../../src/policy/evidence.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { index, manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf, expectFailure } from '../registry/registry-access.ts';
import * as quirks from '../support/registry-quirks.ts';
import { pushBundle, pushCosignTag, pushFallbackTag, repository } from './artifacts.ts';
import { app, both, outline, signatures, start } from './start-source.ts';
import type { Started } from './start-source.ts';

const other = manifest('other');

interface RegistryCase {
  readonly registry: string;
  readonly quirk: quirks.Quirk;
  /** Where the signature of this registry lies. */
  readonly place: Exclude<Mechanism, 'References'>;
  /** How a discovery ends that meets no fault. */
  readonly end?: string;
}

/** What the table of registries knows of each. */
const cases: readonly RegistryCase[] = [
  { registry: 'distribution up to 3.1', quirk: quirks.distribution, place: 'FallbackTag' },
  { registry: 'zot', quirk: quirks.zot, place: 'Referrers' },
  {
    registry: 'Harbor before 2.8',
    quirk: quirks.harborBeforeReferrers,
    place: 'CosignTag',
    end: 'incomplete RegistryUnauthorized',
  },
  { registry: 'Quay', quirk: quirks.quay, place: 'Referrers' },
  { registry: 'GHCR', quirk: quirks.ghcr, place: 'FallbackTag' },
  { registry: 'GitLab', quirk: quirks.gitLab, place: 'FallbackTag' },
  { registry: 'GitLab, for cosign 2', quirk: quirks.gitLab, place: 'CosignTag' },
  { registry: 'Google Artifact Registry', quirk: quirks.artifactRegistry, place: 'Referrers' },
  { registry: 'ECR', quirk: quirks.ecr, place: 'Referrers' },
  { registry: 'ECR without the API', quirk: quirks.ecrWithoutReferrers, place: 'FallbackTag' },
  { registry: 'ACR', quirk: quirks.acr, place: 'Referrers' },
  { registry: 'Docker Hub', quirk: quirks.dockerHub(3), place: 'FallbackTag' },
  { registry: 'old Artifactory', quirk: quirks.artifactory, place: 'FallbackTag' },
  { registry: 'oras-project/distribution', quirk: quirks.orasDistribution, place: 'Referrers' },
];

async function startAs({ quirk, place }: Pick<RegistryCase, 'quirk' | 'place'>): Promise<Started> {
  const started = await start({
    mechanisms: { references: false, referrers: place === 'Referrers' },
    referrersPageSize: quirks.ecrPageSize,
  });
  started.registry.intercept(quirk(started.registry));
  return started;
}

/** A signature of the image, as tools leave it behind in such a registry. */
function sign({ registry }: Started, place: RegistryCase['place'], image = app): TestDocument {
  if (place === 'CosignTag') return pushCosignTag(registry, image);
  const bundle = pushBundle(registry, image, `bundle of ${image.digest}`);
  if (place === 'FallbackTag') pushFallbackTag(registry, image, [bundle.descriptor]);
  return bundle;
}

/** Answers 503 where the path says so, and leaves the rest to the registry as it is. */
function failing(path: string, otherwise: Interceptor): Interceptor {
  return (request, response) => {
    if (request.url?.endsWith(path) !== true) return otherwise(request, response);
    response.writeHead(503).end();
    return true;
  };
}

const pathOf: Partial<Record<Mechanism, string>> = {
  Referrers: `/referrers/${app.digest}`,
  FallbackTag: `/manifests/${fallbackTag(app.digest)}`,
  CosignTag: `/manifests/${fallbackTag(app.digest)}.sig`,
};

describe.each(cases)('$registry', ({ quirk, place, end = 'complete' }) => {
  it('shows a signature', async () => {
    const started = await startAs({ quirk, place });
    const signature = sign(started, place);
    expect(outline(await started.discover(signatures))).toEqual([
      `candidate ${place} ${signature.digest}`,
      end,
    ]);
  });

  it('T28 where that signature cannot be read, it is not taken for absent', async () => {
    const started = await startAs({ quirk, place });
    const signature = sign(started, place);
    const asItIs = quirk(started.registry);
    const isFound = place === 'CosignTag' ? [] : [`/manifests/${signature.digest}`];
    for (const path of [pathOf[place] ?? '', ...isFound]) {
      started.registry.intercept(failing(path, asItIs));
      const events = outline(await started.discover(signatures, accessOf({ maxListingAgeMs: -1 })));
      expect(events.at(-1)).toMatch(/^incomplete .*RegistryUnavailable/);
      expect(events.join()).not.toContain('candidate');
    }
  });

  it('T28 a fault of the API is not its absence', async () => {
    const started = await startAs({ quirk, place });
    started.registry.intercept(failing(pathOf.Referrers ?? '', quirk(started.registry)));
    expect(outline(await started.discover())).toEqual(['incomplete RegistryUnavailable']);
  });
});

describe('distribution up to 3.1', () => {
  it('shows an index to this client, as it does to no other', async () => {
    const started = await startAs({ quirk: quirks.distribution, place: 'FallbackTag' });
    const list = index([app]);
    started.registry.store.putManifest(repository, list.bytes, list.mediaType, 'list');
    const answer = await fetch(`${started.registry.url}/v2/${repository}/manifests/list`);
    expect(answer.status).toBe(404);
    const image = { registry: started.registry.host, repository, tag: 'list' };
    expect((await started.source.resolve(image, accessOf())).digest).toBe(list.digest);
    const bytes = await started.source.fetchDocument({ ...started.subject, digest: list.digest }, accessOf());
    expect(Buffer.from(bytes)).toEqual(list.bytes);
  });
});

describe('zot', () => {
  it('says that nothing refers to an image of a repository that it does not have; the image is not found', async () => {
    const started = await startAs({ quirk: quirks.zot, place: 'Referrers' });
    const { host, url } = started.registry;
    const listing = await fetch(`${url}/v2/shop/nothing/referrers/${app.digest}`);
    expect(await listing.json()).toMatchObject({ manifests: [] });
    const image = { registry: host, repository: 'shop/nothing', tag: '1.0' };
    const resolved = started.source.resolve(image, accessOf());
    await expectFailure(resolved, 'ImageNotFound', /shop\/nothing/);
  });
});

describe('Harbor before 2.8', () => {
  it('T28 shows bundles under the fallback tag; that there are none is not believed', async () => {
    const started = await startAs({ quirk: quirks.harborBeforeReferrers, place: 'FallbackTag' });
    expect(outline(await started.discover())).toEqual(['incomplete RegistryUnauthorized']);
    const fresh = accessOf({ maxListingAgeMs: -1 });
    const bundle = sign(started, 'FallbackTag');
    expect(outline(await started.discover(both, fresh))).toEqual([
      `candidate FallbackTag ${bundle.digest}`,
      'incomplete RegistryUnauthorized',
    ]);
  });

  it('shows bundles where its settings leave out the API', async () => {
    const started = await start({
      mechanisms: { references: false, referrers: false },
      ask: ['FallbackTag', 'CosignTag'],
    });
    started.registry.intercept(quirks.harborBeforeReferrers(started.registry));
    const bundle = sign(started, 'FallbackTag');
    expect(outline(await started.discover())).toEqual([`candidate FallbackTag ${bundle.digest}`, 'complete']);
  });
});

describe('Quay', () => {
  it('T15 lists what somebody wrote under the fallback tag; the subject of each decides', async () => {
    const started = await startAs({ quirk: quirks.quay, place: 'Referrers' });
    const stranger = pushBundle(started.registry, other, 'stranger');
    pushFallbackTag(started.registry, app, [stranger.descriptor]);
    const signature = sign(started, 'Referrers');
    expect(outline(await started.discover()).toSorted()).toEqual([
      `candidate Referrers ${signature.digest}`,
      'complete',
      'unusable Referrers SubjectMissing',
    ]);
  });

  it('T28 answers 400 about an image that it does not have, which is not "nothing"', async () => {
    const started = await startAs({ quirk: quirks.quay, place: 'Referrers' });
    const events = await started.discover(both, accessOf(), other.digest);
    expect(outline(events)).toEqual(['incomplete RegistryProtocolError']);
  });
});

describe('GHCR, redirecting', () => {
  const redirecting = async (): Promise<[Started, EmbeddedRegistry]> => {
    const elsewhere = await startRegistry({ mechanisms: { references: false, referrers: true } });
    onTestFinished(() => elsewhere.close());
    return [await startAs({ quirk: quirks.ghcrRedirecting(elsewhere), place: 'FallbackTag' }), elsewhere];
  };

  it('shows a signature, and the other host is not asked', async () => {
    const [started, elsewhere] = await redirecting();
    const bundle = sign(started, 'FallbackTag');
    expect(outline(await started.discover())).toEqual([`candidate FallbackTag ${bundle.digest}`, 'complete']);
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('GitLab', () => {
  it('T15 shows the children of an index as what its fallback tag lists: they are no signatures', async () => {
    const started = await startAs({ quirk: quirks.gitLab, place: 'FallbackTag' });
    const { registry } = started;
    const list = index([app, other]);
    for (const { bytes, mediaType } of [list, other])
      registry.store.putManifest(repository, bytes, mediaType);
    const tagged = await fetch(`${registry.url}/v2/${repository}/manifests/${fallbackTag(list.digest)}`);
    expect(tagged.headers.get('docker-content-digest')).toBe(list.digest);
    for (const { digest } of [list, app])
      expect(outline(await started.discover(both, accessOf(), digest))).toEqual(['complete']);
    const signature = sign(started, 'CosignTag', list);
    const fresh = accessOf({ maxListingAgeMs: -1 });
    expect(outline(await started.discover(signatures, fresh, list.digest))).toEqual([
      `candidate CosignTag ${signature.digest}`,
      'complete',
    ]);
  });
});

describe('ECR', () => {
  it('lists in pages of fifty, of which the last counts like the first', async () => {
    const started = await startAs({ quirk: quirks.ecr, place: 'Referrers' });
    const bundles = Array.from({ length: 60 }, (_, i) => pushBundle(started.registry, app, `bundle ${i}`));
    const events = outline(await started.discover());
    expect(events.toSorted()).toEqual(
      [...bundles.map(({ digest }) => `candidate Referrers ${digest}`), 'complete'].toSorted(),
    );
    expect(started.requests().filter((request) => request.includes('referrers/'))).toHaveLength(2);
  });
});

describe('Docker Hub', () => {
  it('is asked for a tag by HEAD, which is not counted', async () => {
    const started = await startAs({ quirk: quirks.dockerHub(0), place: 'FallbackTag' });
    const image = { registry: started.registry.host, repository, tag: '1.0' };
    expect((await started.source.resolve(image, accessOf())).digest).toBe(app.digest);
    expect(started.requests()).toEqual(['HEAD manifests/1.0']);
  });

  it('T28 has no pulls left, which is not "no signature"', async () => {
    const started = await startAs({ quirk: quirks.dockerHub(0), place: 'FallbackTag' });
    sign(started, 'FallbackTag');
    const events = outline(await started.discover(signatures));
    expect(events).toEqual(['incomplete RegistryRateLimited,RegistryRateLimited']);
  });
});

describe('oras-project/distribution', () => {
  it('would hide signatures behind its filter, which is not asked for', async () => {
    const started = await startAs({ quirk: quirks.orasDistribution, place: 'Referrers' });
    sign(started, 'Referrers');
    const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    const filtered = await fetch(
      `${started.registry.url}/v2/${repository}${pathOf.Referrers}?artifactType=${type}`,
    );
    expect(await filtered.json()).toMatchObject({ manifests: [] });
    started.registry.clearRequests();
    await started.discover();
    expect(started.requests().join()).not.toContain('artifactType');
  });
});
