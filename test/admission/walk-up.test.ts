import { describe, expect, it } from 'vitest';
import { parseDigest } from '../../src/image/digest.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { answerOf, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import type { FixtureDecisions, FixtureOptions } from '../support/fixture-decisions.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';

/** The index of two platforms that is signed, and its children, which are not (test/fixtures/cosign). */
const index = parseDigest('sha256:023036b33a0b80fdf856f7511d3f1018ead08a546d8ba4b4efcf0234c731cb5e');
const amd64 = parseDigest('sha256:2a41a64c951486bf53e2d51c861e3cdac96cd9d0f3dd695cbb404a21057de0ad');

const policies = fixturePolicy(signedBy('release'));
const startSigned = (fixture: string, options: Partial<FixtureOptions> = {}): Promise<FixtureDecisions> =>
  startFixtureDecisions({ fixtures: [fixture], policies, ...options });

describe.each(['index-signed-legacy', 'index-signed-bundle'])(
  '%s: a child named by its digest',
  (fixture) => {
    it('is denied where nothing leads to the index', async () => {
      const { decide } = await startSigned(fixture);
      expect(answerOf(await decide(`@${amd64}`))).toBe('denied SignatureMissing');
    });

    it('is admitted by an index that was seen before, and the index costs no request', async () => {
      const { decide, requests, registry, source } = await startSigned(fixture);
      await source.fetchParsed({ registry: registry.host, repository, digest: index }, accessOf());
      requests();
      const verdict = await decide(`@${amd64}`);
      expect(answerOf(verdict)).toBe('admitted');
      expect(requests().filter((request) => request.endsWith(`manifests/${index}`))).toEqual([]);
      expect(verdict.images[0]?.checks[0]?.evidence[0]).toMatchObject({
        subject: index,
        indexes: [index],
        path: [amd64, index, expect.any(String) as string],
      });
    });

    it('is admitted by an index that was met by HEAD only: it is fetched once, and no decision waits for it', async () => {
      const { decide, requests, registry } = await startSigned(fixture);
      const first = await decide(':1.4.0');
      expect(answerOf(first)).toBe('admitted');
      for (let i = 0; i < 3; i++) await decide(':1.4.0');
      const isIndex = (request: string): boolean => request === `GET manifests/${index}`;
      while (!registry.requests.some(({ method, path }) => isIndex(`${method} ${path.slice(13)}`)))
        await new Promise((resolve) => setImmediate(resolve));
      expect(requests().filter(isIndex)).toHaveLength(1);
      // Counted apart: HEAD, and what the signature takes.
      expect(first.requests.total).toBeLessThanOrEqual(fixture === 'index-signed-bundle' ? 5 : 5);
      while ((await decide(`@${amd64}`)).outcome !== 'admitted') requests();
      requests();
      const again = await decide(`@${amd64}`);
      expect([again.outcome, requests()]).toEqual(['admitted', []]);
    });

    it('is admitted by the tag beside its digest', async () => {
      const { decide } = await startSigned(fixture);
      expect(answerOf(await decide(`:1.4.0@${amd64}`))).toBe('admitted');
    });

    it('T15 is denied where the tag beside its digest is that of another index, or of none', async () => {
      const { decide, registry } = await startSigned(fixture);
      const other = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: [] });
      registry.store.putManifest(repository, other.bytes, ociIndex, 'other');
      for (const tag of ['other', 'none', '1.4.0-amd64', '1.4.0-arm64']) {
        expect(answerOf(await decide(`:${tag}@${amd64}`))).toBe('denied SignatureMissing');
      }
    });

    it('is admitted by the references API', async () => {
      const { decide } = await startSigned(fixture, {
        serves: { references: true, referrers: true },
        ask: ['References', 'Referrers', 'CosignTag'],
      });
      expect(answerOf(await decide(`@${amd64}`))).toBe('admitted');
    });

    it('is admitted by a tag that policy names', async () => {
      const { decide } = await startSigned(fixture, {
        policies: fixturePolicy(signedBy('release'), { indexTags: ['none', '1.4.0'] }),
      });
      expect(answerOf(await decide(`@${amd64}`))).toBe('admitted');
    });

    it('is admitted by a scan of tags where settings allow it: HEAD each, GET indexes only', async () => {
      const { decide, requests } = await startSigned(fixture, { ask: ['Referrers', 'CosignTag', 'TagScan'] });
      expect(answerOf(await decide(`@${amd64}`))).toBe('admitted');
      const made = requests();
      expect(made).toContain('GET tags/list');
      expect(made.filter((request) => /^HEAD manifests\/1/.test(request))).toHaveLength(3);
      expect(made.filter((request) => /manifests\/sha256-[0-9a-f]{64}$/.test(request))).toEqual([]);
      expect(made.filter((request) => request === `GET manifests/${index}`)).toHaveLength(1);
    });

    it('T15 is denied where policy lets nothing be inherited', async () => {
      const { decide } = await startSigned(fixture, {
        policies: fixturePolicy({ signature: { issuers: ['release'], inheritFromIndex: false } }),
      });
      expect(answerOf(await decide(`:1.4.0@${amd64}`))).toBe('denied SignatureMissing');
    });
  },
);

