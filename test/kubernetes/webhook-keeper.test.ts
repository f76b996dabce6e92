import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { webhookConfigurations } from '../../src/admission/webhook-configurations.ts';
import { parseWebhookSettings } from '../../src/admission/webhook-settings.ts';
import type { ApiClient } from '../../src/kubernetes/api-client.ts';
import { defaultWatchTiming } from '../../src/kubernetes/watch-timing.ts';
import { WebhookKeeper } from '../../src/kubernetes/webhook-keeper.ts';
import type { Registered } from '../../src/kubernetes/webhook-keeper.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';
import type { FakeObject } from './fake-api-server.ts';

const releaseNamespace = 'refwarden-system';
const name = 'refwarden';
const kinds = [paths.validating, paths.mutating];

let cluster: ClusterUnderTest;
let client: ApiClient;
let keeper: WebhookKeeper;
let settings: string;
let pinning: boolean;
let caPem: string;
let isReady: boolean;
let isCalled: boolean;
let seen: Registered[];
/** So many times what is wanted cannot be told. */
let failures: number;
const lease = { isHeld: true };
let restored: string[];
let log: { level: number; msg: string }[];

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  client = await cluster.client();
  [settings, pinning, caPem, isReady, lease.isHeld] = [`clusterRole: ${name}`, true, 'PEM', true, true];
  [restored, log, seen, isCalled, failures] = [[], [], [], true, 0];
  cluster.api.put(paths.services, { metadata: { name, namespace: releaseNamespace } });
  cluster.api.put(paths.namespaces, { metadata: { name: releaseNamespace } });
  cluster.api.put(paths.clusterRoles, { metadata: { name } });
});
afterEach(async () => {
  await keeper.close();
  await client.close();
  await cluster.stop();
});

function open(): void {
  keeper = new WebhookKeeper({
    api: client,
    lease,
    name,
    releaseNamespace,
    timing: defaultWatchTiming,
    service: { namespace: releaseNamespace, name },
    isCalled,
    clusterRole: parseWebhookSettings(settings).clusterRole,
    wanted: (now) => {
      seen.push(now);
      if (failures-- > 0) return Promise.reject(new Error('not yet'));
      return Promise.resolve(
        isReady
          ? webhookConfigurations(parseWebhookSettings(settings), { caPem, releaseNamespace, pinning })
          : undefined,
      );
    },
    restored: (kind, change) => restored.push(`${kind} ${change}`),
    logger: pino({}, { write: (line: string) => log.push(JSON.parse(line) as (typeof log)[number]) }),
  });
}

const stored = (kind: string): FakeObject | undefined => cluster.api.get(kind, name);
const webhooksOf = (kind: string): Record<string, unknown>[] =>
  (stored(kind)?.['webhooks'] ?? []) as Record<string, unknown>[];
const untilRegistered = (): Promise<void> =>
  until(() => {
    expect(kinds.map((kind) => stored(kind) !== undefined)).toEqual([true, true]);
    expect([...(keeper.standing?.values() ?? [])]).toEqual([true, true]);
  });
/** Longer than it is looked at again in any case. */
const rounds = (): Promise<void> => sleep(2600);
const messages = (): string[] => log.map(({ msg }) => msg);
const reasons = (): unknown[] =>
  cluster.api.requests.filter(({ path }) => path === paths.events).map(({ body }) => body?.['reason']);
const writesOf = (kind: string): string[] => cluster.api.writes.filter((write) => write.includes(kind));

function change(kind: string, fields: object): void {
  const [first, ...others] = webhooksOf(kind);
  cluster.api.put(kind, {
    ...(stored(kind) as FakeObject),
    webhooks: [{ ...first, ...fields }, ...others],
  });
}

