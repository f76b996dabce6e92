import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveSource } from '../../src/admission/live-source.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';
import type { FakeApiServer } from './fake-api-server.ts';

let cluster: ClusterUnderTest;
let api: FakeApiServer;
let source: LiveSource;
beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  api = cluster.api;
  source = await cluster.open();
  await until(() => {
    expect(source.status().ready).toBe(true);
  });
});
afterEach(() => cluster.stop());

const shop = `${paths.namespaces}/shop`;
const signal = new AbortController().signal;

/** Holds back the answers for one namespace. */
function hold(path: string): ServerResponse[] {
  const held: ServerResponse[] = [];
  api.fault = (request, response) => {
    if (request.path !== path) return false;
    held.push(response);
    return true;
  };
  return held;
}
const seen = (held: readonly unknown[]): Promise<void> =>
  until(() => {
    expect(held.length).toBeGreaterThan(0);
  });

describe('labels of a namespace that no watch has shown', () => {
  it('asks the API server', async () => {
    api.putUnseen(paths.namespaces, { metadata: { name: 'shop', labels: { env: 'prod' } } });
    api.putUnseen(paths.namespaces, { metadata: { name: 'bare' } });
    expect(await source.labels('shop', signal)).toEqual({ env: 'prod' });
    expect(await source.labels('bare', signal)).toEqual({});
  });

  it('T35 a namespace that the API server does not have is unknown', async () => {
    await expect(source.labels('shop', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message: 'The labels of namespace "shop" are not known: it does not exist.',
    });
  });

  it.each([
    [500, 'the API server answered 500'],
    [
      403,
      'The account may not read namespaces: allow it the verbs get, list and watch on resources ["namespaces"] of apiGroups [""] in a ClusterRole',
    ],
  ])('T35 a namespace is unknown when the API server answers %i', async (status, reason) => {
    api.fault = ({ path }, response) => {
      if (path !== shop) return false;
      answerJson(response, status, { kind: 'Status', code: status });
      return true;
    };
    await expect(source.labels('shop', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message: `The labels of namespace "shop" are not known: ${reason}.`,
    });
  });

  it('T35 a namespace is unknown when the answer breaks off', async () => {
    const held = hold(shop);
    const labels = source.labels('shop', signal);
    await seen(held);
    held[0]?.writeHead(200);
    held[0]?.write('{"metadata":{"name":"shop","labels":{}}');
    held[0]?.socket?.resetAndDestroy();
    await expect(labels).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message: 'The labels of namespace "shop" are not known: the API server did not answer.',
    });
  });

  it('T35 a namespace is unknown when the answer is another object', async () => {
    api.fault = ({ path }, response) => {
      if (path !== shop) return false;
      answerJson(response, 200, { kind: 'Status', status: 'Success' });
      return true;
    };
    await expect(source.labels('shop', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message:
        'The labels of namespace "shop" are not known: the API server did not answer with a Namespace.',
    });
  });

  it('shares one request, and a caller that gives up ends only its own wait', async () => {
    const held = hold(shop);
    const impatient = new AbortController();
    const first = source.labels('shop', impatient.signal);
    const second = source.labels('shop', signal);
    await seen(held);
    impatient.abort();
    await expect(first).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message:
        'The labels of namespace "shop" are not known: the API server did not answer within the time of the decision.',
    });
    for (const response of held)
      answerJson(response, 200, {
        metadata: { name: 'shop', resourceVersion: '1', labels: { env: 'prod' } },
      });
    expect(await second).toEqual({ env: 'prod' });
    expect(held).toHaveLength(1);
    await expect(source.labels('shop', impatient.signal)).rejects.toMatchObject({ code: 'NamespaceUnknown' });
    expect(held).toHaveLength(1);
  });

  it('T11 bounds how many namespaces are asked for at a time', async () => {
    api.fault = ({ path }) => path.startsWith(`${paths.namespaces}/ns-`);
    const waiting = Promise.allSettled(
      Array.from({ length: 32 }, (_, index) => source.labels(`ns-${index}`, signal)),
    );
    await expect(source.labels('ns-32', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message:
        'The labels of namespace "ns-32" are not known: too many namespaces are being asked for at this moment.',
    });
    await source.close();
    const results = await waiting;
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('T08 a name cannot lead the request elsewhere', async () => {
    await expect(source.labels('../configmaps?x=', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
    });
    expect(api.requests.at(-1)?.path).toBe(`${paths.namespaces}/..%2Fconfigmaps%3Fx%3D`);
  });

  it('T35 a namespace that was deleted is unknown, not remembered', async () => {
    api.put(paths.namespaces, { metadata: { name: 'shop', labels: { env: 'prod' } } });
    await until(async () => {
      expect(await source.labels('shop', signal)).toEqual({ env: 'prod' });
    });
    api.delete(paths.namespaces, 'shop');
    await until(async () => {
      await expect(source.labels('shop', signal)).rejects.toMatchObject({ code: 'NamespaceUnknown' });
    });
  });
});
