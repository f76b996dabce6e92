import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveSource } from '../../src/admission/live-source.ts';
import { RefwardenError } from '../../src/failures/failure.ts';
import { secondText } from '../../src/failures/time-text.ts';
import type { ApiClient } from '../../src/kubernetes/api-client.ts';
import { Lease } from '../../src/kubernetes/lease.ts';
import type { ClusterOptions } from '../../src/kubernetes/open-cluster.ts';
import { StatusKeeper } from '../../src/kubernetes/status-keeper.ts';
import { captureLog } from '../support/captured-log.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest, issuer, policy } from './cluster-under-test.ts';
import { answerStatus, paths } from './fake-api-server.ts';
import type { FakeObject } from './fake-api-server.ts';

const release = { name: 'refwarden', namespace: 'refwarden-system' };
const startMs = Date.parse('2026-06-01T12:00:00Z');
const before = '2026-05-01T00:00:00Z';
const namespaced = '/apis/refwarden.dev/v1alpha1/namespaces';

let cluster: ClusterUnderTest;
let client: ApiClient;
let lease: Lease;
let keeper: StatusKeeper | undefined;
let log: ReturnType<typeof captureLog>;
let nowMs: number;

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  client = await cluster.client();
  log = captureLog();
  nowMs = startMs;
  cluster.api.put(paths.issuers, issuer('release'));
});
afterEach(async () => {
  await keeper?.close();
  await lease.close();
  await client.close();
  await cluster.stop();
});

async function open(options: Partial<ClusterOptions> = {}): Promise<LiveSource> {
  const source = await cluster.open({}, options);
  lease = new Lease({
    api: client,
    ...release,
    identity: 'this',
    isAble: () => true,
    logger: captureLog().log,
    timing: { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 100, strandedMs: 60_000 },
  });
  return source;
}

function keep(source: LiveSource): void {
  keeper = new StatusKeeper({
    api: client,
    lease,
    logger: log.log,
    objects: () => source.objects?.() ?? [],
    snapshot: () => source.snapshot(),
    clock: { nowMs: () => nowMs },
  });
}

/** When it may write, and there is something in force. */
async function start(options: Partial<ClusterOptions> = {}): Promise<LiveSource> {
  const source = await open(options);
  await until(() => {
    expect([lease.isHeld, source.status().ready]).toEqual([true, true]);
  });
  keep(source);
  return source;
}

/** Longer than it looks again in any case. */
const rounds = (): Promise<void> => sleep(2600);
const statusOf = (collection: string, name: string, namespace?: string): unknown =>
  cluster.api.get(collection, name, namespace)?.['status'];
const policyStatus = (name: string): unknown => statusOf(paths.clusterPolicies, name);
/** What was asked to be written, whether or not it was. */
const written = (): string[] =>
  cluster.api.writes.filter((write) => write.endsWith('/status')).map((write) => write.slice(0, -7));
const ofPolicy = (name: string): string => `PATCH ${paths.clusterPolicies}/${name}`;
const messages = (): unknown[] => log.lines().map(({ msg }) => msg);

const condition = (change: object = {}): object => ({
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: '',
  observedGeneration: 3,
  lastTransitionTime: secondText(startMs),
  ...change,
});
const ready = (change: object = {}): object => ({ observedGeneration: 3, conditions: [condition(change)] });
/** Of generation 3. */
const sound = (name: string, status?: unknown): FakeObject => {
  const { metadata, spec } = policy(name);
  return { metadata: { ...metadata, generation: 3 }, spec, ...(status === undefined ? {} : { status }) };
};
const putPolicy = (...args: Parameters<typeof sound>): void => {
  cluster.api.put(paths.clusterPolicies, sound(...args));
};
/** Another spec of a policy that is there: the status is the API server's to keep. */
const changePolicy = (name: string, generation: number, issuers: readonly string[]): void => {
  const { metadata, ...fields } = cluster.api.get(paths.clusterPolicies, name) as FakeObject;
  cluster.api.put(paths.clusterPolicies, {
    ...fields,
    metadata: { ...metadata, generation },
    spec: policy(name, { require: [{ name: 'signed', signature: { issuers } }] })['spec'],
  });
};
const refuse = (isRefused: (path: string) => boolean, status = 403): void => {
  cluster.api.fault = ({ method, path }, response) => {
    if (method !== 'PATCH' || !isRefused(path)) return false;
    answerStatus(response, status);
    return true;
  };
};