describe('WebhookKeeper registers', () => {
  it('both configurations, which the ClusterRole of the release owns, and then writes nothing more', async () => {
    settings += '\nlabels: {team: security}\nannotations: {admissions.enforcer/disabled: "true"}';
    open();
    await untilRegistered();
    const owner = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      name,
      uid: cluster.api.get(paths.clusterRoles, name)?.metadata.uid,
    };
    for (const kind of kinds) {
      expect(stored(kind)).toMatchObject({
        metadata: {
          labels: { 'app.kubernetes.io/name': 'refwarden', team: 'security' },
          annotations: { 'admissions.enforcer/disabled': 'true' },
          ownerReferences: [owner],
        },
      });
    }
    await rounds();
    expect(cluster.api.writes).toEqual([`POST ${paths.mutating}`, `POST ${paths.validating}`]);
    expect(restored).toEqual([]);
  });

  it('with the authorities of who wrote before, which it is told of once it holds the lease', async () => {
    lease.isHeld = false;
    const clientConfig = { caBundle: Buffer.from('PEM of before').toString('base64') };
    cluster.api.put(paths.validating, { metadata: { name }, webhooks: [{ clientConfig }] });
    open();
    await until(() => {
      expect(seen.at(-1)).toEqual({ bundles: ['PEM of before'], isHolder: false, isNewHolder: false });
    });
    lease.isHeld = true;
    await untilRegistered();
    await rounds();
    const asNew = seen.filter(({ isNewHolder }) => isNewHolder);
    expect(asNew).toEqual([{ bundles: ['PEM of before'], isHolder: true, isNewHolder: true }]);
    expect(seen.at(-1)).toEqual({ bundles: ['PEM', 'PEM', 'PEM'], isHolder: true, isNewHolder: false });
    lease.isHeld = false;
    await rounds();
    lease.isHeld = true;
    await rounds();
    expect(seen.filter(({ isNewHolder }) => isNewHolder)).toHaveLength(2);
  });

  it('nothing of a holder that could not be told what to, which then counts as new again, and once where nothing is wanted yet', async () => {
    failures = 1;
    isReady = false;
    open();
    await until(() => {
      keeper.wake();
      expect(seen.length).toBeGreaterThan(2);
    });
    expect(seen.slice(0, 3).map(({ isNewHolder }) => isNewHolder)).toEqual([true, true, false]);
    expect(cluster.api.writes).toEqual([]);
  });

  it('nothing before there is somebody to ask, nor without the lease', async () => {
    isReady = false;
    open();
    await rounds();
    expect(keeper.standing).toBeUndefined();
    isReady = true;
    lease.isHeld = false;
    await rounds();
    expect(cluster.api.writes).toEqual([]);
    expect(keeper.standing).toBeUndefined();
  });

  it.each([
    ['no such ClusterRole', 404, 'There is no ClusterRole refwarden'],
    ['no right to read it', 403, 'The API server answered 403 to reading refwarden of clusterroles'],
  ])('without an owner where there is %s, and says so', async (_what, status, why) => {
    cluster.api.fault = ({ path }, response) => {
      if (!path.startsWith(paths.clusterRoles)) return false;
      answerJson(response, status, {});
      return true;
    };
    open();
    await untilRegistered();
    expect(stored(paths.validating)?.metadata).not.toHaveProperty('ownerReferences');
    expect(messages().join('\n')).toContain(`The webhooks belong to nobody, and outlive the release: ${why}`);
  });

  it('with the owner that could not be read at first', async () => {
    let refusals = 0;
    cluster.api.fault = ({ path }, response) => {
      if (!path.startsWith(paths.clusterRoles) || refusals === 3) return false;
      refusals++;
      answerJson(response, 500, {});
      return true;
    };
    open();
    await untilRegistered();
    await until(() => {
      for (const kind of kinds) {
        expect(stored(kind)?.metadata).toMatchObject({ ownerReferences: [{ kind: 'ClusterRole', name }] });
      }
    });
    expect(restored).toEqual([]);
  });

  it('none for pinning where pinning is off, and takes away one that stands', async () => {
    pinning = false;
    cluster.api.put(paths.mutating, { metadata: { name }, webhooks: [] });
    open();
    await until(() => {
      expect(stored(paths.validating)).toBeDefined();
      expect(stored(paths.mutating)).toBeUndefined();
    });
    expect(restored).toEqual([]);
    expect(messages()).toContain('A webhook was withdrawn');
  });
});

