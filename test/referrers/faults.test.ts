import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import type { Mechanism } from '../../src/policy/evidence.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { manifest } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { pushBundle, pushCosignTag } from './artifacts.ts';
import { app, both, endOf, outline, signatures, start } from './start-source.ts';

type Answer = (response: ServerResponse, url: string) => void;

const plain =
  (status: number, type = 'application/json', body = '', headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);
  };
const error = (status: number, code: string): Answer =>
  plain(status, undefined, `{"errors":[{"code":"${code}"}]}`);

/** What the end must say: not looked through because of that, or nothing there. */
type Expected = FailureCode | 'none';
type Row = readonly [fault: string, answer: Answer, ofAnApi: Expected, ofATag: Expected];

const faults: Row[] = [
  ['401', plain(401), 'RegistryUnauthorized', 'RegistryUnauthorized'],
  ['403', plain(403), 'RegistryUnauthorized', 'RegistryUnauthorized'],
  ['429', plain(429), 'RegistryRateLimited', 'RegistryRateLimited'],
  ['500', plain(500), 'RegistryUnavailable', 'RegistryUnavailable'],
  ['503', plain(503), 'RegistryUnavailable', 'RegistryUnavailable'],
  ['no answer', () => undefined, 'RegistryTimeout', 'RegistryTimeout'],
  [
    'a reset within the body',
    (response) => {
      response.writeHead(200, { 'content-type': ociIndex, 'content-length': '999' });
      response.write('{"schemaVersion":2,"manifests":[', () => response.destroy());
    },
    'RegistryUnavailable',
    'RegistryUnavailable',
  ],
  [
    'a redirect loop',
    (response, url) => {
      response.writeHead(307, { location: `${url}x` }).end();
    },
    'RegistryProtocolError',
    'RegistryProtocolError',
  ],
  [
    'truncated JSON',
    plain(200, ociIndex, '{"manifests":['),
    'RegistryProtocolError',
    'RegistryProtocolError',
  ],
  [
    'duplicate keys',
    plain(200, ociIndex, '{"manifests":[],"manifests":[]}'),
    'RegistryProtocolError',
    'RegistryProtocolError',
  ],
  ['an answer of 5 MB', plain(200, ociIndex, ' '.repeat(5_000_000)), 'ArtifactTooLarge', 'ArtifactTooLarge'],
  ['an unknown status', plain(418), 'RegistryProtocolError', 'RegistryProtocolError'],
  [
    '400 for another reason',
    error(400, 'MANIFEST_INVALID'),
    'RegistryProtocolError',
    'RegistryProtocolError',
  ],

  // "No such API", in all the ways that registries say it; for a tag each of these is odd.
  ['404 HTML', plain(404, 'text/html', '<html>'), 'none', 'RegistryProtocolError'],
  ['405', plain(405), 'none', 'RegistryProtocolError'],
  ['406', plain(406), 'none', 'RegistryProtocolError'],
  ['501', plain(501), 'none', 'RegistryProtocolError'],
  ['400 UNSUPPORTED', error(400, 'UNSUPPORTED'), 'none', 'RegistryProtocolError'],
  ['a web page', plain(200, 'text/html', '<html>'), 'none', 'RegistryProtocolError'],
  ['JSON that is no index', plain(200, undefined, '{"ok":true}'), 'none', 'RegistryProtocolError'],
  [
    'a redirect elsewhere',
    plain(303, undefined, '', { location: 'http://other.example/' }),
    'none',
    'RegistryRefused',
  ],

  ['404', error(404, 'MANIFEST_UNKNOWN'), 'none', 'none'],
  [
    'a digest that is not that of the content',
    plain(200, ociIndex, '{"schemaVersion":2,"manifests":[]}', {
      'docker-content-digest': manifest('x').digest,
    }),
    'none',
    'DigestMismatch',
  ],
];

interface Place {
  readonly mechanism: Mechanism;
  readonly isApi: boolean;
  readonly path: string;
  readonly referrers: boolean;
}

