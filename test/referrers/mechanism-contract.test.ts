import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ReferrerEvent } from '../../src/admission/ports.ts';
import { shortDigest } from '../../src/image/digest.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { accessOf, expectFailure } from '../registry/registry-access.ts';
import { carriers, cosignTagName, entryOf, isAsked, pushArtifact } from '../support/carriers.ts';
import type { Carrier } from '../support/carriers.ts';
import { app, endOf, outline } from './start-source.ts';
import type { Started } from './start-source.ts';
import { startCarrier } from './start-carrier.ts';
import type { StartedCarrier } from './start-carrier.ts';

/** Cases that do not exist for a kind of listing, and why; the test then holds what is so instead. */
const cannot: Readonly<
  Record<
    Carrier['listing']['kind'],
    Readonly<Partial<Record<'pages' | 'subject' | 'hints' | 'many', string>>>
  >
> = {
  api: {},
  taggedIndex: { pages: 'the tag schema has none' },
  tag: {
    pages: 'a manifest has none',
    subject: 'the tag alone claims the image, what is signed proves it',
    hints: 'nothing is said of it but what it says itself',
    many: 'a tag holds one',
  },
  inIndex: {
    pages: 'an index has none',
    subject: 'the index binds it by digest, what is signed proves it',
  },
};

const foreign = 'application/vnd.example.junk';
const sorted = (events: readonly ReferrerEvent[]): string[] => outline(events).toSorted();

