import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseWebhookSettings } from '../../src/admission/webhook-settings.ts';
import { fingerprintsOf } from '../../src/certificates/pem-bundle.ts';
import { parseCertificates, toPem } from '../../src/certificates/pem-bundle.ts';
import type { KeptCertificates } from '../../src/certificates/renew-certificates.ts';
import { openInstallation } from '../../src/kubernetes/open-installation.ts';
import type { Installation, InstallationOptions } from '../../src/kubernetes/open-installation.ts';
import { captureLog } from '../support/captured-log.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import type { TestAuthority } from '../support/tls-certificates.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest } from './cluster-under-test.ts';
import { answerStatus, paths } from './fake-api-server.ts';
import type { FakeObject } from './fake-api-server.ts';

const releaseNamespace = 'refwarden-system';
const secretName = 'refwarden-certificates';
const kinds = [paths.validating, paths.mutating];

let cluster: ClusterUnderTest;
let opened: Installation[];

beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  opened = [];
  cluster.api.put(paths.services, { metadata: { name: 'refwarden', namespace: releaseNamespace } });
  cluster.api.put(paths.namespaces, { metadata: { name: releaseNamespace } });
});
afterEach(async () => {
  await Promise.all(opened.map((installation) => installation.close()));
  await cluster.stop();
});

async function open(options: Partial<InstallationOptions> = {}): Promise<Installation> {
  const installation = openInstallation({
    kubeconfig: await cluster.kubeconfig(),
    releaseNamespace,
    settings: parseWebhookSettings(''),
    pinning: true,
    certificate: { kind: 'Secret', name: secretName, use: () => undefined },
    isAble: () => true,
    policies: { snapshot: () => undefined },
    restored: () => undefined,
    clock: { nowMs: () => Date.now() },
    logger: captureLog().log,
    ...options,
  });
  opened.push(installation);
  return installation;
}

const bundlesOf = (kind: string): string[] => {
  const webhooks = (cluster.api.get(kind, 'refwarden')?.['webhooks'] ?? []) as {
    clientConfig: { caBundle: string };
  }[];
  return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle, 'base64').toString());
};
const register = (authority: string): void => {
  const clientConfig = { caBundle: Buffer.from(authority).toString('base64') };
  for (const kind of kinds) {
    cluster.api.put(kind, { metadata: { name: 'refwarden' }, webhooks: [{ clientConfig }] });
  }
};
const lease = (): FakeObject | undefined => cluster.api.get(paths.leases, 'refwarden', releaseNamespace);
const putLease = (holderIdentity: string | null, annotations: Record<string, string> = {}): void => {
  cluster.api.put(paths.leases, {
    metadata: { name: 'refwarden', namespace: releaseNamespace, annotations },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: new Date().toISOString() },
  });
};
/** By a replica that renews it for as long as the test takes. @returns ends that, and gives it back. */
const heldByAnother = (): (() => void) => {
  const renew = (): void => {
    putLease('another');
  };
  renew();
  const renewing = setInterval(renew, 1000);
  onTestFinished(() => {
    clearInterval(renewing);
  });
  return () => {
    clearInterval(renewing);
    putLease(null);
  };
};