const places: Place[] = [
  { mechanism: 'References', isApi: true, path: `/manifests/${app.digest}/references`, referrers: true },
  { mechanism: 'Referrers', isApi: true, path: `/referrers/${app.digest}`, referrers: true },
  { mechanism: 'FallbackTag', isApi: false, path: `/manifests/${fallbackTag(app.digest)}`, referrers: false },
  {
    mechanism: 'CosignTag',
    isApi: false,
    path: `/manifests/${fallbackTag(app.digest)}.sig`,
    referrers: true,
  },
];
const ask: Mechanism[] = ['References', 'Referrers', 'FallbackTag', 'CosignTag'];

describe.each(places)('a fault of $mechanism', ({ mechanism, isApi, path, referrers }) => {
  it.each(faults)('T28 %s is never taken for "nothing found"', async (_, answer, ofAnApi, ofATag) => {
    const expected = isApi ? ofAnApi : ofATag;
    const started = await start({
      ask,
      mechanisms: { references: true, referrers },
      limits: expected === 'RegistryTimeout' ? { requestTimeoutMs: 400 } : {},
    });
    // The other mechanisms are asked all the same.
    const beside = pushCosignTag(started.registry, app, mechanism === 'CosignTag' ? 'att' : 'sig');
    started.registry.intercept((request, response) => {
      const url = request.url ?? '';
      if (!url.endsWith(path) && !url.includes(`${path}x`)) return false;
      answer(response, url);
      return true;
    });
    const events = await started.discover(mechanism === 'CosignTag' ? both : signatures);
    expect(outline(events)).toEqual([
      `candidate CosignTag ${beside.digest}`,
      expected === 'none' ? 'complete' : `incomplete ${expected}`,
    ]);
    const [failed] = endOf(events).failures;
    if (expected !== 'none') expect(failed?.message).toContain(started.registry.host);
    expect(failed?.message ?? '').not.toMatch(/html|errors|other\.example/);
  });
});

describe('a fault of everything', () => {
  it('T28 ends incomplete, naming each', async () => {
    const started = await start({ ask });
    started.registry.intercept((_, response) => {
      response.writeHead(503).end();
      return true;
    });
    const events = await started.discover();
    expect(outline(events)).toEqual([
      'incomplete RegistryUnavailable,RegistryUnavailable,RegistryUnavailable,RegistryUnavailable',
    ]);
  });

  it('keeps what lies behind it for the log, of a listing and of an artifact alike', async () => {
    const started = await start({ ask: ['Referrers'] });
    pushBundle(started.registry, app);
    for (const path of ['/referrers/', '/manifests/']) {
      started.registry.intercept((request, response) => {
        if (request.url?.includes(path) !== true) return false;
        response.destroy();
        return true;
      });
      const [failed] = endOf(await started.discover(both, accessOf({ maxListingAgeMs: -1 }))).failures;
      expect(failed).toMatchObject({ code: 'RegistryUnavailable' });
      expect(failed?.cause).toMatchObject({ code: 'UND_ERR_SOCKET' });
    }
  });

  it("T28 the caller's deadline ends its wait with a word, once", async () => {
    const started = await start();
    started.registry.intercept(() => true);
    const caller = new AbortController();
    const discovery = started.discover(both, accessOf({ signal: caller.signal }));
    setImmediate(() => {
      caller.abort();
    });
    expect(outline(await discovery)).toEqual(['incomplete DeadlineExceeded']);
  });
});

describe('an artifact whose manifest lies', () => {
  it('T12 does not count when its bytes are others than were listed', async () => {
    const started = await start({ ask: ['Referrers'] });
    const claimed = manifest('claimed', { subject: app.descriptor });
    started.registry.intercept((request, response) => {
      const isListing = request.url?.includes('/referrers/') === true;
      response.writeHead(200, { 'content-type': isListing ? ociIndex : ociManifest });
      response.end(
        isListing ? JSON.stringify({ manifests: [{ ...claimed.descriptor, size: 1 }] }) : app.bytes,
      );
      return true;
    });
    expect(outline(await started.discover())).toEqual(['unusable Referrers DigestMismatch', 'complete']);
  });
});
