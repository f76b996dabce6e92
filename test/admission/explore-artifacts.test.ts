import { describe, expect, it } from 'vitest';
import { walkTree } from '../../src/admission/artifact-tree.ts';
import type { ArtifactNode, ArtifactTree } from '../../src/admission/artifact-tree.ts';
import { exploreArtifacts } from '../../src/admission/explore-artifacts.ts';
import type { RegistryAccess } from '../../src/admission/ports.ts';
import type { ImageReference } from '../../src/image/reference.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { documentOf, index, manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { pushBundle, pushCosignTag, repository } from '../referrers/artifacts.ts';
import { app, start } from '../referrers/start-source.ts';
import type { Started, StartOptions } from '../referrers/start-source.ts';
import { accessOf } from '../registry/registry-access.ts';

const foreign = 'application/vnd.example.report';

async function explore(
  { source, registry }: Started,
  image: Partial<ImageReference> = { tag: '1.0' },
  access: RegistryAccess = accessOf(),
): Promise<ArtifactTree> {
  return await exploreArtifacts(source, { registry: registry.host, repository, ...image }, access);
}

function put({ registry }: Started, document: TestDocument, tag?: string): TestDocument {
  registry.store.putManifest(repository, document.bytes, document.mediaType, tag);
  return document;
}

const attach = ({ registry }: Started, subject: TestDocument, name: string): TestDocument =>
  pushBundle(registry, subject, name, { artifactType: foreign, layers: [] });

const allOf = ({ root }: ArtifactTree): ArtifactNode[] => [...walkTree(root)].map(({ node }) => node);
const gapsOf = (tree: ArtifactTree): string[] =>
  allOf(tree).flatMap(({ gaps }) => gaps.map(({ code }) => code));

/** BuildKit's entry for an attestation of a child ("attestation-storage.md"). */
const attestationEntry = (document: TestDocument, of: TestDocument): object => ({
  ...document.descriptor,
  platform: { os: 'unknown', architecture: 'unknown' },
  annotations: {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': of.digest,
  },
});

function inTotoManifest(name: string): TestDocument {
  const layer = { ...app.descriptor, mediaType: 'application/vnd.in-toto+json' };
  const annotations = { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2' };
  return manifest(name, { layers: [{ ...layer, annotations }] });
}

describe('the tree of an index', () => {
  it('has the attestations that the index holds below the child that they name', async () => {
    const started = await start();
    const attestation = put(started, inTotoManifest('attestation'));
    const orphan = put(started, inTotoManifest('orphan'));
    const entry = { ...app.descriptor, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } };
    const list = documentOf(ociIndex, {
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [entry, attestationEntry(attestation, app), attestationEntry(orphan, manifest('other'))],
    });
    put(started, list, 'multi');
    const tree = await explore(started, { tag: 'multi' });
    const inToto = { kind: 'attestation', form: 'InTotoStatement' };
    expect(tree.root.children).toMatchObject([
      {
        digest: app.digest,
        kind: { kind: 'image' },
        platforms: ['linux/arm/v7'],
        referrers: [{ digest: attestation.digest, mechanism: 'InIndex', kind: inToto }],
      },
      {
        digest: orphan.digest,
        kind: inToto,
        platforms: [],
        flaw: {
          code: 'SubjectMissing',
          message: `It attests ${manifest('other').digest}, which the index does not hold.`,
        },
      },
    ]);
    expect(tree.root.referrers).toEqual([]);
    expect(tree.complete).toBe(true);
  });

  it('says which children dangle, and that this leaves nothing open', async () => {
    const started = await start();
    const gone = manifest('gone');
    put(started, index([app, gone]), 'sparse');
    const tree = await explore(started, { tag: 'sparse' });
    expect(tree.root.children.map(({ flaw }) => flaw?.code)).toEqual([undefined, 'ArtifactMissing']);
    expect(tree.root.children[1]?.flaw?.message).toBe(
      `${started.registry.host}/shop/app does not have ${gone.digest.slice(0, 15)}, which the index lists.`,
    );
    expect(tree.complete).toBe(true);
  });

  it('shows the children of an index in an index', async () => {
    const started = await start();
    const inner = put(started, index([app]));
    put(started, index([inner]), 'outer');
    const signature = attach(started, app, 'report');
    const tree = await explore(started, { tag: 'outer' });
    expect(
      allOf(tree)
        .map(({ relation, digest }) => `${relation} ${digest}`)
        .slice(1),
    ).toEqual([`child ${inner.digest}`, `child ${app.digest}`, `referrer ${signature.digest}`]);
    expect(tree.complete).toBe(true);
  });
});

