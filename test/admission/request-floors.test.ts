import { describe, expect, it } from 'vitest';
import { manifest } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { readCosignFixture } from '../support/cosign-fixture.ts';
import { answerOf, loadFixture, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import type { FixtureDecisions, FixtureOptions } from '../support/fixture-decisions.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';

const policies = fixturePolicy(signedBy('release'));
const withoutApis = { references: false, referrers: false };
const imageOf = (fixture: string): string => `@${readCosignFixture(fixture).image}`;
const unsigned = imageOf('unsigned');

/** What a decision that admits cost at the wire, which is what its trace says. */
async function costOf({ decide, requests }: FixtureDecisions, reference: string): Promise<string[]> {
  requests();
  const verdict = await decide(reference);
  expect(answerOf(verdict)).toBe('admitted');
  const made = requests();
  expect(verdict.requests.total).toBe(made.length);
  return made;
}

/** Two images in one repository, each signed in that form; and what the second may cost. */
const forms = [
  { form: '.sig', first: 'index-signed-legacy', second: 'key-legacy', learned: 2, unlearned: 3 },
  { form: 'v0.3 bundle', first: 'index-signed-bundle', second: 'key-bundle', learned: 3, unlearned: 4 },
] as const;

describe.each(forms)('an image signed by $form', ({ first, second, learned, unlearned }) => {
  const startBoth = (options: Partial<FixtureOptions> = {}): Promise<FixtureDecisions> =>
    startFixtureDecisions({ fixtures: [first, second], policies, ...options });

  it(`costs ${learned} requests in a repository that is known, and by tag one HEAD more`, async () => {
    const byDigest = await startBoth();
    await costOf(byDigest, imageOf(first));
    expect(await costOf(byDigest, imageOf(second))).toHaveLength(learned);
    const byTag = await startBoth();
    await costOf(byTag, imageOf(first));
    const made = await costOf(byTag, ':1.4.0');
    expect([made.length, made[0]]).toEqual([learned + 1, 'HEAD manifests/1.4.0']);
  });

  it(`costs ${unlearned} in one that is not, on a host that is known to lack the APIs`, async () => {
    const started = await startBoth({ serves: withoutApis });
    await loadFixture(started.registry, 'unsigned', 'other/app');
    const { host } = started.registry;
    const elsewhere = {
      registry: host,
      repository: 'other/app',
      digest: readCosignFixture('unsigned').image,
    };
    const wanted = { signatures: true, attestations: false, sboms: false };
    for await (const events of started.source.referrers(elsewhere, wanted, accessOf())) {
      expect(events).toMatchObject([{ kind: 'end', complete: true }]);
    }
    expect(await costOf(started, imageOf(second))).toHaveLength(unlearned);
  });
});

describe('the denial of an unsigned image', () => {
  it.each([
    ['by default', undefined, ['GET referrers/D', 'GET manifests/D.sig', 'GET manifests/D']],
    [
      'after an image that was signed by .sig',
      'index-signed-legacy',
      ['GET manifests/D.sig', 'GET manifests/D'],
    ],
  ])('asks every mechanism once, in at most 3 round trips: %s', async (_, learnedFrom, expected) => {
    const started = await startFixtureDecisions({
      fixtures: ['unsigned', ...(learnedFrom === undefined ? [] : [learnedFrom])],
      policies,
      serves: withoutApis,
    });
    if (learnedFrom !== undefined) await costOf(started, imageOf(learnedFrom));
    started.requests();
    const verdict = await started.decide(unsigned);
    expect(answerOf(verdict)).toBe('denied SignatureMissing');
    const made = started.requests().map((request) => request.replace(/sha256.[0-9a-f]{64}/, 'D'));
    expect(made.toSorted()).toEqual(expected.toSorted());
    expect(verdict.requests.sequential).toBeLessThanOrEqual(3);
  });

  it('asks every mechanism that is configured, and each once', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies,
      serves: withoutApis,
      ask: ['References', 'Referrers', 'Oras', 'FallbackTag', 'CosignTag'],
    });
    const verdict = await started.decide(unsigned);
    const made = started.registry.requests.map(({ path }) => path);
    expect(new Set(made).size).toBe(made.length);
    expect(made).toHaveLength(6);
    // Both paths of ORAS one after the other, then what is left.
    expect(verdict.requests.sequential).toBeLessThanOrEqual(3);
  });
});

describe('junk referrers of the image', () => {
  const image = readCosignFixture('key-bundle').image;
  async function startWithJunk(count: number, artifactType: string): Promise<FixtureDecisions> {
    const started = await startFixtureDecisions({
      fixtures: ['key-bundle'],
      policies,
      limits: { maxReferrers: 20_000, maxListingPages: 1_000, maxListingBytes: 64 * 1024 * 1024 },
    });
    const { store } = started.registry;
    const held = store.manifest(repository, image);
    if (held === undefined) throw new Error('no image');
    const subject = { mediaType: held.mediaType, digest: image, size: held.bytes.byteLength };
    for (let i = 0; i < count; i++) {
      const { bytes, mediaType } = manifest(`junk ${i}`, { artifactType, subject });
      store.putManifest(repository, bytes, mediaType);
    }
    return started;
  }
  const isFetch = (request: string): boolean => request.startsWith('GET manifests/sha256:');

  it('T29 50 of them cost a good one nothing where their type tells, and no round trip', async () => {
    const started = await startWithJunk(50, 'application/vnd.example.junk');
    started.requests();
    const verdict = await started.decide(`@${image}`);
    expect(answerOf(verdict)).toBe('admitted');
    expect(started.requests().filter(isFetch).length).toBeLessThanOrEqual(20);
    expect(verdict.requests.sequential).toBeLessThanOrEqual(4);
  });

  it('T29 10000 of them are bounded, and the good one is found first', async () => {
    const started = await startWithJunk(10_000, 'application/vnd.example.junk');
    started.requests();
    const verdict = await started.decide(`@${image}`);
    expect(answerOf(verdict)).toBe('admitted');
    expect(started.requests().filter(isFetch)).toHaveLength(1);
  });

  it('T29 10000 that claim to be signatures are bounded, answered, and never admitted for it', async () => {
    const started = await startWithJunk(10_000, 'application/vnd.dev.sigstore.bundle.v0.3+json');
    started.requests();
    const verdict = await started.decide(`@${image}`);
    expect(['admitted', 'inconclusive TooManyReferrers']).toContain(answerOf(verdict));
    expect(started.requests().filter(isFetch).length).toBeLessThanOrEqual(64);
  });
});