describe('WebhookKeeper puts back', () => {
  it('what is deleted, and tells of it', async () => {
    open();
    await untilRegistered();
    cluster.api.delete(paths.validating, name);
    await until(() => {
      expect(restored).toEqual(['ValidatingWebhookConfiguration Missing']);
      expect(reasons()).toEqual(['WebhookRestored']);
    });
    await untilRegistered();
  });

  it('what is changed, and says who did', async () => {
    open();
    await untilRegistered();
    const managedFields = [
      { manager: 'kubectl-edit', time: '2026-11-27T10:00:00Z' },
      { manager: 'refwarden', time: '2026-11-26T10:00:00Z' },
    ];
    const { metadata } = stored(paths.validating) as FakeObject;
    const labels = { ...metadata.labels, other: 'kept' };
    cluster.api.put(paths.validating, {
      ...(stored(paths.validating) as FakeObject),
      metadata: { ...metadata, labels, managedFields } as FakeObject['metadata'],
    });
    change(paths.validating, { failurePolicy: 'Ignore' });
    await until(() => {
      expect(restored).toEqual(['ValidatingWebhookConfiguration Changed']);
    });
    expect(webhooksOf(paths.validating)[0]).toMatchObject({ failurePolicy: 'Fail' });
    expect(stored(paths.validating)?.metadata.labels).toMatchObject({ other: 'kept' });
    expect(messages()).toContain(
      'ValidatingWebhookConfiguration refwarden was changed (last written by "kubectl-edit"), and was put back.',
    );
  });

  it.each([
    ['an object selector', { objectSelector: { matchLabels: { judged: 'yes' } } }],
    ['another condition', { matchConditions: [{ name: 'never', expression: 'false' }] }],
    ['a field that is not ours', { fieldOfTomorrow: true }],
  ])('%s that somebody added', async (_what, fields) => {
    open();
    await untilRegistered();
    const before = webhooksOf(paths.mutating);
    change(paths.mutating, fields);
    await until(() => {
      expect(webhooksOf(paths.mutating)).toEqual(before);
      expect(restored).toEqual(['MutatingWebhookConfiguration Changed']);
    });
  });

  it('an owner that was taken off', async () => {
    open();
    await untilRegistered();
    const { ownerReferences, ...metadata } = stored(paths.validating)?.metadata as FakeObject['metadata'] & {
      ownerReferences: object[];
    };
    const other = { apiVersion: 'v1', kind: 'Namespace', name: 'other', uid: '1' };
    cluster.api.put(paths.validating, {
      ...(stored(paths.validating) as FakeObject),
      metadata: { ...metadata, ownerReferences: [other] } as FakeObject['metadata'],
    });
    await until(() => {
      expect(stored(paths.validating)?.metadata).toMatchObject({
        ownerReferences: [other, ...ownerReferences],
      });
    });
  });

  it('what went with a ClusterRole that was made anew, owned by the new one', async () => {
    open();
    await untilRegistered();
    cluster.api.delete(paths.clusterRoles, name);
    cluster.api.put(paths.clusterRoles, { metadata: { name, uid: 'the-new-one' } });
    cluster.api.delete(paths.validating, name);
    await until(() => {
      expect(stored(paths.validating)?.metadata).toMatchObject({
        ownerReferences: [{ uid: 'the-new-one' }],
      });
    });
  });
});

describe('WebhookKeeper brings up to date', () => {
  it('a new authority and new settings, which is no restoration', async () => {
    open();
    await untilRegistered();
    caPem = 'PEM of another';
    settings += '\ntimeoutSeconds: 7';
    keeper.wake();
    await until(() => {
      for (const kind of kinds) {
        for (const webhook of webhooksOf(kind)) {
          expect(webhook).toMatchObject({
            timeoutSeconds: 7,
            clientConfig: { caBundle: Buffer.from(caPem).toString('base64') },
          });
        }
      }
    });
    await untilRegistered();
    expect(restored).toEqual([]);
    expect(reasons()).toEqual([]);
  });

  it('what it finds when it starts', async () => {
    cluster.api.put(paths.validating, { metadata: { name }, webhooks: [] });
    open();
    await untilRegistered();
    expect(restored).toEqual([]);
    expect(messages()).toContain('A webhook was brought up to date');
  });
});