describe('openInstallation', () => {
  it('makes certificates, registers the webhooks by their authority, and says that this replica holds the lease', async () => {
    const used: KeptCertificates[] = [];
    const use = (kept: KeptCertificates): unknown => used.push(kept);
    const installation = await open({ certificate: { kind: 'Secret', name: secretName, use } });
    await until(() => {
      expect([...(installation.webhooks?.values() ?? [])]).toEqual([true, true]);
    });
    expect([installation.holdsLease, installation.missing]).toEqual([true, undefined]);
    for (const kind of kinds) {
      expect(new Set(bundlesOf(kind))).toEqual(new Set([used.at(-1)?.authorities]));
    }
    const { holderIdentity: first } = lease()?.['spec'] as { holderIdentity: string };
    await installation.close();
    opened = [];
    expect(lease()).toMatchObject({ spec: { holderIdentity: null } });

    const next = await open();
    await until(() => {
      expect(next.holdsLease).toBe(true);
    });
    expect(lease()).not.toMatchObject({ spec: { holderIdentity: first } });
  });

  it('says what it lacks before anybody is sent to it: what is registered, or its authority among that', async () => {
    const [former, own] = await Promise.all([createTestAuthority('former'), createTestAuthority('own')]);
    register(former.ca);
    heldByAnother();
    cluster.api.fault = ({ path }, response) => {
      if (!path.startsWith(paths.validating)) return false;
      answerStatus(response, 403);
      return true;
    };
    const installation = await open({
      certificate: { kind: 'Provided', authorities: () => Promise.resolve(own.ca) },
    });
    await until(() => {
      expect(cluster.api.requests.some(({ path }) => path.startsWith(paths.validating))).toBe(true);
    });
    expect(installation.missing).toBe('The webhook configurations could not be read yet.');
    cluster.api.fault = undefined;
    const untold = 'The API server was not told yet of the authority of the serving certificate.';
    await until(() => {
      expect(installation.missing).toBe(untold);
    });
    expect([installation.isPropagated(own.ca), installation.isPropagated(former.ca)]).toEqual([false, true]);

    register(former.ca + own.ca);
    await until(() => {
      expect(installation.isPropagated(own.ca)).toBe(true);
      expect(installation.missing).toBeUndefined();
    }, 20_000);
    register(former.ca);
    await until(() => {
      expect(installation.isPropagated(own.ca)).toBe(false);
    });
    expect([installation.missing, installation.holdsLease]).toEqual([undefined, false]);
  }, 60_000);

  it('T38 goes on with the authorities that the holder of before vouched for, and vouches for them in turn', async () => {
    const [own, former, stranger] = await Promise.all(
      ['own', 'former', 'stranger'].map((name) => createTestAuthority(name)),
    );
    const pemOf = (...authorities: (TestAuthority | undefined)[]): string =>
      toPem(parseCertificates(authorities.map((one) => one?.ca).join('\n')));
    register(pemOf(former, stranger));
    putLease(null, { 'refwarden.dev/authorities': fingerprintsOf(pemOf(former)) });
    await open({ certificate: { kind: 'Provided', authorities: () => Promise.resolve(pemOf(own)) } });
    const expected = pemOf(own, former);
    await until(() => {
      for (const kind of kinds) expect(new Set(bundlesOf(kind))).toEqual(new Set([expected]));
      expect(lease()?.metadata.annotations).toEqual({
        'refwarden.dev/authorities': fingerprintsOf(expected),
      });
    });
  });

  it('registers an address outside the cluster, where there is no Service', async () => {
    cluster.api.delete(paths.services, 'refwarden', releaseNamespace);
    const installation = await open({ settings: parseWebhookSettings('url: https://refwarden.test:8443') });
    await until(() => {
      expect([...(installation.webhooks?.values() ?? [])]).toEqual([true, true]);
    });
  });

  it.each<[string, Partial<InstallationOptions>]>([
    ['it could not answer', { isAble: () => false }],
    [
      'its authority cannot be read',
      { certificate: { kind: 'Provided', authorities: () => Promise.reject(new Error('no such file')) } },
    ],
  ])('leaves the lease to others and registers nothing while %s', async (_what, options) => {
    const giveBack = heldByAnother();
    const installation = await open(options);
    await until(() => {
      expect(kinds.map((kind) => cluster.api.watchCount(kind))).toEqual([1, 1]);
    });
    // Longer than it is looked at again in any case, and then than the lease is asked for again.
    await sleep(2600);
    giveBack();
    await sleep(3000);
    expect(installation.holdsLease).toBe(false);
    expect(lease()).toMatchObject({ spec: { holderIdentity: null } });
    expect(kinds.map(bundlesOf)).toEqual([[], []]);
  });

  it('puts nothing back while it could no longer answer', async () => {
    let isAble = true;
    const installation = await open({ isAble: () => isAble });
    await until(() => {
      expect([...(installation.webhooks?.values() ?? [])]).toEqual([true, true]);
    });
    isAble = false;
    cluster.api.delete(paths.validating, 'refwarden');
    // Longer than it is looked at again in any case.
    await sleep(2600);
    expect(kinds.map((kind) => bundlesOf(kind).length > 0)).toEqual([false, true]);
    isAble = true;
    await until(() => {
      expect(bundlesOf(paths.validating)).not.toEqual([]);
    });
  });
});