describe('the walk up', () => {
  /** An index of the signed index's children, changed, behind the tag `crafted`. */
  async function craft(change: (entries: Record<string, unknown>[]) => object): Promise<FixtureDecisions> {
    const started = await startSigned('index-signed-legacy');
    const { store } = started.registry;
    const signed = store.manifest(repository, index);
    if (signed === undefined) throw new Error('no index');
    const { manifests } = JSON.parse(Buffer.from(signed.bytes).toString()) as {
      manifests: Record<string, unknown>[];
    };
    const crafted = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, ...change(manifests) });
    store.putManifest(repository, crafted.bytes, ociIndex, 'crafted');
    // A signature of the good index, where that of the crafted one would be.
    const tag = (digest: string): string => `${digest.replace(':', '-')}.sig`;
    const signature = store.resolveTag(repository, tag(index));
    if (signature === undefined) throw new Error('no signature');
    store.tag(repository, tag(crafted.digest), signature);
    return started;
  }

  it.each([
    ['holds other images', () => ({ manifests: [] })],
    [
      'holds the image as an attestation',
      (entries: Record<string, unknown>[]) => ({
        manifests: entries.map((entry) => ({
          ...entry,
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        })),
      }),
    ],
    [
      'contains it and is signed by nobody',
      (entries: object[]) => ({ manifests: entries, annotations: { a: 'b' } }),
    ],
  ])('T12 T13 an index that %s proves nothing', async (_, change) => {
    const { decide } = await craft(change);
    expect(answerOf(await decide(`:crafted@${amd64}`))).toMatch(
      /^denied (?:SignatureMissing|ParentUnproven|SubjectMismatch)$/,
    );
  });

  it('T13 an index with layers is no index', async () => {
    const { decide } = await craft((entries) => ({ manifests: entries, layers: [] }));
    expect(answerOf(await decide(`:crafted@${amd64}`))).toBe('denied ManifestAmbiguous');
  });

  it('T11 ends where indexes go on, and says so', async () => {
    const { decide, registry } = await startSigned('index-signed-legacy', {
      serves: { references: true, referrers: true },
      ask: ['References', 'Referrers', 'CosignTag'],
    });
    const stranger = documentOf(ociManifest, {
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: index, size: 1 },
      layers: [],
    });
    registry.store.putManifest(repository, stranger.bytes, ociManifest);
    let child = { mediaType: ociManifest, digest: stranger.digest, size: stranger.bytes.byteLength };
    for (let depth = 0; depth < 6; depth++) {
      const outer = documentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests: [child] });
      registry.store.putManifest(repository, outer.bytes, ociIndex);
      child = { mediaType: ociIndex, digest: outer.digest, size: outer.bytes.byteLength };
    }
    const verdict = await decide(`@${stranger.digest}`);
    expect(answerOf(verdict)).toBe('inconclusive TooManyReferrers');
    expect(verdict.allowed).toBe(false);
    expect(verdict.images[0]?.checks[0]?.message).toMatch(/at most 3 deep and 64 in all are/);
  });
});