describe('the tree of an image', () => {
  it('goes up to the indexes that contain it, with their referrers and their attestations of it', async () => {
    const started = await start({
      ask: ['References', 'Referrers'],
      mechanisms: { references: true, referrers: true },
    });
    const attestation = put(started, inTotoManifest('attestation'));
    const entry = { ...app.descriptor, platform: { os: 'linux', architecture: 'amd64' } };
    const list = put(
      started,
      documentOf(ociIndex, {
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [entry, attestationEntry(attestation, app)],
      }),
    );
    const report = attach(started, list, 'of the index');
    const { root, complete } = await explore(started);
    expect(root.parents).toMatchObject([
      {
        digest: list.digest,
        mechanism: 'References',
        platforms: ['linux/amd64'],
        sizeBytes: list.bytes.byteLength,
        kind: { kind: 'index' },
        referrers: [{ digest: report.digest }],
      },
    ]);
    expect(root.referrers).toMatchObject([{ digest: attestation.digest, mechanism: 'InIndex' }]);
    expect(complete).toBe(true);
  });

  it('has what is listed and cannot be used', async () => {
    const started = await start();
    const listed = attach(started, app, 'listed');
    started.registry.intercept((request, response) => {
      if (!(request.url ?? '').endsWith(`manifests/${listed.digest}`)) return false;
      response.writeHead(404).end();
      return true;
    });
    const { root, complete } = await explore(started);
    expect(root.unusable).toEqual([
      {
        mechanism: 'Referrers',
        digest: listed.digest,
        failure: {
          code: 'ArtifactMissing',
          message: `${started.registry.host}/shop/app lists ${listed.digest.slice(0, 15)} but does not have it.`,
        },
      },
    ]);
    expect([root.referrers, complete]).toEqual([[], true]);
  });

  it('T20 tells a signature whose layer is gone', async () => {
    const started = await start();
    const signature = pushCosignTag(started.registry, app);
    const { layers } = JSON.parse(signature.bytes.toString()) as { layers: { digest: never }[] };
    started.registry.store.deleteBlob(repository, layers[0]?.digest as never);
    const { root, complete } = await explore(started);
    expect(root.referrers[0]?.signatures).toMatchObject([{ flaw: { code: 'ArtifactMissing' } }]);
    expect(complete).toBe(true);
  });

  it('is the same whatever order the answers come in', async () => {
    const started = await start();
    for (const name of ['a', 'b', 'c', 'd']) attach(started, attach(started, app, name), `${name} again`);
    pushBundle(started.registry, app);
    const first = await explore(started);
    const again = await explore(started);
    expect(again.root).toEqual(first.root);
    expect(first.root.referrers.map(({ kind }) => kind.kind)).toEqual([
      'other',
      'other',
      'other',
      'other',
      'other',
    ]);
  });
});

describe('the bounds of a tree', () => {
  it('T11 a circle of tags ends', async () => {
    const started = await start();
    const signature = pushCosignTag(started.registry, app);
    const tag = `${signature.digest.replace(':', '-')}.sig`;
    started.registry.store.tag(repository, tag, app.digest);
    const tree = await explore(started);
    expect(allOf(tree).map(({ digest, explored }) => [digest, explored])).toEqual([
      [app.digest, 'here'],
      [signature.digest, 'here'],
      [app.digest, 'elsewhere'],
    ]);
    expect(tree.complete).toBe(true);
  });

  it('T11 a chain is followed four steps, and what is past them makes the tree incomplete', async () => {
    const started = await start();
    let last = app;
    for (let i = 0; i < 6; i++) last = attach(started, last, `link ${i}`);
    const tree = await explore(started);
    expect(allOf(tree).map(({ explored }) => explored)).toEqual(['here', 'here', 'here', 'here', 'no']);
    expect(tree.complete).toBe(false);
  });

  const crowd = (started: Started, count: number): void => {
    for (let i = 0; i < count; i++) attach(started, app, `junk ${i}`);
  };

  /** Digests whose referrers were asked for, whatever number of pages they take. */
  const askedAbout = ({ requests }: Started): Set<string | undefined> =>
    new Set(requests().flatMap((request) => /referrers\/([^?]+)/.exec(request)?.[1] ?? []));

  it('T29 10,000 referrers are cut where the registry limits say, and that is a gap', async () => {
    const started = await start();
    crowd(started, 10_000);
    const tree = await explore(started);
    expect(tree.root.referrers).toHaveLength(64);
    expect(new Set(gapsOf(tree))).toEqual(new Set(['TooManyReferrers']));
    expect(tree.complete).toBe(false);
    expect(started.requests().length).toBeLessThan(600);
  });

  it('T29 at most 1,000 are shown and 100 asked about, and the rest is counted', async () => {
    const options: StartOptions = {
      ask: ['Referrers'],
      limits: {
        maxReferrerFetches: 2_000,
        requestsPerMinutePerTenant: 10_000,
        requestsPerMinutePerHost: 10_000,
      },
    };
    const started = await start(options);
    crowd(started, 1_200);
    const counts: number[] = [];
    const image = { registry: started.registry.host, repository, tag: '1.0' };
    const tree = await exploreArtifacts(started.source, image, accessOf(), (found) => counts.push(found));
    expect(allOf(tree)).toHaveLength(1_000);
    expect(tree.root.notShown).toBe(201);
    expect(tree.complete).toBe(false);
    expect([counts.length, counts.at(-1)]).toEqual([999, 999]);
    expect(askedAbout(started).size).toBe(1);
  });

  it('T29 100 digests are asked about', async () => {
    const limits = {
      maxReferrerFetches: 200,
      requestsPerMinutePerTenant: 10_000,
      requestsPerMinutePerHost: 10_000,
    };
    const started = await start({ ask: ['Referrers'], limits });
    crowd(started, 150);
    const tree = await explore(started);
    expect(askedAbout(started).size).toBe(100);

    expect(allOf(tree).filter(({ explored }) => explored === 'no')).toHaveLength(51);
    expect(tree.complete).toBe(false);
  });

  it('T28 the end of time leaves what was found, and a gap', async () => {
    const started = await start();
    const report = attach(started, app, 'report');
    const timeout = new AbortController();
    started.registry.intercept((request) => {
      if ((request.url ?? '').endsWith(`referrers/${report.digest}`)) timeout.abort();
      return false;
    });
    const tree = await explore(started, { tag: '1.0' }, accessOf({ signal: timeout.signal }));
    expect(tree.root.referrers).toMatchObject([
      { digest: report.digest, gaps: [{ code: 'DeadlineExceeded' }] },
    ]);
    expect(tree.complete).toBe(false);
  });
});