describe('StatusKeeper', () => {
  it('says of every resource whether it does what it says, and writes nothing but its status, once', async () => {
    putPolicy('everywhere');
    cluster.api.put(paths.policies, policy('here', { require: [] }, 'shop'));
    cluster.api.put(paths.exceptions, {
      metadata: { name: 'hotfix' },
      spec: {
        images: ['ghcr.io/acme/app'],
        namespaces: ['shop'],
        reason: 'INC-4711',
        policies: [{ name: 'everywhere', requirements: ['All'] }],
        expiresAt: '2026-07-01T00:00:00Z',
      },
    });
    cluster.api.put(paths.clusterPolicies, policy('later', { mode: 'Audit', require: [] }));
    await start();
    await until(() => {
      expect(written()).toHaveLength(5);
      expect(policyStatus('everywhere')).toEqual(ready());
      expect(statusOf(paths.issuers, 'release')).toMatchObject({ conditions: [{ status: 'True' }] });
      expect(statusOf(paths.policies, 'here', 'shop')).toMatchObject({
        conditions: [{ status: 'False', reason: 'PolicyInvalid' }],
      });
      expect(statusOf(paths.exceptions, 'hotfix')).toMatchObject({
        conditions: [{ status: 'True', message: 'It counts until 2026-07-01T00:00:00Z.' }],
      });
    });
    for (const { method, path, body, headers } of cluster.api.requests) {
      if (method !== 'PATCH') continue;
      expect(Object.keys(body ?? {})).toEqual(['status']);
      expect([path, headers['content-type']]).toEqual([
        expect.stringMatching(/\/status$/),
        'application/merge-patch+json',
      ]);
    }
    expect(written()).toContain(`PATCH ${namespaced}/shop/artifactpolicies/here`);
    nowMs += 60_000;
    await rounds();
    expect(written()).toHaveLength(5);
    expect(messages()).toEqual([]);
  });

  it('writes no status that is there already, whenever it was written', async () => {
    putPolicy('a', ready({ lastTransitionTime: before }));
    putPolicy('b');
    await start();
    await until(() => {
      expect(policyStatus('b')).toEqual(ready());
    });
    expect(written()).not.toContain(ofPolicy('a'));
  });

  it.each<[string, unknown, string]>([
    ['another status', ready({ status: 'False', lastTransitionTime: before }), secondText(startMs)],
    ['another reason', ready({ reason: 'Other', lastTransitionTime: before }), before],
    ['another message', ready({ message: 'It is so.', lastTransitionTime: before }), before],
    ['a condition of before', ready({ observedGeneration: 2, lastTransitionTime: before }), before],
    ['conditions of before', { ...ready({ lastTransitionTime: before }), observedGeneration: 2 }, before],
    ['no time', ready({ reason: 'Other', lastTransitionTime: 5 }), secondText(startMs)],
    ['no conditions', { observedGeneration: 3 }, secondText(startMs)],
    ['conditions that are none', { observedGeneration: 3, conditions: 'Ready' }, secondText(startMs)],
    ['nothing that is a status', 'Ready', secondText(startMs)],
  ])('corrects a status with %s', async (_what, status, lastTransitionTime) => {
    putPolicy('a', status);
    await start();
    await until(() => {
      expect(policyStatus('a')).toEqual(ready({ lastTransitionTime }));
    });
    expect(written().filter((write) => write === ofPolicy('a'))).toHaveLength(1);
  });

  it('leaves the conditions of others', async () => {
    const others = { type: 'Reviewed', status: 'True', lastTransitionTime: before };
    putPolicy('a', { observedGeneration: 2, conditions: ['Ready', others, condition({ reason: 'Other' })] });
    await start();
    await until(() => {
      expect(policyStatus('a')).toEqual({ observedGeneration: 3, conditions: [others, condition()] });
    });
  });

  it('says since when, also where the reason is another meanwhile', async () => {
    putPolicy('a');
    await start();
    await until(() => {
      expect(policyStatus('a')).toEqual(ready());
    });
    nowMs += 90_000;
    cluster.api.delete(paths.issuers, 'release');
    const missing = {
      status: 'False',
      reason: 'PolicyNotReady',
      lastTransitionTime: '2026-06-01T12:01:30Z',
      message: 'signed: There is no TrustedIssuer release.',
    };
    await until(() => {
      expect(policyStatus('a')).toEqual(ready(missing));
    });
    nowMs += 90_000;
    changePolicy('a', 4, ['other']);
    await until(() => {
      expect(policyStatus('a')).toEqual({
        observedGeneration: 4,
        conditions: [
          condition({
            ...missing,
            observedGeneration: 4,
            message: 'signed: There is no TrustedIssuer other.',
          }),
        ],
      });
    });
  });

  it('cuts a message that is too long', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `${i}`.padEnd(240, 'x'));
    cluster.api.put(paths.exceptions, {
      metadata: { name: 'long' },
      spec: {
        images: ['ghcr.io/acme/app'],
        namespaces: ['shop'],
        reason: 'INC-4711',
        policies: names.map((name) => ({ name, requirements: ['All'] })),
        expiresAt: '2026-07-01T00:00:00Z',
      },
    });
    await start();
    const whole = names.map((name) => `There is no ClusterArtifactPolicy ${name}`).join('; ');
    await until(() => {
      expect(statusOf(paths.exceptions, 'long')).toMatchObject({
        conditions: [{ message: whole.slice(0, 1024) }],
      });
    });
  });

  it('says that an exception ended though nothing else changed, and that it counts where the clock was set back', async () => {
    cluster.api.put(paths.clusterPolicies, policy('prod'));
    cluster.api.put(paths.exceptions, {
      metadata: { name: 'hotfix' },
      spec: {
        images: ['ghcr.io/acme/app'],
        namespaces: ['shop'],
        reason: 'INC-4711',
        policies: [{ name: 'prod', requirements: ['All'] }],
        expiresAt: '2026-06-01T12:00:01Z',
      },
    });
    await start();
    const reason = (expected: string) => () => {
      expect(statusOf(paths.exceptions, 'hotfix')).toMatchObject({ conditions: [{ reason: expected }] });
    };
    await until(reason('Ready'));
    nowMs = startMs + 4999;
    await rounds();
    reason('Ready')();
    nowMs = startMs + 5000;
    await until(reason('Expired'));
    nowMs = startMs - 3_600_000;
    await until(reason('Ready'));
  });

  it('writes what somebody else wrote over it', async () => {
    putPolicy('a');
    await start();
    await until(() => {
      expect(policyStatus('a')).toEqual(ready());
    });
    putPolicy('a', ready({ status: 'False', lastTransitionTime: before }));
    nowMs += 5000;
    await until(() => {
      expect(policyStatus('a')).toEqual(ready({ lastTransitionTime: secondText(nowMs) }));
    });
  });

  it('writes while it holds the lease alone', async () => {
    const takeLease = (holderIdentity: string | null): void => {
      cluster.api.put(paths.leases, { metadata: release, spec: { holderIdentity } });
    };
    takeLease('another');
    putPolicy('a');
    const source = await open();
    keep(source);
    await until(() => {
      expect(source.snapshot()).toBeDefined();
    });
    await rounds();
    expect(written()).toEqual([]);
    takeLease(null);
    await until(() => {
      expect(policyStatus('a')).toEqual(ready());
    });
    takeLease('another');
    await until(() => {
      expect(lease.isHeld).toBe(false);
    });
    putPolicy('b');
    nowMs += 5000;
    await rounds();
    expect(written()).not.toContain(ofPolicy('b'));
  });

  it('says nothing before everything was read', async () => {
    cluster.api.fault = ({ path }, response) => {
      if (path !== paths.issuers) return false;
      answerStatus(response, 503);
      return true;
    };
    cluster.api.put(paths.clusterPolicies, policy('a', { mode: 'Audit', require: [] }));
    const source = await open();
    keep(source);
    await until(() => {
      expect([...(source.objects?.() ?? [])]).toHaveLength(1);
      expect(lease.isHeld).toBe(true);
    });
    await rounds();
    expect(written()).toEqual([]);
    cluster.api.fault = undefined;
    await until(() => {
      expect(policyStatus('a')).toMatchObject({ conditions: [{ reason: 'PolicyInvalid' }] });
    });
  });

  it('says nothing of a version that is not in force yet', async () => {
    let isBroken = false;
    const source = await start({
      trustFor: () => {
        if (isBroken) throw new RefwardenError('TrustMaterialInvalid', 'the root is broken');
        return { material: () => 'a root', check: () => undefined };
      },
    });
    putPolicy('a');
    await until(() => {
      expect(policyStatus('a')).toEqual(ready());
    });
    isBroken = true;
    changePolicy('a', 4, ['other']);
    putPolicy('b');
    await until(() => {
      expect([...(source.objects?.() ?? [])].map(({ generation }) => generation)).toEqual([0, 4, 3]);
      expect(source.status().stale).toMatchObject([{ failure: { message: 'the root is broken' } }]);
    });
    nowMs += 5000;
    await rounds();
    expect([policyStatus('a'), policyStatus('b')]).toEqual([ready(), undefined]);
    isBroken = false;
    cluster.api.put(paths.issuers, issuer('second'));
    await until(() => {
      expect(policyStatus('a')).toMatchObject({ observedGeneration: 4, conditions: [{ status: 'False' }] });
      expect(policyStatus('b')).toEqual(ready({ lastTransitionTime: secondText(nowMs) }));
    });
  });

  it('leaves an object whose status is refused alone for a minute, and no other', async () => {
    const refused = `${namespaced}/shop/artifactpolicies/a`;
    refuse((path) => path === `${refused}/status`);
    cluster.api.put(paths.policies, policy('a', {}, 'shop'));
    cluster.api.put(paths.policies, policy('a', {}, 'test'));
    putPolicy('a');
    await start();
    await until(() => {
      expect(statusOf(paths.policies, 'a', 'test')).toBeDefined();
      expect(policyStatus('a')).toBeDefined();
      expect(written()).toContain(`PATCH ${refused}`);
    });
    const attempts = (): number => written().filter((write) => write === `PATCH ${refused}`).length;
    putPolicy('b');
    await until(() => {
      expect(policyStatus('b')).toBeDefined();
    });
    nowMs = startMs + 59_999;
    await rounds();
    expect(attempts()).toBe(1);
    const problem =
      'The status of resources cannot be written: The API server answered 403 to changing a of artifactpolicies. The account may not write artifactpolicies/status: allow it the verbs patch on resources ["artifactpolicies/status"] of apiGroups ["refwarden.dev"] in a ClusterRole.';
    expect(messages()).toEqual([problem]);
    cluster.api.fault = undefined;
    nowMs = startMs + 60_000;
    putPolicy('c');
    await until(() => {
      expect(statusOf(paths.policies, 'a', 'shop')).toBeDefined();
    });
    await until(() => {
      expect(messages()).toEqual([problem, 'The status of resources cannot be written: all is well again.']);
    });
    expect(attempts()).toBe(2);
  });

  it('asks no more for a while when ten writes were refused, and then for what is left', async () => {
    refuse(() => true, 503);
    for (let i = 0; i < 14; i++) putPolicy(`p${i}`);
    await start();
    await until(() => {
      expect(written()).toHaveLength(10);
    });
    await sleep(500);
    expect(written()).toHaveLength(10);
    await until(() => {
      expect(written()).toHaveLength(15);
    });
    await rounds();
    expect(new Set(written()).size).toBe(15);
    expect(written()).toHaveLength(15);
    expect(messages()).not.toContain('The status of resources cannot be written: all is well again.');
  });

  it('lets others have their turn after a hundred writes', async () => {
    for (let i = 0; i < 120; i++) putPolicy(`p${i}`);
    await start();
    await until(() => {
      expect(written()).toHaveLength(100);
    });
    await sleep(500);
    expect(written()).toHaveLength(100);
    await until(() => {
      expect(written()).toHaveLength(121);
    });
  });

  it('has no trouble with an object that is deleted while it writes, and knows nothing of it when it comes again', async () => {
    cluster.api.fault = ({ method }) => {
      if (method === 'PATCH' && cluster.api.get(paths.clusterPolicies, 'a') !== undefined) {
        cluster.api.delete(paths.clusterPolicies, 'a');
      }
      return false;
    };
    putPolicy('a');
    putPolicy('b');
    const source = await start();
    await until(() => {
      expect(policyStatus('b')).toEqual(ready());
      expect([...(source.objects?.() ?? [])].map(({ name }) => name)).not.toContain('a');
    });
    cluster.api.fault = undefined;
    putPolicy('a');
    await until(() => {
      expect(policyStatus('a')).toEqual(ready());
    });
    expect(messages()).toEqual([]);
  });

  it('is closed at once, and without a word, while the API server does not answer', async () => {
    cluster.api.fault = ({ method }) => method === 'PATCH';
    putPolicy('a');
    await start();
    await until(() => {
      expect(written()).toHaveLength(1);
    });
    await keeper?.close();
    await sleep(200);
    expect([written().length, messages()]).toEqual([1, []]);
  });
});
