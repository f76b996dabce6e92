import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../src/kubernetes/api-client.ts';
import { EventRecorder } from '../../src/kubernetes/event-recorder.ts';
import type { ClusterEvent } from '../../src/kubernetes/event-recorder.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerStatus, paths } from './fake-api-server.ts';

const event: ClusterEvent = {
  apiVersion: 'v1',
  kind: 'Namespace',
  name: 'shop',
  uid: 'uid-1',
  reason: 'Seen',
  message: 'It was seen.',
};
const { signal } = new AbortController();

let cluster: ClusterUnderTest;
let client: ApiClient;
let recorder: EventRecorder;
let log: string[];

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  client = await cluster.client();
  log = [];
  const write = (line: string): number => log.push((JSON.parse(line) as { msg: string }).msg);
  recorder = new EventRecorder(client, pino({}, { write }));
});
afterEach(async () => {
  await client.close();
  await cluster.stop();
});

const bodies = (method: string): unknown[] =>
  cluster.api.requests.filter((request) => request.method === method).map(({ body }) => body);
const untilWritten = (count: number): Promise<void> =>
  until(() => {
    expect(cluster.api.writes).toHaveLength(count);
  });

describe('EventRecorder', () => {
  it('names the very object, by its uid', async () => {
    recorder.record(event, signal);
    await untilWritten(1);
    expect(bodies('POST')).toEqual([
      expect.objectContaining({
        involvedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid: 'uid-1' },
        reason: 'Seen',
        message: 'It was seen.',
        type: 'Warning',
        count: 1,
      }),
    ]);
    expect(cluster.api.requests[0]?.headers['user-agent']).toBe('refwarden');
  });

  it('counts up what comes again, and writes what is gone anew', async () => {
    for (let times = 0; times < 3; times++) recorder.record(event, signal);
    recorder.record({ ...event, uid: 'uid-2' }, signal);
    await untilWritten(4);
    expect(bodies('PATCH')).toEqual([
      expect.objectContaining({ count: 2 }),
      expect.objectContaining({ count: 3 }),
    ]);
    expect(bodies('POST')).toHaveLength(2);
    const [, , patched] = cluster.api.writes;
    cluster.api.delete(paths.events, patched?.split('/').at(-1) ?? '', 'default');
    recorder.record(event, signal);
    await untilWritten(6);
    expect(bodies('POST')).toHaveLength(3);
  });

  it('says in the log what it may not write, and goes on', async () => {
    cluster.api.fault = (_request, response) => {
      answerStatus(response, 403);
      return true;
    };
    recorder.record(event, signal);
    await until(() => {
      expect(log).toEqual([
        expect.stringMatching(
          /^The API server answered 403 to writing shop\.[-\w]+ of events\. The account may not write events: allow it the verbs create and patch on resources \["events"\] of apiGroups \[""\] in a Role of namespace default\.$/,
        ),
      ]);
    });
    cluster.api.fault = undefined;
    recorder.record(event, signal);
    await untilWritten(2);
  });

  it('writes nothing, and says nothing, once it is closed', async () => {
    recorder.record(event, AbortSignal.abort());
    await sleep(50);
    expect([cluster.api.writes, log]).toEqual([[], []]);
  });
});
