import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveSource } from '../../src/admission/live-source.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest, policy, policyNames } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';
import type { FakeApiServer } from './fake-api-server.ts';

let cluster: ClusterUnderTest;
let api: FakeApiServer;
beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  api = cluster.api;
  api.put(paths.clusterPolicies, policy('p'));
});
afterEach(() => cluster.stop());

const path = paths.clusterPolicies;
const inForce = (source: LiveSource, ...names: string[]): Promise<void> =>
  until(() => {
    expect(policyNames(source)).toEqual(names);
  });

/** A source that has begun to watch. */
async function watching(...timing: Parameters<ClusterUnderTest['open']>): Promise<LiveSource> {
  const source = await cluster.open(...timing);
  await inForce(source, 'p');
  await until(() => {
    expect(api.watchCount(path)).toBe(1);
  });
  return source;
}

describe('Reflector', () => {
  it('goes on from the last version when a watch is reset', async () => {
    const source = await watching();
    const version = api.put(path, policy('q'));
    await inForce(source, 'p', 'q');
    api.resetWatches(path);
    api.put(path, policy('r'));
    await inForce(source, 'p', 'q', 'r');
    expect(api.seen(path, 'read')).toHaveLength(1);
    expect(api.seen(path, 'watch').at(-1)?.query).toMatchObject({
      resourceVersion: String(version),
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
    });
  });

  it('goes on from a bookmark when the server ends the watch', async () => {
    const source = await watching();
    const version = api.bookmark();
    api.endWatches(path);
    await until(() => {
      expect(api.seen(path, 'watch').at(-1)?.query['resourceVersion']).toBe(String(version));
    });
    api.put(path, policy('q'));
    await inForce(source, 'p', 'q');
    expect(api.seen(path, 'read')).toHaveLength(1);
  });

  it('takes half an event for none, and gets the whole one after the reset', async () => {
    const source = await watching();
    api.writeRaw(path, '{"type":"ADDED","object":{"metadata":{"name":"half","resourceVersion":"900"}');
    api.resetWatches(path);
    api.put(path, policy('r'));
    await inForce(source, 'p', 'r');
    expect(api.seen(path, 'watch').every(({ query }) => query['resourceVersion'] !== '900')).toBe(true);
    expect(api.seen(path, 'read')).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{"type":"ADDED","object":\n'],
    ['no object', '{"type":"ADDED"}\n'],
    ['an object without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"900"}}}\n'],
    ['an unknown type', '{"type":"MOVED","object":{"metadata":{"name":"p","resourceVersion":"900"}}}\n'],
    ['an error', '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n'],
    ['a bookmark without a version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
  ])('lists anew after an event that is %s', async (_, line) => {
    const source = await watching();
    api.putUnseen(path, policy('q'));
    api.writeRaw(path, line);
    await inForce(source, 'p', 'q');
    expect(api.seen(path, 'read')).toHaveLength(2);
  });

  it('T11 gives up an event that does not end, and lists anew', async () => {
    const source = await watching();
    api.putUnseen(path, policy('q'));
    api.writeRaw(path, '{"type":"ADDED","object":"');
    for (let written = 0; written <= 16; written++) api.writeRaw(path, 'x'.repeat(1024 * 1024));
    await inForce(source, 'p', 'q');
  });

  it.each([410, 500, 403])(
    'lists anew when a watch is answered with %i, and drops what is gone',
    async (status) => {
      const source = await watching();
      api.fault = ({ query }, response) => {
        if (query['watch'] !== 'true') return false;
        answerJson(response, status, { kind: 'Status', code: status });
        return true;
      };
      api.putUnseen(path, policy('q'));
      api.resetWatches(path);
      await inForce(source, 'p', 'q');
      api.fault = undefined;
      api.delete(path, 'p');
      api.compact();
      await inForce(source, 'q');
    },
  );

  it('lists anew when the events since its version are gone', async () => {
    const source = await watching();
    api.fault = ({ query }) => query['watch'] === 'true'; // left without an answer
    api.resetWatches(path);
    api.delete(path, 'p');
    api.put(path, policy('q'));
    api.compact();
    await until(() => {
      expect(api.seen(path, 'watch').length).toBeGreaterThan(1);
    });
    expect(policyNames(source)).toEqual(['p']);
    api.fault = undefined;
    await api.stop();
    await api.listen();
    await inForce(source, 'q');
  });

  it('restarts a watch that is silent, before and after its answer began', async () => {
    const source = await watching({ maxSilenceMs: 60 });
    await until(() => {
      expect(api.seen(path, 'watch').length).toBeGreaterThan(1);
    });
    api.fault = ({ query }) => query['watch'] === 'true';
    const before = api.seen(path, 'watch').length;
    await until(() => {
      expect(api.seen(path, 'watch').length).toBeGreaterThan(before + 1);
    });
    expect(api.seen(path, 'read')).toHaveLength(1);
    api.fault = undefined;
    api.put(path, policy('q'));
    await inForce(source, 'p', 'q');
  });

  it('T33 is ready after a list that the server did not answer at first', async () => {
    api.fault = ({ query }) => query['watch'] !== 'true';
    const source = await cluster.open({ listTimeoutMs: 60 });
    await until(() => {
      expect(api.seen(path, 'read').length).toBeGreaterThan(1);
      expect(source.status().missing[0]).toMatch(/cannot be reached, or stopped answering/);
    });
    expect(source.snapshot()).toBeUndefined();
    api.fault = undefined;
    await inForce(source, 'p');
  });

  it('lists anew now and then, so that a lost event is made good', async () => {
    const source = await watching({ relistMs: 100 });
    api.putUnseen(path, policy('q'));
    await inForce(source, 'p', 'q');
    expect(api.seen(path, 'read').length).toBeGreaterThan(1);
  });

  it('reads a list in pages', async () => {
    for (let index = 0; index < 1201; index++) {
      api.put(paths.namespaces, { metadata: { name: `ns-${index}`, labels: { index: String(index) } } });
    }
    const source = await watching();
    expect(
      api.seen(paths.namespaces, 'read').map(({ query }) => [query['limit'], query['continue']]),
    ).toEqual([
      ['500', undefined],
      ['500', '500'],
      ['500', '1000'],
    ]);
    expect(await source.labels('ns-1200', AbortSignal.timeout(1000))).toEqual({ index: '1200' });
    expect(api.seen(`${paths.namespaces}/ns-1200`, 'read')).toHaveLength(0);
  });

  it('T11 asks for smaller pages when one is too large', async () => {
    api.fault = (request, response) => {
      if (request.path !== path || Number(request.query['limit'] ?? 0) <= 125) return false;
      response.writeHead(200);
      const chunk = ' '.repeat(1024 * 1024);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', write);
      write();
      return true;
    };
    const source = await cluster.open();
    await inForce(source, 'p');
    expect(api.seen(path, 'read').map(({ query }) => query['limit'])).toEqual(['500', '250', '125']);
  });

  it.each([
    ['no JSON', 'oops', 'answer to /apis/refwarden.dev/v1alpha1/clusterartifactpolicies is no JSON object'],
    ['no version', '{"items":[]}', 'sent a list without a version for clusterartifactpolicies'],
    [
      'no items',
      '{"metadata":{"resourceVersion":"1"}}',
      'sent a list without items for clusterartifactpolicies',
    ],
    [
      'an object without a name',
      '{"metadata":{"resourceVersion":"1"},"items":[{}]}',
      'sent a list with an object without a name for clusterartifactpolicies',
    ],
    [
      'one page for ever',
      '{"metadata":{"resourceVersion":"1","continue":"x"},"items":[]}',
      'sent the same page of a list twice for clusterartifactpolicies',
    ],
  ])('T28 a list with %s is not taken for an empty one', async (_, body, message) => {
    api.fault = (request, response) => {
      if (request.path !== path || request.query['watch'] === 'true') return false;
      response.writeHead(200).end(body);
      return true;
    };
    const source = await cluster.open();
    await until(() => {
      expect(source.status().missing).toEqual([expect.stringContaining(message) as string]);
    });
    expect(source.snapshot()).toBeUndefined();
  });

  it('does not parse again what it lists anew unchanged', async () => {
    const source = await watching({ relistMs: 30 });
    const first = source.snapshot();
    const listed = api.seen(path, 'read').length;
    await until(() => {
      expect(api.seen(path, 'read').length).toBeGreaterThan(listed + 2);
    });
    expect(source.snapshot()).toBe(first);
  });
});
