import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../src/kubernetes/api-client.ts';
import { Lease } from '../../src/kubernetes/lease.ts';
import type { LeaseOptions } from '../../src/kubernetes/lease.ts';
import { captureLog } from '../support/captured-log.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';

const name = 'refwarden';
const namespace = 'refwarden-system';
const timing = { durationMs: 1000, renewDeadlineMs: 600, retryMs: 50, strandedMs: 1200 };
/** Not to be confused with a machine that is busy. */
const patient = { ...timing, durationMs: 15_000 };

let cluster: ClusterUnderTest;
let client: ApiClient;
let open: Lease[];
let log: ReturnType<typeof captureLog>;

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  client = await cluster.client();
  open = [];
  log = captureLog();
});
afterEach(async () => {
  await Promise.all(open.map((lease) => lease.close()));
  await client.close();
  await cluster.stop();
});

function start(identity: string, options: Partial<LeaseOptions> = {}): Lease {
  const lease = new Lease({
    api: client,
    namespace,
    name,
    identity,
    isAble: () => true,
    timing,
    logger: log.log,
    ...options,
  });
  open.push(lease);
  return lease;
}
const spec = (): Record<string, unknown> =>
  (cluster.api.get(paths.leases, name, namespace)?.['spec'] ?? {}) as Record<string, unknown>;
const held = (lease: Lease, isHeld = true): Promise<void> =>
  until(() => {
    expect(lease.isHeld).toBe(isHeld);
  });
const putLease = (fields: object): void => {
  cluster.api.put(paths.leases, { metadata: { name, namespace }, spec: fields });
};

