import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Workload } from '../../src/admission/workload.ts';
import { PullSecrets } from '../../src/kubernetes/pull-secrets.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson } from './fake-api-server.ts';
import type { FakeApiServer } from './fake-api-server.ts';

let cluster: ClusterUnderTest;
let api: FakeApiServer;
let secrets: PullSecrets;
let nowMs: number;
/** By path: what is answered, an object or a status; 404 for anything else. */
let answers: Map<string, object | number>;
/** Answers are held back while this is pending. */
let gate: Promise<unknown>;

const secretPath = (name: string, namespace = 'shop'): string =>
  `/api/v1/namespaces/${namespace}/secrets/${name}`;
const accountPath = '/api/v1/namespaces/shop/serviceaccounts/runner';
const config = (
  text: string,
  type = 'kubernetes.io/dockerconfigjson',
  key = '.dockerconfigjson',
): object => ({
  type,
  data: { [key]: Buffer.from(text).toString('base64') },
});

beforeEach(async () => {
  nowMs = 1_000_000;
  answers = new Map();
  gate = Promise.resolve();
  cluster = await ClusterUnderTest.start();
  api = cluster.api;
  api.fault = ({ path }, response) => {
    const answer = answers.get(path) ?? 404;
    void gate.then(() => {
      if (typeof answer === 'number') answerJson(response, answer, {});
      else answerJson(response, 200, answer);
    });
    return true;
  };
  const kubeconfig = await cluster.kubeconfig({
    server: `http://127.0.0.1:${api.port}`,
    'insecure-skip-tls-verify': true,
  });
  secrets = new PullSecrets(kubeconfig, { nowMs: () => nowMs });
});
afterEach(async () => {
  await secrets.close();
  await cluster.stop();
});

const workload = (names: readonly string[], change: Partial<Workload> = {}): Workload => ({
  kind: 'Pod',
  namespace: 'shop',
  name: 'app',
  isTemplate: false,
  dryRun: false,
  images: [],
  pull: { secrets: names, serviceAccount: 'runner' },
  ...change,
});
const asked = (path: string): number => api.requests.filter((request) => request.path === path).length;

