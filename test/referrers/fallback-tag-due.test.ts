import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ociIndex } from '../../src/oci/media-types.ts';
import { fallbackTag } from '../../src/referrers/fallback-tag.ts';
import { pushBundle, pushFallbackTag } from './artifacts.ts';
import { app, outline, start } from './start-source.ts';

type Answer = (response: ServerResponse) => void;

const status =
  (code: number, body = ''): Answer =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json' }).end(body);
  };
const listing =
  (body: string, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': ociIndex, ...headers }).end(body);
  };

/** Distribution-spec 1.1: the tag counts where the API is absent. It is looked at, too, where the API is refused. */
const answers: readonly (readonly [answer: string, Answer, isDue: boolean])[] = [
  ['an empty list', listing('{"manifests":[]}'), false],
  ['null', listing('{"manifests":null}'), false],
  ['a list', listing(JSON.stringify({ manifests: [app.descriptor] })), false],
  ['a list of what is malformed', listing('{"manifests":[{}]}'), false],
  ['a list whose next page is elsewhere', listing('{"manifests":[]}', { link: '</x>; rel="next"' }), false],
  ['truncated JSON', listing('{"manifests":['), false],
  ['400 for another reason', status(400, '{"errors":[{"code":"MANIFEST_INVALID"}]}'), false],
  ['429', status(429), false],
  ['500', status(500), false],
  ['503', status(503), false],
  ['404', status(404), true],
  ['404 for the repository', status(404, '{"errors":[{"code":"NAME_UNKNOWN"}]}'), true],
  ['405', status(405), true],
  ['400 UNSUPPORTED', status(400, '{"errors":[{"code":"UNSUPPORTED"}]}'), true],
  ['JSON that is no list', listing('{"ok":true}'), true],
  ['401', status(401), true],
  ['403', status(403), true],
];

describe('the fallback tag', () => {
  it.each(answers)('T15 after %s of the API is asked for as it should be', async (_, answer, isDue) => {
    const started = await start({
      ask: ['Referrers', 'FallbackTag'],
      mechanisms: { references: false, referrers: false },
    });
    const bundle = pushBundle(started.registry, app);
    pushFallbackTag(started.registry, app, [bundle.descriptor]);
    started.registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      answer(response);
      return true;
    });
    const events = outline(await started.discover());
    expect(events.filter((event) => event.startsWith('candidate'))).toEqual(
      isDue ? [`candidate FallbackTag ${bundle.digest}`] : [],
    );
    const asked = started.requests().filter((request) => request.endsWith(fallbackTag(app.digest)));
    expect(asked).toHaveLength(isDue ? 1 : 0);
  });

  it('T15 is asked for where settings leave out the API, whatever that would answer', async () => {
    const started = await start({ ask: ['FallbackTag'] });
    const bundle = pushBundle(started.registry, app);
    pushFallbackTag(started.registry, app, [bundle.descriptor]);
    expect(outline(await started.discover())).toEqual([`candidate FallbackTag ${bundle.digest}`, 'complete']);
    expect(started.requests().join()).not.toContain('referrers/');
  });
});