describe('Lease', () => {
  it('that nobody has is taken, and renewed', async () => {
    await held(start('first'));
    const taken = spec();
    expect(taken).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 1, leaseTransitions: 1 });
    // MicroTime
    expect(taken['acquireTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await until(() => {
      expect(spec()['renewTime']).not.toBe(taken['renewTime']);
    });
    expect(spec()).toMatchObject({ acquireTime: taken['acquireTime'], leaseTransitions: 1 });
    expect(log.lines().map(({ msg }) => msg)).toEqual(['This replica holds the lease']);
  });

  it('is not taken by one that could not do the work', async () => {
    let isAble = false;
    const lease = start('first', { isAble: () => isAble });
    await sleep(200);
    expect([lease.isHeld, cluster.api.requests]).toEqual([false, []]);
    isAble = true;
    await held(lease);
  });

  it('is one replica’s alone', async () => {
    const [first, second] = [start('first'), start('second')];
    await until(() => {
      expect(first.isHeld || second.isHeld).toBe(true);
    });
    for (let round = 0; round < 100; round++) {
      expect(first.isHeld && second.isHeld).toBe(false);
      await sleep(15);
    }
  });

  it('of a holder that renews it is left alone, whatever its clock says', async () => {
    const lease = start('second', { timing: { ...timing, durationMs: 2000 } });
    for (let round = 0; round < 30; round++) {
      putLease({ holderIdentity: 'first', renewTime: '2001-01-01T00:00:00.000000Z', round });
      await sleep(100);
    }
    expect(lease.isHeld).toBe(false);
  });

  it('is taken over when it was unchanged for its duration, not before', async () => {
    putLease({ holderIdentity: 'first', leaseTransitions: 4, renewTime: '2999-01-01T00:00:00.000000Z' });
    const sinceMs = performance.now();
    const lease = start('second');
    await held(lease);
    expect(performance.now() - sinceMs).toBeGreaterThan(timing.durationMs);
    expect(spec()).toMatchObject({ holderIdentity: 'second', leaseTransitions: 5 });
  });

  it('is given back, so that the next has it at once', async () => {
    const first = start('first', { timing: patient });
    await held(first);
    await first.close();
    expect([first.isHeld, spec()['holderIdentity']]).toEqual([false, null]);
    const sinceMs = performance.now();
    await held(start('second', { timing: patient }));
    expect(performance.now() - sinceMs).toBeLessThan(patient.durationMs);
  });

  it('is no longer held when it could not be renewed, before others may take it', async () => {
    const lease = start('first', { timing: patient });
    await held(lease);
    cluster.api.fault = (_request, response) => {
      answerJson(response, 503, {});
      return true;
    };
    const sinceMs = performance.now();
    await held(lease, false);
    expect(performance.now() - sinceMs).toBeLessThan(patient.durationMs);
    expect(log.lines().map(({ msg }) => msg)).toContain(
      'The lease cannot be renewed: The API server answered 503 to reading refwarden of leases.',
    );
    cluster.api.fault = undefined;
    await held(lease);
  });

  it('is taken from a holder that leaves another stranded for long, and acted on when that one has noticed', async () => {
    const first = start('first');
    await held(first);
    let isStranded = true;
    const sinceMs = performance.now();
    const second = start('second', { isStranded: () => isStranded });
    await until(() => {
      expect(spec()['holderIdentity']).toBe('second');
    });
    expect(performance.now() - sinceMs).toBeGreaterThan(timing.strandedMs);
    expect(second.isHeld).toBe(false);
    await held(first, false);
    await held(second);
    isStranded = false;
    expect([first.isHeld, spec()['leaseTransitions']]).toEqual([false, 2]);
    expect(log.lines().map(({ msg }) => msg)).toContain(
      'The lease is taken from a replica that does not do what this one needs',
    );
  });

  it('is taken less and less often by two that both stay stranded', async () => {
    for (const identity of ['first', 'second']) start(identity, { isStranded: () => true });
    await sleep(timing.strandedMs * 8);
    // After 1, 1, 2 and 2 times as long, not eight times.
    expect(spec()['leaseTransitions']).toBeLessThanOrEqual(5);
    expect(spec()['leaseTransitions']).toBeGreaterThanOrEqual(3);
  });

  it('is not taken from a holder that has just come, however long the one before left another stranded', async () => {
    putLease({ holderIdentity: 'before' });
    start('second', { isStranded: () => true, timing: { ...timing, durationMs: 60_000 } });
    await sleep(timing.strandedMs * 0.7);
    putLease({ holderIdentity: 'other' });
    await sleep(timing.strandedMs * 0.6);
    expect(spec()['holderIdentity']).toBe('other');
  });

  it('carries what is vouched for from who holds it to who holds it next', async () => {
    const noted = (): unknown => cluster.api.get(paths.leases, name, namespace)?.metadata.annotations ?? {};
    const notes: string[] = [];
    const first = start('first', { authorities: () => notes[0] });
    await held(first);
    expect([first.lastAuthorities, noted()]).toEqual([undefined, {}]);
    notes.push('one');
    await until(() => {
      expect(noted()).toEqual({ 'refwarden.dev/authorities': 'one' });
    });
    await first.close();
    const second = start('second', { authorities: () => undefined });
    await held(second);
    await sleep(300);
    expect([second.lastAuthorities, noted()]).toEqual(['one', { 'refwarden.dev/authorities': 'one' }]);
    await second.close();
    // Its own is not written in the same breath: it knows nothing of what went before.
    const third = start('third', { authorities: () => (third.isHeld ? third.lastAuthorities : 'stale') });
    await held(third);
    await sleep(300);
    expect([third.lastAuthorities, noted()]).toEqual(['one', { 'refwarden.dev/authorities': 'one' }]);
  });

  it('that was taken is given back also before it was acted on', async () => {
    await held(start('first'));
    const second = start('second', {
      isStranded: () => true,
      timing: { ...timing, renewDeadlineMs: 60_000 },
    });
    await until(() => {
      expect(spec()['holderIdentity']).toBe('second');
    });
    await second.close();
    expect(spec()['holderIdentity']).not.toBe('second');
  });

  it('is left to a holder that mends what left another stranded', async () => {
    await held(start('first'));
    let round = 0;
    // Never for long enough.
    start('second', { isStranded: () => ++round % 10 !== 0 });
    await sleep(timing.strandedMs * 2);
    expect(spec()['holderIdentity']).toBe('first');
  });

  it('is given back by one that gets nothing done, to another that may, and taken again where there is none', async () => {
    let isFailing = false;
    // Who has it anew has tried nothing yet, as far as anybody knows.
    let heldSinceMs = 0;
    const failing: Lease = start('failing', {
      isFailing: () => isFailing && performance.now() - heldSinceMs > 150,
    });
    await held(failing);
    await sleep(timing.strandedMs);
    expect(failing.isHeld).toBe(true);
    isFailing = true;
    const sinceMs = performance.now();
    await held(failing, false);
    expect(performance.now() - sinceMs).toBeGreaterThan(timing.strandedMs * 0.9);
    await until(() => {
      expect(spec()['holderIdentity']).toBeNull();
    });
    await held(failing);
    heldSinceMs = performance.now();
    expect(performance.now() - sinceMs).toBeGreaterThan(timing.strandedMs + timing.durationMs * 0.8);
    const able = start('able');
    await held(able);
    expect(spec()['holderIdentity']).toBe('able');
    // It had it for twice as long the second time.
    expect(performance.now() - sinceMs).toBeGreaterThan(timing.strandedMs * 3);
    expect(log.lines().map(({ msg }) => msg)).toContain(
      'The lease is given back: this replica does not get done what its holder has to do',
    );
  });

  it('keeps what others wrote to it, and what is vouched for until it is given back', async () => {
    cluster.api.put(paths.leases, {
      metadata: { name, namespace, annotations: { team: 'security', 'refwarden.dev/authorities': 'old' } },
      spec: {},
    });
    let vouched = 'one';
    const lease = start('first', { authorities: () => vouched, timing: { ...timing, retryMs: 400 } });
    await held(lease);
    const annotations = (): unknown => cluster.api.get(paths.leases, name, namespace)?.metadata.annotations;
    await until(() => {
      expect(annotations()).toEqual({ team: 'security', 'refwarden.dev/authorities': 'one' });
    });
    // It is read anew with each renewal.
    await until(() => {
      expect(lease.lastAuthorities).toBe('one');
    });
    vouched = 'two';
    await lease.close();
    expect(annotations()).toEqual({ team: 'security', 'refwarden.dev/authorities': 'two' });
  });

  it('is tried again at once by a stranded one that somebody outran', async () => {
    await held(start('first'));
    let refusals = 0;
    cluster.api.fault = ({ method, body }, response) => {
      const { holderIdentity } = (body?.['spec'] ?? {}) as { holderIdentity?: unknown };
      if (method !== 'PUT' || holderIdentity !== 'second' || refusals > 0) return false;
      refusals++;
      answerJson(response, 409, {});
      return true;
    };
    const sinceMs = performance.now();
    start('second', { isStranded: () => true });
    await until(() => {
      expect(spec()['holderIdentity']).toBe('second');
    });
    expect(refusals).toBe(1);
    expect(performance.now() - sinceMs).toBeLessThan(timing.strandedMs * 2);
  });

  it('that another holds is left as it is by one that ends', async () => {
    const lease = start('first', { isAble: () => false });
    putLease({ holderIdentity: null });
    const before = cluster.api.requests.length;
    await lease.close();
    expect(cluster.api.requests).toHaveLength(before);
  });

  it('is not held by one whose write came too late', async () => {
    cluster.api.fault = ({ method }) => {
      if (method === 'POST') putLease({ holderIdentity: 'faster' });
      return false;
    };
    const lease = start('slower');
    await sleep(300);
    expect([lease.isHeld, spec()['holderIdentity']]).toEqual([false, 'faster']);
  });
});
