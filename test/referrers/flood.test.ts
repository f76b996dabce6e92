import { describe, expect, it } from 'vitest';
import { computeDigest } from '../../src/image/digest.ts';
import { ociIndex } from '../../src/oci/media-types.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, pushCosignTag } from './artifacts.ts';
import { app, both, endOf, firstCandidate, outline, signatures, start } from './start-source.ts';

const foreign = 'application/vnd.example.junk';
const isFetch = (request: string): boolean => /manifests\/sha256:/.test(request);

describe('a flood of referrers', () => {
  it('T29 of another type costs a good one nothing', async () => {
    const started = await start({ referrersPageSize: 50 });
    for (let i = 0; i < 300; i++) pushBundle(started.registry, app, `junk ${i}`, { artifactType: foreign });
    const good = pushBundle(started.registry, app, 'good');
    expect((await firstCandidate(started))?.digest).toBe(good.digest);
    expect(started.requests().filter(isFetch)).toHaveLength(1);
  });

  it('T29 does not hide a signature under its tag', async () => {
    const started = await start();
    for (let i = 0; i < 70; i++) pushBundle(started.registry, app, `junk ${i}`);
    const signature = pushCosignTag(started.registry, app);
    const events = outline(await started.discover(signatures));
    expect(events).toContain(`candidate CosignTag ${signature.digest}`);
    expect(events.at(-1)).toBe('incomplete TooManyReferrers');
  });

  it('T29 past the bound is inconclusive, and says how many were not looked at', async () => {
    const started = await start();
    for (let i = 0; i < 70; i++) pushBundle(started.registry, app, `junk ${i}`, { artifactType: foreign });
    const events = await started.discover();
    expect(started.requests().filter(isFetch)).toHaveLength(64);
    expect(endOf(events)).toMatchObject({
      complete: false,
      failures: [
        {
          code: 'TooManyReferrers',
          message: `${started.registry.host}/shop/app: 6 of 70 artifacts listed for ${app.digest.slice(0, 15)} were not looked at; the limit is 64.`,
        },
      ],
    });
  });

  it('fetches more at once the longer it goes on', async () => {
    const started = await start();
    for (let i = 0; i < 60; i++) pushBundle(started.registry, app, `bundle ${i}`);
    const fetched: number[] = [];
    for await (const batch of started.source.referrers(started.subject, signatures, accessOf())) {
      if (batch.some(({ kind }) => kind === 'candidate'))
        fetched.push(started.registry.requests.filter(({ path }) => isFetch(path)).length);
    }
    expect(fetched).toEqual([1, 20, 52, 60]);
  });
});

describe('pages', () => {
  it('are all read', async () => {
    const started = await start({ referrersPageSize: 2 });
    const bundles = Array.from({ length: 5 }, (_, i) => pushBundle(started.registry, app, `bundle ${i}`));
    const events = outline(await started.discover(signatures));
    expect(events.toSorted()).toEqual(
      [...bundles.map(({ digest }) => `candidate Referrers ${digest}`), 'complete'].toSorted(),
    );
  });

  const listed = (next: string, count = 0): ((url: string) => { link: string; body: string }) => {
    const entry = (i: number): object => ({ digest: computeDigest(Buffer.from(String(i))) });
    return (url) => ({
      link: `<${next.replace('N', String(url.length))}>; rel="next"`,
      body: JSON.stringify({ manifests: Array.from({ length: count }, (_, i) => entry(i)) }),
    });
  };

  it.each([
    ['T11 that never end are bounded', listed('?n=1111N'), 'TooManyReferrers', /: not read past page 40\.$/],
    ['T11 that go round end', listed('?same'), 'RegistryProtocolError', /: its pages go round\.$/],
    [
      'T09 on another host are not read',
      listed('http://evil.example/v2/shop/app/referrers/x'),
      'RegistryRefused',
      /the next page is not within the registry's API\.$/,
    ],
    [
      'T09 of another repository are not read',
      listed('/v2/other/referrers/x'),
      'RegistryRefused',
      /not within/,
    ],
    [
      'T09 above the repository are not read',
      listed('/v2/shop/app/../../other'),
      'RegistryRefused',
      /not within/,
    ],
    [
      'T11 with too many entries are cut',
      listed('?n=1', 2_001),
      'TooManyReferrers',
      /: not read past page 1\.$/,
    ],
  ] as const)('%s, and that is inconclusive', async (_, answer, code, message) => {
    const started = await start({ ask: ['Referrers'], limits: { maxReferrerFetches: 1_000_000 } });
    let url = '';
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      url = code === 'TooManyReferrers' ? `${url}x` : request.url;
      const { link, body } = answer(url);
      response.writeHead(200, { 'content-type': ociIndex, link }).end(body);
      return true;
    });
    const end = endOf(await started.discover(both));
    expect(end.complete).toBe(false);
    expect(end.failures[0]).toMatchObject({ code });
    expect(end.failures[0]?.message).toMatch(message);
    expect(
      started.registry.requests.filter(({ path }) => path.includes('/referrers/')).length,
    ).toBeLessThanOrEqual(40);
  });

  it('T29 entries that name nothing spoil no others', async () => {
    const started = await start({ ask: ['Referrers'] });
    const good = pushBundle(started.registry, app);
    const entries = [
      {},
      null,
      'x',
      { digest: 'md5:1' },
      { digest: 7 },
      { ...good.descriptor, size: -1, mediaType: 9 },
    ];
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      response.writeHead(200, { 'content-type': ociIndex }).end(JSON.stringify({ manifests: entries }));
      return true;
    });
    expect(outline(await started.discover())).toEqual([
      ...[
        'ManifestInvalid',
        'ManifestInvalid',
        'ManifestInvalid',
        'DigestUnsupported',
        'ManifestInvalid',
      ].map((code) => `unusable Referrers ${code}`),
      `candidate Referrers ${good.digest}`,
      'complete',
    ]);
  });
});