describe('PullSecrets', () => {
  it('reads both forms of Secrets, in the order of the workload', async () => {
    answers.set(secretPath('new'), config('{"auths":{}}'));
    answers.set(secretPath('old'), config('{}', 'kubernetes.io/dockercfg', '.dockercfg'));
    const { secrets: found, missing } = await secrets.find(workload(['old', 'new']));
    expect(found.map(({ name, form, bytes }) => [name, form, Buffer.from(bytes).toString()])).toEqual([
      ['secret old in namespace shop', 'dockercfg', '{}'],
      ['secret new in namespace shop', 'config.json', '{"auths":{}}'],
    ]);
    expect(missing).toEqual([]);
  });

  it('says what is not there, not allowed or of no use', async () => {
    answers.set(secretPath('forbidden'), 403);
    answers.set(secretPath('odd'), 500);
    answers.set(secretPath('opaque'), config('{}', 'Opaque'));
    answers.set(secretPath('empty'), { type: 'kubernetes.io/dockerconfigjson' });
    const { secrets: found, missing } = await secrets.find(
      workload(['absent', 'forbidden', 'odd', 'opaque', 'empty']),
    );
    expect(found).toEqual([]);
    expect(missing).toEqual([
      'secret absent in namespace shop does not exist',
      'secret forbidden in namespace shop may not be read by Refwarden',
      'secret odd in namespace shop was not read: the API server answered 500',
      'secret opaque in namespace shop is of no type that holds credentials of registries',
      'secret empty in namespace shop has no .dockerconfigjson',
    ]);
  });

  it('asks for the secrets of the service account only for a template that names none', async () => {
    answers.set(accountPath, { imagePullSecrets: [{ name: 'regcred' }, {}] });
    answers.set(secretPath('regcred'), config('{}'));
    const template = { kind: 'Deployment', isTemplate: true };
    expect((await secrets.find(workload([], template))).secrets).toHaveLength(1);
    await secrets.find(workload(['regcred'], template));
    await secrets.find(workload([]));
    expect(asked(accountPath)).toBe(1);
    answers.clear();
    nowMs += 10_000;
    expect((await secrets.find(workload([], template))).missing).toEqual([
      'service account runner in namespace shop does not exist',
    ]);
  });

  it('asks for each once while it is believed, and shares a request under way', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    gate = promise;
    answers.set(secretPath('regcred'), config('{}'));
    const both = Promise.all([secrets.find(workload(['regcred'])), secrets.find(workload(['regcred']))]);
    await until(() => {
      expect(asked(secretPath('regcred'))).toBe(1);
    });
    resolve(undefined);
    const [one, other] = await both;
    // The very same object: it is parsed once.
    expect(one.secrets[0]).toBe(other.secrets[0]);
    nowMs += 9_999;
    await secrets.find(workload(['regcred']));
    expect(asked(secretPath('regcred'))).toBe(1);
    nowMs += 1;
    await secrets.find(workload(['regcred']));
    expect(asked(secretPath('regcred'))).toBe(2);
    nowMs -= 60_000; // a clock that was set back believes nothing
    await secrets.find(workload(['regcred']));
    expect(asked(secretPath('regcred'))).toBe(3);
  });

  it('believes for a shorter time that there is none', async () => {
    await secrets.find(workload(['late']));
    nowMs += 4_999;
    await secrets.find(workload(['late']));
    expect(asked(secretPath('late'))).toBe(1);
    answers.set(secretPath('late'), config('{}'));
    nowMs += 1;
    expect((await secrets.find(workload(['late']))).secrets).toHaveLength(1);
  });

  it('T09 reads Secrets of the namespace of the workload alone, whatever a name looks like', async () => {
    const names = ['../../other/secrets/regcred', 'a?b=c', '..', 'a..b', 'A', '-a', 'a'.repeat(254)];
    const { missing } = await secrets.find(workload(names));
    expect(missing).toHaveLength(names.length);
    expect(missing[0]).toBe(
      'secret ../../other/secrets/regcred in namespace shop does not exist: no object has such a name',
    );
    await secrets.find(workload(['regcred'], { namespace: '..' }));
    expect(api.requests).toEqual([]);
  });

  it('T11 looks at the first 16 of a workload, and asks for 32 at the same time at most', async () => {
    const names = (prefix: string): string[] => Array.from({ length: 17 }, (_, i) => `${prefix}${i}`);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    gate = promise;
    const three = Promise.all(['a', 'b', 'c'].map((prefix) => secrets.find(workload(names(prefix)))));
    await until(() => {
      expect(api.requests).toHaveLength(32);
    });
    resolve(undefined);
    const [first, , third] = await three;
    expect(first?.missing.at(0)).toBe('only the first 16 pull secrets are looked at');
    expect(third?.missing.at(-1)).toBe(
      'secret c15 in namespace shop was not read: too many are being read at this moment',
    );
  });

  it('T11 lets no namespace take the place of another', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    gate = promise;
    const names = Array.from({ length: 16 }, (_, i) => `s${i}`);
    const greedy = Array.from({ length: 4 }, (_, i) =>
      secrets.find(workload(names.map((name) => `${name}-${i}`))),
    );
    await until(() => {
      expect(api.requests).toHaveLength(32);
    });
    answers.set(secretPath('regcred', 'other'), config('{}'));
    const other = secrets.find(workload(['regcred'], { namespace: 'other' }));
    await until(() => {
      expect(asked(secretPath('regcred', 'other'))).toBe(1);
    });
    resolve(undefined);
    expect((await other).secrets).toHaveLength(1);
    await Promise.all(greedy);
    // Places are free again.
    expect((await secrets.find(workload(['late']))).missing).toEqual([
      'secret late in namespace shop does not exist',
    ]);
  });

  it('T28 is no reason to fail when the API server is down', async () => {
    await api.stop();
    const { missing } = await secrets.find(workload(['regcred']));
    expect(missing).toEqual(['secret regcred in namespace shop was not read (ClusterUnavailable)']);
    await api.listen();
  });

  it('has nothing for a workload that comes from no cluster', async () => {
    const { pull, ...local } = workload(['regcred']);
    expect(pull).toBeDefined();
    expect(await secrets.find(local)).toEqual({ secrets: [], missing: [] });
    expect(api.requests).toEqual([]);
  });
});