describe.each(carriers)('$carrier', (carrier) => {
  const { mechanism, listing } = carrier;
  const instead = cannot[listing.kind];
  const found = (...documents: readonly TestDocument[]): string[] =>
    documents.map(({ digest }) => `candidate ${mechanism} ${digest}`);
  const begin = (options: Parameters<typeof startCarrier>[1] = {}): Promise<StartedCarrier> =>
    startCarrier(carrier, options);
  const entries = (started: StartedCarrier, documents: readonly TestDocument[], fields = {}): object[] =>
    documents.map((document) => ({ ...entryOf(carrier, started.target, document), ...fields }));
  /** The request by which it is learned what there is, or, where that is at hand, the artifact itself. */
  const isAskedFor = ({ target }: StartedCarrier, url: string): boolean =>
    listing.kind === 'inIndex' ? url.includes('/manifests/') : isAsked(carrier, target, url);
  const answerInstead = (started: StartedCarrier, answer: (response: ServerResponse) => void): void => {
    started.registry.intercept((request, response) => {
      if (!isAskedFor(started, request.url ?? '')) return false;
      answer(response);
      return true;
    });
  };

  it('finds what refers to the image, and reads its layers', async () => {
    const started = await begin();
    const artifact = started.attach('bundle');
    const events = await started.find();
    expect(outline(events)).toEqual([...found(artifact), 'complete']);
    expect(endOf(events).listingAgeMs).toBe(0);
    expect(await readLayer(events)).toBe('payload of bundle');
    expect(events[0]).toMatchObject({
      repository: { registry: started.registry.host, repository: started.target.repository },
      manifest: { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
    });
  });

  it('finds nothing where there is nothing', async () => {
    const started = await begin();
    expect(outline(await started.find())).toEqual(['complete']);
  });

  it(`T20 finds what looks foreign${because(instead.hints)}`, async () => {
    const started = await begin();
    if (listing.kind === 'tag') {
      const odd = pushArtifact(carrier, started.target, {
        name: 'odd',
        artifactType: foreign,
        layers: [],
        annotations: { 'dev.sigstore.bundle.predicateType': 'nonsense' },
      });
      const { registry, repository, subject } = started.target;
      registry.store.tag(repository, cosignTagName(subject.digest, listing.suffix), odd.digest);
      expect(outline(await started.find())).toEqual([...found(odd), 'complete']);
      return;
    }
    const artifact = started.push('good');
    // The listing is wrong in everything but the digest. An entry of an index has to be a manifest.
    const wrong = listing.kind === 'inIndex' ? {} : { mediaType: ociIndex, size: 1 };
    started.list(entries(started, [artifact], { artifactType: foreign, ...wrong }));
    const events = await started.find();
    expect(outline(events)).toEqual([...found(artifact), 'complete']);
    expect(await readLayer(events)).toBe('payload of good');
  });

  it(`T15 takes nothing for the image's that names another subject${because(instead.subject)}`, async () => {
    const started = await begin();
    const near = `${started.subject.digest.slice(0, -4)}0000` as const;
    const stranger = { ...app, descriptor: { ...app.descriptor, digest: near as typeof app.digest } };
    const artifact = started.push('stranger', stranger);
    if (listing.kind === 'tag') {
      const { registry, repository, subject } = started.target;
      registry.store.tag(repository, cosignTagName(subject.digest, listing.suffix), artifact.digest);
    } else started.list(entries(started, [artifact]));
    const events = await started.find();
    if (instead.subject !== undefined) {
      expect(outline(events)).toEqual([...found(artifact), 'complete']);
      return;
    }
    expect(outline(events)).toEqual([`unusable ${mechanism} SubjectMissing`, 'complete']);
    const name = `${started.registry.host}/${started.target.repository}`;
    expect(events[0]).toMatchObject({
      digest: artifact.digest,
      failure: {
        message: `${name}: artifact ${shortDigest(artifact.digest)} does not refer to ${shortDigest(started.subject.digest)}.`,
      },
    });
  });

  it('T29 an artifact that is gone leaves nothing open, and spoils nothing', async () => {
    const started = await begin();
    if (listing.kind === 'tag') {
      // The registry says of such a tag that there is none.
      const { registry, repository, subject } = started.target;
      registry.store.tag(repository, cosignTagName(subject.digest, listing.suffix), manifest('gone').digest);
      expect(outline(await started.find())).toEqual(['complete']);
      return;
    }
    const good = started.push('good');
    started.list(entries(started, [manifest('gone'), good]));
    const events = await started.find();
    expect(sorted(events)).toEqual(
      [...found(good), 'complete', `unusable ${mechanism} ArtifactMissing`].toSorted(),
    );
    const gone = events.find(({ kind }) => kind === 'unusable');
    expect(gone).toMatchObject({
      failure: { message: expect.stringMatching(/ lists sha256:\w{8} but does not have it\.$/) as string },
    });
  });

  it('T12 T29 an artifact that is altered, or can be read in two ways, spoils nothing', async () => {
    const started = await begin();
    if (listing.kind === 'tag') {
      const artifact = started.attach('bundle');
      answerInstead(started, (response) => {
        const headers = { 'content-type': ociManifest, 'docker-content-digest': artifact.digest };
        response.writeHead(200, headers).end(app.bytes);
      });
      expect(outline(await started.find())).toEqual(['incomplete DigestMismatch']);
      answerInstead(started, (response) => {
        const headers = { 'content-type': ociIndex, 'docker-content-digest': artifact.digest };
        response.writeHead(200, headers).end(artifact.bytes);
      });
      const fresh = accessOf({ maxListingAgeMs: -1 });
      expect(outline(await started.find(fresh))).toEqual([
        'unusable CosignTag ManifestAmbiguous',
        'complete',
      ]);
      return;
    }
    const [altered, twofold, good] = ['altered', 'twofold', 'good'].map((name) => started.attach(name));
    started.registry.intercept((request, response) => {
      const digest = /manifests\/(sha256:[0-9a-f]+)$/.exec(request.url ?? '')?.[1];
      if (digest === altered?.digest)
        response.writeHead(200, { 'content-type': ociManifest }).end(good?.bytes);
      else if (digest === twofold?.digest)
        response.writeHead(200, { 'content-type': ociIndex }).end(twofold?.bytes);
      else return false;
      return true;
    });
    if (good === undefined) throw new Error('nothing attached');
    expect(sorted(await started.find())).toEqual(
      [
        ...found(good),
        'complete',
        `unusable ${mechanism} DigestMismatch`,
        `unusable ${mechanism} ManifestAmbiguous`,
      ].toSorted(),
    );
  });

  it.each([
    // What an index holds is read whole, and bounded by what is fetched of it.
    ['entries', { maxReferrers: 3 }, listing.kind === 'inIndex' ? 5 : 3, /more than 3 artifacts are listed/],
    ['fetches', { maxReferrerFetches: 2 }, 2, /the limit is 2\.$/],
  ] as const)(
    `T11 T29 more than the bound of %s is inconclusive, and says so${because(instead.many)}`,
    async (_, limits, shown, message) => {
      const started = await begin({ limits });
      if (listing.kind === 'tag') {
        const replaced = started.attach('replaced');
        const artifact = started.attach('bundle');
        expect(replaced.digest).not.toBe(artifact.digest);
        expect(outline(await started.find())).toEqual([...found(artifact), 'complete']);
        return;
      }
      const artifacts = Array.from({ length: 5 }, (__, i) => started.push(`bundle ${i}`));
      started.list(entries(started, artifacts));
      const events = await started.find();
      expect(events.filter(({ kind }) => kind === 'candidate')).toHaveLength(shown);
      const { complete, failures } = endOf(events);
      expect(complete).toBe(shown === 5);
      if (shown === 5) return;
      expect(failures.map(({ code }) => code)).toEqual(['TooManyReferrers']);
      expect(failures[0]?.message).toMatch(message);
    },
  );

  it.each([
    [401, 'RegistryUnauthorized', / refused access to .* \(401\), asked without credentials\.$/],
    [403, 'RegistryUnauthorized', / refused access to .* \(403\), asked without credentials\.$/],
    [503, 'RegistryUnavailable', / answered 503 for /],
    [429, 'RegistryRateLimited', / limits the rate of requests \(429\) for /],
  ] as const)('T28 a %i is never "nothing there"', async (status, code, message) => {
    const started = await begin();
    started.attach('bundle');
    answerInstead(started, (response) => response.writeHead(status).end());
    const { complete, failures } = endOf(await started.find());
    expect([complete, ...failures.map((failure) => failure.code)]).toEqual([false, code]);
    expect(failures[0]?.message).toMatch(message);
  });

  it('T29 an artifact that cannot be fetched leaves it open whether it was the good one', async () => {
    const started = await begin();
    const [bad, good] = [started.attach('bad'), started.attach('good')];
    started.registry.intercept((request, response) => {
      // Under a tag, the last one is the artifact.
      const isBad = listing.kind === 'tag' ? isAskedFor(started, request.url ?? '') : undefined;
      if (!(isBad ?? request.url?.endsWith(bad.digest) === true)) return false;
      response.writeHead(500).end();
      return true;
    });
    const others = [...found(good), `unusable ${mechanism} RegistryUnavailable`];
    expect(sorted(await started.find())).toEqual(
      [...(listing.kind === 'tag' ? [] : others), 'incomplete RegistryUnavailable'].toSorted(),
    );
  });

  it('T29 an entry that is malformed spoils no other', async () => {
    const started = await begin();
    if (listing.kind === 'tag') {
      const { registry, repository, subject } = started.target;
      const tag = cosignTagName(subject.digest, listing.suffix);
      registry.store.putManifest(repository, Buffer.from('{"schemaVersion":2}'), ociManifest, tag);
      expect(outline(await started.find())).toEqual(['unusable CosignTag ManifestInvalid', 'complete']);
      return;
    }
    const good = started.push('good');
    // An index that holds an image is read strictly, as a whole: what may stand there is of another kind.
    const [other] = entries(started, [manifest('other')], { mediaType: 'application/octet-stream' });
    const malformed =
      listing.kind === 'inIndex' ? [other] : [{}, null, 'x', { digest: 'md5:1' }, { digest: 7 }];
    started.list([...malformed, ...entries(started, [good])]);
    const codes =
      listing.kind === 'inIndex'
        ? []
        : ['ManifestInvalid', 'ManifestInvalid', 'ManifestInvalid', 'DigestUnsupported', 'ManifestInvalid'];
    expect(outline(await started.find())).toEqual([
      ...codes.map((code) => `unusable ${mechanism} ${code}`),
      ...found(good),
      'complete',
    ]);
  });

  it(`reads every page${because(instead.pages)}`, async () => {
    const started = await begin();
    const names = ['one', 'two', 'three'];
    const artifacts = names.map((name) => started.attach(name));
    if (listing.kind !== 'api') {
      linkEverything(started, '/v2/shop/app/next');
      const shown = listing.kind === 'tag' ? artifacts.slice(-1) : artifacts;
      expect(sorted(await started.find())).toEqual([...found(...shown), 'complete'].toSorted());
      expect(started.requests().join()).not.toContain('next');
      return;
    }
    const asked = pages(started, isAskedFor, (page) => ({
      body: { [listing.key]: entries(started, artifacts.slice(page, page + 1)) },
      next: page < 2 ? page + 1 : undefined,
    }));
    expect(sorted(await started.find())).toEqual([...found(...artifacts), 'complete'].toSorted());
    expect(asked).toEqual([0, 1, 2]);
  });

  if (listing.kind === 'api') {
    it.each([
      ['T11 go round', 1, 'RegistryProtocolError', /: its pages go round\.$/],
      ['T11 never end', undefined, 'TooManyReferrers', /: not read past page 5\.$/],
    ] as const)('says that pages %s, and finds what they showed', async (_, next, code, message) => {
      const started = await begin({ limits: { maxListingPages: 5 } });
      const artifact = started.attach('bundle');
      const asked = pages(started, isAskedFor, (page) => ({
        body: { [listing.key]: entries(started, page === 0 ? [artifact] : []) },
        next: next ?? page + 1,
      }));
      const events = await started.find();
      expect(outline(events)).toEqual([...found(artifact), `incomplete ${code}`]);
      expect(endOf(events).failures[0]?.message).toMatch(message);
      expect(asked.length).toBeLessThanOrEqual(5);
    });

    it.each([
      ['of another host', 'http://127.0.0.2:1/v2/shop/app/referrers/x'],
      ['of another repository', '/v2/shop/other/referrers/x'],
      ['above the repository', '/v2/shop/app/../../x'],
    ])('T09 does not ask for a page %s', async (_, link) => {
      const started = await begin();
      const artifact = started.attach('bundle');
      answerInstead(started, (response) => {
        const headers = { 'content-type': ociIndex, link: `<${link}>; rel="next"` };
        const body = JSON.stringify({ [listing.key]: entries(started, [artifact]) });
        response.writeHead(200, headers).end(body);
      });
      const events = await started.find();
      expect(outline(events)).toEqual([...found(artifact), 'incomplete RegistryRefused']);
      expect(endOf(events).failures[0]?.message).toMatch(/the next page is not within the registry's API\.$/);
      expect(started.requests().join()).not.toContain('/x');
    });
  }

  if (listing.kind !== 'tag') {
    it('takes content from the listing where it is inlined, and saves the fetch', async () => {
      const started = await begin();
      const artifact = started.push('bundle');
      started.list(entries(started, [artifact], { data: artifact.bytes.toString('base64') }));
      expect(outline(await started.find())).toEqual([...found(artifact), 'complete']);
      expect(started.requests().join()).not.toContain(artifact.digest);
    });

    it.each([
      ['of something else', manifest('else').bytes.toString('base64')],
      ['that is no base64', '%%%%'],
      ['that is empty', ''],
    ])('T12 inlined content %s is not believed: the artifact is fetched', async (_, data) => {
      const started = await begin();
      const artifact = started.push('bundle');
      started.list(entries(started, [artifact], { data }));
      expect(outline(await started.find())).toEqual([...found(artifact), 'complete']);
      expect(started.requests()).toContain(
        `GET ${started.target.repository === 'shop/app' ? '' : '/v2/shop/signatures/'}manifests/${artifact.digest}`,
      );
    });
  }

  it('T12 verifies what a layer inlines, and saves its fetch', async () => {
    const started = await begin();
    started.attach('bundle');
    const [event] = await started.find();
    if (event?.kind !== 'candidate') throw new Error('no candidate');
    const [layer] = event.manifest.layers;
    if (layer === undefined) throw new Error('no layer');
    started.requests();
    const read = (data: string): Promise<Uint8Array> => event.fetchLayer({ ...layer, data }, accessOf());
    const good = Buffer.from('payload of bundle').toString('base64');
    expect(Buffer.from(await read(good)).toString()).toBe('payload of bundle');
    await expectFailure(
      read(Buffer.from('payload of bundl!').toString('base64')),
      'DigestMismatch',
      /inlined/,
    );
    await expectFailure(read(Buffer.from('payload').toString('base64')), 'SizeMismatch', /inlined/);
    expect(started.requests()).toEqual([]);
  });

  it('T27 T28 is not asked again within the life of its answer, and is when a fresh one is wanted', async () => {
    const started = await begin();
    started.attach('one');
    await started.find();
    started.requests();
    started.clock.advance(30_000);
    const cached = await started.find();
    // An index that is at hand does not grow old: what it holds is named by digest.
    const isAtHand = listing.kind === 'inIndex';
    expect([started.requests(), endOf(cached).listingAgeMs]).toEqual([[], isAtHand ? 0 : 30_000]);

    const two = started.attach('two');
    const fresh = await started.find(accessOf({ maxListingAgeMs: 10_000 }));
    expect(outline(fresh)).toEqual(expect.arrayContaining(found(two)));
    expect(endOf(fresh).listingAgeMs).toBe(0);

    started.clock.advance(61_000);
    started.requests();
    await started.find();
    expect(started.requests()).toHaveLength(isAtHand ? 0 : asksPerListing(carrier));
  });

  it('T27 a fault is not remembered: the next try asks again', async () => {
    const started = await begin();
    const artifact = started.attach('bundle');
    answerInstead(started, (response) => response.writeHead(500).end());
    expect(outline(await started.find()).at(-1)).toBe('incomplete RegistryUnavailable');
    started.registry.intercept(undefined);
    expect(outline(await started.find())).toEqual([...found(artifact), 'complete']);
  });
});

const because = (why: string | undefined): string => (why === undefined ? '' : ` (not so here: ${why})`);

/** A further repository is asked beside the image's own. */
const asksPerListing = ({ isElsewhere }: Carrier): number => (isElsewhere === true ? 2 : 1);

async function readLayer(events: readonly ReferrerEvent[]): Promise<string> {
  const found = events.find(({ kind }) => kind === 'candidate');
  if (found?.kind !== 'candidate') throw new Error('no candidate');
  const [layer] = found.manifest.layers;
  if (layer === undefined) throw new Error('no layer');
  return Buffer.from(await found.fetchLayer(layer, accessOf())).toString();
}

/** Answers page by page; the pages that were asked for, in order. */
function pages(
  started: StartedCarrier,
  isAskedFor: (started: StartedCarrier, url: string) => boolean,
  answer: (page: number) => { readonly body: object; readonly next: number | undefined },
): number[] {
  const asked: number[] = [];
  started.registry.intercept((request, response) => {
    const url = request.url ?? '';
    const [first = '', page = '0'] = url.split(/[?&]page=/);
    if (!isAskedFor(started, first)) return false;
    asked.push(Number(page));
    const { body, next } = answer(Number(page));
    const link = `<${first}${first.includes('?') ? '&' : '?'}page=${next}>; rel="next"`;
    const headers = { 'content-type': ociIndex, ...(next === undefined ? {} : { link }) };
    response.writeHead(200, headers).end(JSON.stringify(body));
    return true;
  });
  return asked;
}

/** Puts a Link onto every manifest. */
function linkEverything({ registry }: Started, link: string): void {
  registry.intercept((request, response) => {
    const [, repository = '', reference = ''] =
      /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const digest = registry.store.resolveTag(repository, reference) ?? (reference as typeof app.digest);
    const held = registry.store.manifest(repository, digest);
    if (held === undefined) return false;
    const headers = { 'content-type': held.mediaType, 'docker-content-digest': held.digest };
    response.writeHead(200, { ...headers, link: `<${link}>; rel="next"` }).end(held.bytes);
    return true;
  });
}
