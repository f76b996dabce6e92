import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultCertificateTimes } from '../../src/certificates/renew-certificates.ts';
import type { KeptCertificates } from '../../src/certificates/renew-certificates.ts';
import type { ApiClient } from '../../src/kubernetes/api-client.ts';
import { CertificateKeeper } from '../../src/kubernetes/certificate-keeper.ts';
import type { CertificateKeeperOptions } from '../../src/kubernetes/certificate-keeper.ts';
import { defaultWatchTiming } from '../../src/kubernetes/watch-timing.ts';
import { readServingCertificate } from '../../src/server/serving-certificate.ts';
import { captureLog } from '../support/captured-log.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';
import type { FakeObject } from './fake-api-server.ts';

const secret = { namespace: 'refwarden-system', name: 'refwarden-certificates' };
const dayMs = 24 * 3_600_000;

let cluster: ClusterUnderTest;
let client: ApiClient;
let open: CertificateKeeper[];
let log: ReturnType<typeof captureLog>;

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  client = await cluster.client();
  open = [];
  log = captureLog();
});
afterEach(async () => {
  await Promise.all(open.map((keeper) => keeper.close()));
  await client.close();
  await cluster.stop();
});

function start(options: Partial<CertificateKeeperOptions> = {}) {
  const used: KeptCertificates[] = [];
  const keeper = new CertificateKeeper({
    api: client,
    lease: { isHeld: true },
    secret,
    hosts: ['refwarden.refwarden-system.svc'],
    use: (kept) => {
      readServingCertificate(kept.certificate, kept.key);
      // The writer hears of its own writing once more.
      if (!isDeepStrictEqual(kept, used.at(-1))) used.push(kept);
    },
    times: defaultCertificateTimes,
    timing: defaultWatchTiming,
    logger: log.log,
    clock: { nowMs: () => Date.now() },
    ...options,
  });
  open.push(keeper);
  return { keeper, used };
}
const stored = (): FakeObject | undefined => cluster.api.get(paths.secrets, secret.name, secret.namespace);
const dataOf = (object = stored()): Record<string, string> =>
  (object?.['data'] ?? {}) as Record<string, string>;
const put = (change: object): void => {
  cluster.api.put(paths.secrets, { ...(stored() ?? { metadata: secret }), ...change });
};
const messages = (): unknown[] => log.lines().map(({ msg }) => msg);

describe('CertificateKeeper', () => {
  it('makes a Secret that another replica follows, without writing', async () => {
    const first = start();
    await until(() => {
      expect(first.used).toHaveLength(1);
    });
    expect(stored()).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: { labels: { 'app.kubernetes.io/name': 'refwarden' } },
    });
    expect(Object.keys(dataOf()).sort()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    const second = start({ lease: { isHeld: false } });
    await until(() => {
      expect(second.used).toHaveLength(1);
    });
    expect(second.used[0]).toEqual(first.used[0]);
    expect(second.keeper.authorities).toBe(first.used[0]?.authorities);
    expect(cluster.api.writes).toEqual([`POST ${paths.secrets}`]);
  });

  it('writes nothing without the lease, and has no authority to tell of', async () => {
    const { keeper, used } = start({ lease: { isHeld: false } });
    await sleep(2500);
    expect([used, keeper.authorities, cluster.api.writes]).toEqual([[], undefined, []]);
  });

  it('renews in place: what others wrote on the Secret stays', async () => {
    const { used } = start();
    await until(() => {
      expect(used).toHaveLength(1);
    });
    const { metadata } = stored() as FakeObject;
    put({
      type: 'Opaque',
      metadata: { ...metadata, labels: { ...metadata.labels, other: 'kept' } },
      data: { ...dataOf(), 'tls.crt': '' },
    });
    await until(() => {
      expect(used).toHaveLength(2);
    });
    expect(stored()).toMatchObject({
      type: 'Opaque',
      metadata: { uid: metadata.uid, labels: { other: 'kept' } },
    });
    expect(used[1]?.certificate).not.toBe(used[0]?.certificate);
    expect(used[1]?.authorities).toBe(used[0]?.authorities);
    expect(messages()).toContain(
      'Secret refwarden-certificates: A new certificate was issued: there was none.',
    );
    expect(log.lines()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        code: 'ConfigurationInvalid',
        msg: 'Secret refwarden-certificates holds nothing to serve with: tls.crt holds no PEM certificate.',
      }),
    );
  });

  it('takes what it wrote into use at once, before a watch tells of it', async () => {
    // The watch stays silent.
    cluster.api.fault = ({ query }) => query['watch'] === 'true';
    const { keeper, used } = start();
    await until(() => {
      expect(used).toHaveLength(1);
    });
    expect(keeper.authorities).toBe(used[0]?.authorities);
  });

  it('goes on with the last good pair while the Secret holds nonsense', async () => {
    const lease = { isHeld: true };
    const { keeper, used } = start({ lease });
    await until(() => {
      expect(used).toHaveLength(1);
    });
    lease.isHeld = false;
    put({ data: { 'tls.crt': 'bm9uc2Vuc2U=' } });
    await until(() => {
      expect(messages().join()).toContain('Secret refwarden-certificates holds nothing to serve with');
    });
    expect([used.length, keeper.authorities]).toEqual([1, used[0]?.authorities]);
  });

  it('writes a Secret that was deleted again as it was', async () => {
    const { used } = start();
    await until(() => {
      expect(used).toHaveLength(1);
    });
    const before = dataOf();
    cluster.api.delete(paths.secrets, secret.name, secret.namespace);
    await until(() => {
      expect(stored()).toBeDefined();
    });
    expect(dataOf()).toEqual(before);
    expect(messages()).toContain(
      'Secret refwarden-certificates: It was deleted, and was written again as it was.',
    );
  });

  it('T33 renews at two thirds of life', async () => {
    let nowMs = Date.now();
    const { used } = start({ clock: { nowMs: () => nowMs } });
    await until(() => {
      expect(used).toHaveLength(1);
    });
    nowMs += 59 * dayMs;
    await sleep(2500);
    expect(used).toHaveLength(1);
    nowMs += 2 * dayMs;
    await until(() => {
      expect(used).toHaveLength(2);
    });
    expect(cluster.api.writes).toHaveLength(2);
  });

  it('takes what a faster replica wrote', async () => {
    const other = await ClusterUnderTest.start();
    const otherClient = await other.client();
    try {
      const { used: first } = start({ api: otherClient });
      await until(() => {
        expect(first).toHaveLength(1);
      });
      const theirs = dataOf(other.api.get(paths.secrets, secret.name, secret.namespace));
      cluster.api.fault = ({ method }) => {
        if (method === 'POST' && stored() === undefined) put({ type: 'kubernetes.io/tls', data: theirs });
        return false;
      };
      const { used } = start();
      await until(() => {
        expect(used).toEqual(first);
      });
      expect(dataOf()).toEqual(theirs);
    } finally {
      await Promise.all(open.splice(0).map((keeper) => keeper.close()));
      await otherClient.close();
      await other.stop();
    }
  });

  it('says which right it lacks', async () => {
    cluster.api.fault = ({ method }, response) => {
      if (method !== 'POST') return false;
      answerJson(response, 403, {});
      return true;
    };
    const { used } = start();
    await until(() => {
      expect(messages().join()).toContain(
        'The certificates cannot be kept: The API server answered 403 to writing',
      );
    });
    expect(used).toEqual([]);
  });
});