describe('WebhookKeeper and an API server that alters what is written', () => {
  it('does not write over and over, and names what is otherwise', async () => {
    cluster.api.altered = (collection, object) =>
      collection === paths.validating
        ? {
            ...object,
            webhooks: (object['webhooks'] as object[]).map((webhook) => ({ ...webhook, added: 'x' })),
          }
        : object;
    open();
    await untilRegistered();
    await rounds();
    expect(writesOf(paths.validating)).toEqual([`POST ${paths.validating}`]);
    expect(messages()).toContain(
      'The API server keeps ValidatingWebhookConfiguration refwarden otherwise than it was written: added of validate.refwarden.dev, added of resources.refwarden.dev',
    );
    expect(restored).toEqual([]);
    // What somebody changes beyond that is still put back.
    change(paths.validating, { failurePolicy: 'Ignore' });
    await until(() => {
      expect(restored).toEqual(['ValidatingWebhookConfiguration Changed']);
    });
    expect(webhooksOf(paths.validating)[0]).toMatchObject({ failurePolicy: 'Fail', added: 'x' });
    expect(messages().filter((message) => message.includes('otherwise than it was written'))).toHaveLength(1);
  });
});

describe('WebhookKeeper leaves away', () => {
  const mark = { 'refwarden.dev/webhooks': 'Removed' };
  const annotate = (annotations: Record<string, string>): void => {
    cluster.api.put(paths.services, { metadata: { name, namespace: releaseNamespace, annotations } });
  };

  it('what was removed on purpose, with an event, until the mark is taken off', async () => {
    open();
    await untilRegistered();
    annotate(mark);
    for (const kind of kinds) cluster.api.delete(kind, name);
    await rounds();
    expect(kinds.map(stored)).toEqual([undefined, undefined]);
    expect([...(keeper.standing?.values() ?? [])]).toEqual([false, false]);
    expect(reasons()).toEqual(['WebhooksRemoved']);
    annotate({});
    await untilRegistered();
    expect(restored).toEqual([]);
  });

  it('what is missing once there is no Service, and what is there still gets the new authority', async () => {
    open();
    await untilRegistered();
    cluster.api.delete(paths.services, name, releaseNamespace);
    cluster.api.delete(paths.mutating, name);
    caPem = 'PEM of another';
    await rounds();
    expect(stored(paths.mutating)).toBeUndefined();
    expect(webhooksOf(paths.validating)[0]).toMatchObject({
      clientConfig: { caBundle: Buffer.from(caPem).toString('base64') },
    });
    expect(messages().join('\n')).toContain('there is no Service refwarden in namespace refwarden-system');
  });

  it('nothing for want of a Service that the API server does not call', async () => {
    isCalled = false;
    cluster.api.delete(paths.services, name, releaseNamespace);
    open();
    await untilRegistered();
  });

  it('what was removed, also when the Service can no longer be read', async () => {
    open();
    await untilRegistered();
    annotate(mark);
    for (const kind of kinds) cluster.api.delete(kind, name);
    await rounds();
    cluster.api.fault = ({ path }, response) => {
      if (!path.startsWith(paths.services)) return false;
      answerJson(response, 403, {});
      return true;
    };
    await rounds();
    expect(kinds.map(stored)).toEqual([undefined, undefined]);
  });

  it('but puts them back where the Service could never be read', async () => {
    cluster.api.fault = ({ path }, response) => {
      if (!path.startsWith(paths.services)) return false;
      answerJson(response, 403, {});
      return true;
    };
    open();
    await untilRegistered();
  });

  it('everything when its namespace is deleted, whoever holds the lease', async () => {
    open();
    await untilRegistered();
    lease.isHeld = false;
    cluster.api.put(paths.namespaces, {
      metadata: {
        name: releaseNamespace,
        deletionTimestamp: '2026-11-27T10:00:00Z',
      } as FakeObject['metadata'],
    });
    await until(() => {
      expect(kinds.map(stored)).toEqual([undefined, undefined]);
    });
    lease.isHeld = true;
    await rounds();
    expect(kinds.map(stored)).toEqual([undefined, undefined]);
  });

  it('those of a namespace that is being deleted, though deleting them failed at first', async () => {
    open();
    await untilRegistered();
    let failed = 0;
    cluster.api.fault = ({ method }, response) => {
      if (method !== 'DELETE' || failed === 4) return false;
      failed++;
      answerJson(response, 500, {});
      return true;
    };
    const ending = { name: releaseNamespace, deletionTimestamp: '2026-11-27T10:00:00Z' };
    cluster.api.put(paths.namespaces, { metadata: ending });
    await until(() => {
      expect(kinds.map(stored)).toEqual([undefined, undefined]);
    });
    await sleep(500);
    const writes = cluster.api.writes.length;
    await rounds();
    expect(cluster.api.writes).toHaveLength(writes);
  });
});
