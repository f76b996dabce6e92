import { describe, expect, it } from 'vitest';
import { ociIndex } from '../../src/oci/media-types.ts';
import { manifest } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, pushCosignTag, pushFallbackTag, repository } from './artifacts.ts';
import { app, both, collect, endOf, firstCandidate, outline, signatures, start } from './start-source.ts';
import type { Started } from './start-source.ts';

const next = manifest('next');

/** A registry without the API for referrers, and a client that knows it from another repository. */
async function withoutApi(): Promise<Started> {
  const started = await start({ mechanisms: { references: false, referrers: false } });
  const elsewhere = { ...started.subject, repository: 'shop/elsewhere' };
  await collect(started.source.referrers(elsewhere, both, accessOf()));
  started.requests();
  return started;
}

describe('requests on the wire, by digest', () => {
  it("a signature under cosign's tag costs 3 where the host is known to lack the API", async () => {
    const started = await withoutApi();
    pushCosignTag(started.registry, app);
    const access = accessOf();
    await firstCandidate(started, signatures, access);
    // The fallback tag is asked at the same time.
    expect(started.requests()).toHaveLength(3);
    expect([access.trace.total, access.trace.sequential]).toEqual([3, 2]);
  });

  it('a bundle costs 3 by the referrers API', async () => {
    const started = await start();
    pushBundle(started.registry, app);
    const access = accessOf();
    await firstCandidate(started, both, access);
    expect(started.requests()).toHaveLength(3);
    expect(access.trace.total).toBe(3);
  });

  it('the same discovery again costs 0, its end included', async () => {
    const started = await start();
    pushBundle(started.registry, app);
    await firstCandidate(started);
    await started.discover();
    started.requests();
    await firstCandidate(started);
    await started.discover();
    expect(started.requests()).toEqual([]);
  });

  it('T39 200 at once cost what one costs', async () => {
    const started = await start();
    pushBundle(started.registry, app);
    await Promise.all(Array.from({ length: 200 }, () => firstCandidate(started)));
    expect(started.requests()).toHaveLength(3);
  });

  it('the mechanism that satisfied a repository last is asked first for its next image', async () => {
    const started = await start();
    for (const image of [app, next]) pushCosignTag(started.registry, image);
    await firstCandidate(started, signatures);
    expect(started.requests()).toHaveLength(3);
    await firstCandidate(started, signatures, accessOf(), next.digest);
    expect(started.requests().map((request) => request.replace(/sha256.[0-9a-f]+/, 'D'))).toEqual([
      'GET manifests/D.sig',
    ]);
  });

  it('so it is for the fallback tag, which comes right after the API whose absence makes it count', async () => {
    const started = await withoutApi();
    for (const image of [app, next]) {
      const bundle = pushBundle(started.registry, image, `bundle of ${image.digest}`);
      pushFallbackTag(started.registry, image, [bundle.descriptor]);
    }
    await firstCandidate(started);
    expect(started.requests()).toHaveLength(5);
    await firstCandidate(started, both, accessOf(), next.digest);
    expect(started.requests()).toHaveLength(3);
  });

  it('"no such API" is believed for ten minutes', async () => {
    const started = await withoutApi();
    await started.discover(signatures);
    expect(started.requests().join()).not.toContain('referrers/');
    started.clock.advance(600_000);
    await started.discover(signatures);
    expect(started.requests().join()).toContain('referrers/');
  });

  it('T28 but a denial does not stand on it once it is older than the caller allows', async () => {
    const started = await withoutApi();
    started.clock.advance(30_000);
    expect(endOf(await started.discover(signatures)).listingAgeMs).toBe(30_000);
    started.requests();
    // Whoever runs the registry turned the API on in the meantime.
    const bundle = pushBundle(started.registry, app);
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      const list = { schemaVersion: 2, mediaType: ociIndex, manifests: [bundle.descriptor] };
      response.writeHead(200, { 'content-type': ociIndex }).end(JSON.stringify(list));
      return true;
    });
    const fresh = await started.discover(signatures, accessOf({ maxListingAgeMs: 10_000 }));
    expect(outline(fresh)).toEqual([`candidate Referrers ${bundle.digest}`, 'complete']);
    expect(endOf(fresh).listingAgeMs).toBe(0);
    // What was learned holds for the others too.
    expect(outline(await started.discover(signatures))[0]).toBe(`candidate Referrers ${bundle.digest}`);
  });

  it('T28 the age of "no such API" is that of the asking, and a host is asked for it once', async () => {
    const started = await withoutApi();
    started.clock.advance(30_000);
    const access = accessOf({ maxListingAgeMs: 10_000 });
    for (const image of [app, next]) {
      const end = endOf(await started.discover(signatures, access, image.digest));
      expect([end.complete, end.listingAgeMs]).toEqual([true, 0]);
    }
    expect(started.requests().filter((request) => request.includes('referrers/'))).toHaveLength(1);
  });

  it('T29 that one repository is unknown does not hide the referrers of the others', async () => {
    const started = await start();
    const bundle = pushBundle(started.registry, app);
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true || request.url.includes(repository)) return false;
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
      return true;
    });
    const unknown = { ...started.subject, repository: 'shop/unknown' };
    await collect(started.source.referrers(unknown, both, accessOf()));
    expect((await firstCandidate(started))?.digest).toBe(bundle.digest);
  });
});
