import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../src/admission/decide.ts';
import type { DecisionPorts } from '../../src/admission/decide.ts';
import type { LiveSource } from '../../src/admission/live-source.ts';
import { RefwardenError, failure } from '../../src/failures/failure.ts';
import type { Failure } from '../../src/failures/failure.ts';
import { openCluster } from '../../src/kubernetes/open-cluster.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { captureLog } from '../support/captured-log.ts';
import { until } from '../support/until.ts';
import { ClusterUnderTest, issuer, policy, policyNames } from './cluster-under-test.ts';
import { answerJson, paths } from './fake-api-server.ts';
import type { FakeApiServer } from './fake-api-server.ts';

let cluster: ClusterUnderTest;
let api: FakeApiServer;
beforeEach(async () => {
  cluster = await ClusterUnderTest.start();
  api = cluster.api;
});
afterEach(() => cluster.stop());

const ready = (source: LiveSource): Promise<void> =>
  until(() => {
    expect(source.status()).toMatchObject({ ready: true, missing: [] });
  });
const signal = new AbortController().signal;
/** Longer than changes are gathered before they are compiled, milliseconds. */
const settledMs = 200;

describe('openCluster', () => {
  it('follows policies, issuers, namespaces and ConfigMaps', async () => {
    const root = { transparencyLog: 'Required', trustedRoot: { configMap: { name: 'roots', key: 'root' } } };
    api.put(paths.issuers, issuer('release', root));
    api.put(paths.clusterPolicies, policy('everywhere', { namespaces: { matchLabels: { env: 'prod' } } }));
    api.put(paths.policies, policy('here', {}, 'shop'));
    api.put(paths.namespaces, { metadata: { name: 'shop', labels: { env: 'prod' } } });
    const source = await cluster.open();
    await ready(source);
    const issuerOf = (): unknown => source.snapshot()?.policies[0]?.requirements[0];
    expect(policyNames(source)).toEqual(['everywhere', 'shop/here']);
    expect(issuerOf()).toMatchObject({ notReady: { code: 'PolicyNotReady' } });
    expect(await source.labels('shop', signal)).toEqual({ env: 'prod' });

    api.put(paths.configMaps, {
      metadata: { name: 'roots', namespace: 'refwarden-system' },
      data: { root: 'one' },
    });
    await until(() => {
      expect(issuerOf()).toMatchObject({ issuers: [{ trustedRoot: { json: 'one' } }] });
    });
    expect(source.configMap('roots')).toEqual({ root: 'one' });

    api.put(paths.clusterPolicies, policy('everywhere', { mode: 'Audit' }));
    api.delete(paths.policies, 'here', 'shop');
    api.put(paths.namespaces, { metadata: { name: 'shop', labels: { env: 'test' } } });
    await until(() => {
      expect(policyNames(source)).toEqual(['everywhere']);
      expect(source.snapshot()?.policies[0]?.mode).toBe('Audit');
    });
    await until(async () => {
      expect(await source.labels('shop', signal)).toEqual({ env: 'test' });
    });
    expect(api.seen(paths.clusterPolicies, 'read')).toHaveLength(1);
    expect(api.seen(`${paths.namespaces}/shop`, 'read')).toHaveLength(0);
    expect(Object.keys(source.status().lastSyncMs).sort()).toEqual([
      'artifactpolicies',
      'artifactpolicyexceptions',
      'clusterartifactpolicies',
      'configmaps',
      'namespaces',
      'trustedissuers',
    ]);
  });

  it('compiles nothing anew for a status, a label, or a ConfigMap that no issuer names', async () => {
    const root = { transparencyLog: 'Required', trustedRoot: { configMap: { name: 'roots', key: 'root' } } };
    const configMap = (name: string, data: object, labels = {}): number =>
      api.put(paths.configMaps, { metadata: { name, namespace: 'refwarden-system', labels }, data });
    api.put(paths.issuers, issuer('release', root));
    api.put(paths.clusterPolicies, policy('p'));
    configMap('roots', { root: 'one' });
    const source = await cluster.open();
    await ready(source);
    await sleep(settledMs);
    const before = source.snapshot();
    const { metadata, spec } = policy('p');
    const status = { observedGeneration: 1 };
    api.put(paths.clusterPolicies, { metadata: { ...metadata, labels: { team: 'a' } }, spec, status });
    configMap('roots', { root: 'one' }, { team: 'a' });
    configMap('other', { root: 'two' });
    await until(() => {
      const object = [...(source.objects?.() ?? [])].find(({ kind }) => kind === 'ClusterArtifactPolicy');
      expect(object?.status).toEqual(status);
      expect(source.configMap('other')).toEqual({ root: 'two' });
    });
    await sleep(settledMs);
    expect(source.snapshot()).toBe(before);
    configMap('roots', { root: 'three' });
    await until(() => {
      expect(source.snapshot()).not.toBe(before);
    });
  });

  it('T34 trust material that says it changed is taken up without an event of the cluster', async () => {
    api.put(paths.issuers, issuer('release', { transparencyLog: 'Required' }));
    api.put(paths.clusterPolicies, policy('p'));
    let root: string | Failure = failure('TrustMaterialMissing', 'not read yet');
    const listeners = new Set<() => void>();
    const source = await cluster.open(
      {},
      {
        trustFor: () => ({ material: () => root, check: () => undefined }),
        onTrustChange: (changed) => {
          listeners.add(changed);
          return () => listeners.delete(changed);
        },
      },
    );
    await ready(source);
    const requirement = (): unknown => source.snapshot()?.policies[0]?.requirements[0];
    expect(requirement()).toMatchObject({ notReady: { message: 'TrustedIssuer release: not read yet' } });
    root = 'second';
    for (const changed of listeners) changed();
    await until(() => {
      expect(requirement()).toMatchObject({ issuers: [{ trustedRoot: { json: 'second' } }] });
    });
    await source.close();
    expect(listeners.size).toBe(0);
  });

  it('T34 trust material that leaves its ConfigMap stops counting', async () => {
    const root = { transparencyLog: 'Required', trustedRoot: { configMap: { name: 'roots', key: 'root' } } };
    api.put(paths.issuers, issuer('release', root));
    api.put(paths.clusterPolicies, policy('p'));
    api.put(paths.configMaps, {
      metadata: { name: 'roots', namespace: 'refwarden-system' },
      data: { root: 'one' },
    });
    const source = await cluster.open();
    await ready(source);
    expect(source.snapshot()?.policies[0]?.requirements[0]?.notReady).toBeUndefined();
    api.delete(paths.configMaps, 'roots', 'refwarden-system');
    await until(() => {
      expect(source.snapshot()?.policies[0]?.requirements[0]?.notReady).toMatchObject({
        code: 'PolicyNotReady',
      });
    });
  });

  it('T28 nothing is admitted before everything was listed', async () => {
    api.put(paths.clusterPolicies, policy('p'));
    let release = (): void => undefined;
    api.fault = ({ path }, response) => {
      if (path !== paths.issuers) return false;
      release = () => {
        api.fault = undefined;
        response.socket?.resetAndDestroy();
      };
      return true;
    };
    const source = await cluster.open();
    await until(() => {
      expect(source.status().missing).toEqual(['The trustedissuers are not listed yet.']);
    });
    expect(source.status().ready).toBe(false);
    expect(source.snapshot()).toBeUndefined();
    const verdict = await decide(
      {
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        isTemplate: false,
        dryRun: false,
        images: [{ image: 'nginx', fields: [] }],
      },
      {
        policies: source,
        namespaces: source,
        recorder: { record: () => undefined },
        clock: { nowMs: () => 0 },
      } as unknown as DecisionPorts,
      { signal },
    );
    expect(verdict).toMatchObject({
      allowed: false,
      outcome: 'inconclusive',
      failure: { code: 'PoliciesNotLoaded', message: 'No policies have been loaded yet.' },
    });
    release();
    await ready(source);
  });

  it('T22 an object that does not parse keeps the source from being ready until it is mended', async () => {
    api.put(paths.policies, policy('good', {}, 'shop'));
    api.put(paths.clusterPolicies, policy('bad', { imagez: [] }));
    const source = await cluster.open();
    await until(() => {
      expect(source.status().missing).toEqual([
        expect.stringMatching(/^cluster: ClusterArtifactPolicy bad: spec: .*imagez/) as string,
      ]);
    });
    expect(source.snapshot()).toBeUndefined();
    expect(source.status().stale).toMatchObject([
      { origin: 'ClusterArtifactPolicy/bad', failure: { code: 'PolicyInvalid' } },
    ]);
    api.put(paths.clusterPolicies, policy('bad'));
    await ready(source);
    expect(policyNames(source)).toEqual(['bad', 'shop/good']);
  });

  it('T22 an issuer that does not parse keeps the source from being ready where a policy that enforces asks for it', async () => {
    api.put(paths.issuers, { metadata: { name: 'release' }, spec: { keyy: {} } });
    api.put(paths.issuers, { metadata: { name: 'unused' }, spec: { keyy: {} } });
    api.put(paths.policies, policy('asking', {}, 'shop'));
    api.put(paths.clusterPolicies, policy('asking'));
    const source = await cluster.open();
    await until(() => {
      expect(source.status().missing).toEqual([
        expect.stringMatching(/^cluster: TrustedIssuer release: spec: .*keyy/) as string,
      ]);
    });
    api.put(paths.clusterPolicies, policy('asking', { mode: 'Audit' }));
    await ready(source);
    expect(source.status().stale).toMatchObject([
      { origin: 'TrustedIssuer/release' },
      { origin: 'TrustedIssuer/unused' },
    ]);
    const unready = { name: 'asking', requirements: [{ notReady: { code: 'PolicyNotReady' } }] };
    expect(source.snapshot()?.policies).toMatchObject([unready, unready]);
  });

  it.each(['Audit', 'Warn'])(
    'a cluster policy that does not parse, of mode %s, holds up nobody',
    async (mode) => {
      api.put(paths.clusterPolicies, policy('bad', { imagez: [], mode }));
      api.put(paths.clusterPolicies, policy('good'));
      const source = await cluster.open();
      await ready(source);
      expect(source.snapshot()?.policies).toMatchObject([
        { name: 'good', mode: 'Enforce' },
        {
          name: 'bad',
          mode,
          requirements: [{ kind: 'unready', notReady: { code: 'PolicyInvalid' } }],
        },
      ]);
      expect(source.status().stale).toMatchObject([{ origin: 'ClusterArtifactPolicy/bad' }]);
      // Once it enforces it refuses everything, not nothing.
      api.put(paths.clusterPolicies, policy('bad', { imagez: [] }));
      await until(() => {
        expect(source.snapshot()?.policies).toMatchObject([
          { name: 'good' },
          { name: 'bad', mode: 'Enforce' },
        ]);
      });
      api.put(paths.clusterPolicies, policy('bad'));
      await until(() => {
        expect(source.status().stale).toEqual([]);
      });
    },
  );

  it('T22 a cluster policy that comes later and does not parse refuses every image of every namespace', async () => {
    api.put(paths.clusterPolicies, policy('good'));
    const source = await cluster.open();
    await ready(source);
    api.put(paths.clusterPolicies, policy('bad', { imagez: [] }));
    await until(() => {
      expect(source.snapshot()?.policies).toMatchObject([
        { name: 'good' },
        {
          name: 'bad',
          mode: 'Enforce',
          onInconclusive: 'Deny',
          workloads: 'All',
          requirements: [{ kind: 'unready', notReady: { code: 'PolicyInvalid' } }],
        },
      ]);
    });
    expect(source.status()).toMatchObject({ ready: true, missing: [] });
  });

  it('T23 an exception that does not parse, or no longer does, excepts nothing and holds up nobody', async () => {
    const spec = {
      images: ['ghcr.io/acme/app'],
      namespaces: ['shop'],
      policies: [{ name: 'good', requirements: ['All'] }],
      reason: 'INC-1',
      expiresAt: '2100-01-01T00:00:00Z',
    };
    const exception = (change: object): ReturnType<typeof policy> => ({
      metadata: { name: 'hotfix' },
      spec: { ...spec, ...change },
    });
    api.put(paths.clusterPolicies, policy('good'));
    api.put(paths.exceptions, exception({ expiresAt: 'never' }));
    const source = await cluster.open();
    await ready(source);
    const inForce = (): unknown =>
      source
        .snapshot()
        ?.exceptions.get('shop')
        ?.map(({ name }) => name);
    expect(inForce()).toBeUndefined();
    api.put(paths.exceptions, exception({}));
    await until(() => {
      expect(inForce()).toEqual(['hotfix']);
    });
    api.put(paths.exceptions, exception({ images: ['**'] }));
    await until(() => {
      expect(inForce()).toBeUndefined();
    });
  });

  it('T22 T28 an object of a namespace that never parsed refuses there, and holds up nobody else', async () => {
    api.put(paths.clusterPolicies, policy('good'));
    api.put(paths.policies, policy('bad', { mode: 'Warn', imagez: [] }, 'shop'));
    api.put(paths.policies, policy('worse', { mode: 'Off' }, 'shop'));
    const source = await cluster.open();
    await ready(source);
    expect(policyNames(source)).toEqual(['good', 'shop/bad', 'shop/worse']);
    expect(source.snapshot()?.policies.slice(1)).toMatchObject([
      { mode: 'Warn', requirements: [{ notReady: { code: 'PolicyInvalid' } }] },
      { mode: 'Enforce', requirements: [{ notReady: { code: 'PolicyInvalid' } }] },
    ]);
    expect(source.status().stale.map(({ origin }) => origin)).toEqual([
      'ArtifactPolicy/shop/bad',
      'ArtifactPolicy/shop/worse',
    ]);
    api.put(paths.policies, policy('bad', { mode: 'Audit' }, 'shop'));
    api.delete(paths.policies, 'worse', 'shop');
    await until(() => {
      expect(policyNames(source)).toEqual(['good', 'shop/bad']);
      expect(source.status().stale).toEqual([]);
    });
    const inForce = (): unknown => source.snapshot()?.policies[1];
    expect(inForce()).toMatchObject({ mode: 'Audit' });
    expect(inForce()).not.toMatchObject({ requirements: [{ name: 'readable' }] });

    // One that was good once stays in force, without a stand-in.
    api.put(paths.policies, policy('bad', { mode: 'Off' }, 'shop'));
    await until(() => {
      expect(source.status().stale).toHaveLength(1);
    });
    expect(policyNames(source)).toEqual(['good', 'shop/bad']);
  });

  it('T22 an object that stops parsing stays in force as it was last good, and is reported', async () => {
    api.put(paths.issuers, issuer('release'));
    api.put(paths.clusterPolicies, policy('p', { mode: 'Enforce' }));
    const log = captureLog();
    const source = await cluster.open({}, { logger: log.log });
    await ready(source);
    api.put(paths.issuers, { metadata: { name: 'release' }, spec: {} });
    api.put(paths.clusterPolicies, policy('p', { mode: 'Off' }));
    api.put(paths.clusterPolicies, policy('next'));
    await until(() => {
      expect(policyNames(source)).toEqual(['next', 'p']);
      expect(source.status().stale).toHaveLength(2);
    });
    expect(source.snapshot()?.policies.find(({ name }) => name === 'p')).toMatchObject({
      mode: 'Enforce',
      requirements: [{ issuers: [{ name: 'release' }] }],
    });
    expect(source.status()).toMatchObject({
      ready: true,
      missing: [],
      stale: [
        { origin: 'TrustedIssuer/release', failure: { code: 'IssuerInvalid' } },
        { origin: 'ClusterArtifactPolicy/p', failure: { code: 'PolicyInvalid' } },
      ],
    });
    api.delete(paths.clusterPolicies, 'p');
    await until(() => {
      expect(policyNames(source)).toEqual(['next']);
    });
    expect(log.lines()).toContainEqual(
      expect.objectContaining({
        origin: 'ClusterArtifactPolicy/p',
        msg: 'Deleted: it is in force no more',
      }),
    );
  });

  it('T28 a compilation that fails leaves no snapshot, or the last one', async () => {
    let broken = true;
    const source = await cluster.open(
      {},
      {
        trustFor: () => {
          if (broken) throw new RefwardenError('TrustMaterialInvalid', 'the root is broken');
          return { material: () => 'root', check: () => undefined };
        },
      },
    );
    await until(() => {
      expect(source.status()).toMatchObject({ ready: false, missing: ['the root is broken'] });
    });
    broken = false;
    api.put(paths.clusterPolicies, policy('p'));
    await ready(source);
    broken = true;
    api.delete(paths.clusterPolicies, 'p');
    await until(() => {
      expect(source.status().stale).toEqual([
        { origin: 'policies', failure: { code: 'TrustMaterialInvalid', message: 'the root is broken' } },
      ]);
    });
    expect(policyNames(source)).toEqual(['p']);
    expect(source.status().ready).toBe(true);
  });

  it('says to install the custom resource definitions when the API server has none, and finds them later', async () => {
    api.fault = ({ path }, response) => {
      if (!path.startsWith('/apis/refwarden.dev/')) return false;
      answerJson(response, 404, { kind: 'Status', code: 404 });
      return true;
    };
    const source = await cluster.open();
    const missing = (name: string): string =>
      `The API server has no ${name} of refwarden.dev/v1alpha1: install the custom resource definitions with "refwarden crds | kubectl apply -f -".`;
    await until(() => {
      expect(source.status().missing).toEqual([
        missing('trustedissuers'),
        missing('clusterartifactpolicies'),
        missing('artifactpolicies'),
        missing('artifactpolicyexceptions'),
      ]);
    });
    expect(source.snapshot()).toBeUndefined();
    api.fault = undefined;
    await ready(source);
    expect(policyNames(source)).toEqual([]);
  });

  it.each([
    [
      403,
      paths.clusterPolicies,
      'The account may not read clusterartifactpolicies: allow it the verbs list and watch on resources ["clusterartifactpolicies"] of apiGroups ["refwarden.dev"] in a ClusterRole.',
    ],
    [
      403,
      paths.namespaces,
      'The account may not read namespaces: allow it the verbs get, list and watch on resources ["namespaces"] of apiGroups [""] in a ClusterRole.',
    ],
    [
      403,
      paths.configMaps,
      'The account may not read configmaps: allow it the verbs list and watch on resources ["configmaps"] of apiGroups [""] in a Role of namespace refwarden-system.',
    ],
    [
      401,
      paths.policies,
      'The API server does not accept the credentials: check the service account token or the kubeconfig.',
    ],
    [500, paths.policies, 'The API server answered 500 when asked for artifactpolicies.'],
    [302, paths.policies, 'The API server answered 302 when asked for artifactpolicies.'],
  ])('T28 is not ready while the API server answers %i for %s', async (status, path, message) => {
    api.fault = (request, response) => {
      if (request.path !== path) return false;
      response.setHeader('location', 'http://127.0.0.1:1/');
      answerJson(response, status, { kind: 'Status', code: status });
      return true;
    };
    const source = await cluster.open();
    await until(() => {
      expect(source.status().missing).toEqual([message]);
    });
    expect(source.snapshot()).toBeUndefined();
    await until(() => {
      expect(api.seen(path, 'read').length).toBeGreaterThan(2);
    });
    api.fault = undefined;
    await ready(source);
  });

  it('T33 an API server that restarts leaves everything in force, and is followed again', async () => {
    api.put(paths.clusterPolicies, policy('p'));
    api.put(paths.namespaces, { metadata: { name: 'shop', labels: { env: 'prod' } } });
    const source = await cluster.open();
    await ready(source);
    await until(() => {
      expect(api.watchCount(paths.clusterPolicies)).toBe(1);
    });
    const before = source.status().lastSyncMs['clusterartifactpolicies'] ?? NaN;
    await api.stop();
    api.delete(paths.clusterPolicies, 'p');
    api.put(paths.clusterPolicies, policy('q'));
    expect(source.status()).toMatchObject({ ready: true, missing: [] });
    expect(policyNames(source)).toEqual(['p']);
    expect(await source.labels('shop', signal)).toEqual({ env: 'prod' });
    await expect(source.labels('other', signal)).rejects.toMatchObject({
      code: 'NamespaceUnknown',
      message: 'The labels of namespace "other" are not known: the API server did not answer.',
    });
    expect(source.status().lastSyncMs['clusterartifactpolicies']).toBeLessThanOrEqual(Date.now());
    await api.listen();
    await until(() => {
      expect(policyNames(source)).toEqual(['q']);
    });
    expect(source.status().lastSyncMs['clusterartifactpolicies']).toBeGreaterThanOrEqual(before);
  });

  it('sends its credentials over TLS that it verifies, and to nobody else', async () => {
    const authority = await createTestAuthority();
    const tls = await ClusterUnderTest.start(await authority.serving());
    try {
      const server = `https://127.0.0.1:${tls.api.port}`;
      const ca = (pem: string): string => Buffer.from(pem).toString('base64');
      const stranger = await createTestAuthority('Other CA');
      const refused = await tls.open({}, {}, { server, 'certificate-authority-data': ca(stranger.ca) });
      await until(() => {
        expect(refused.status().missing).toContainEqual(
          expect.stringMatching(
            /^The API server at https:\/\/127\.0\.0\.1:\d+ cannot be reached, or stopped answering \([A-Z_]+\)\.$/,
          ) as string,
        );
      });
      expect(tls.api.requests).toEqual([]);
      await refused.close();
      const source = await tls.open({}, {}, { server, 'certificate-authority-data': ca(authority.ca) });
      await ready(source);
      expect(new Set(tls.api.requests.map(({ headers }) => headers.authorization))).toEqual(
        new Set(['Bearer the-token']),
      );
    } finally {
      await tls.stop();
    }
  });

  it('T28 is not ready while its credentials cannot be read', async () => {
    const source = await cluster.open(
      {},
      {},
      { server: 'https://127.0.0.1:1', 'certificate-authority': '/nowhere/ca.crt' },
    );
    await until(() => {
      expect(source.status().missing).toEqual([
        'The credentials for the API server cannot be used, /nowhere/ca.crt (ENOENT): check the files, commands and proxy that the kubeconfig names.',
      ]);
    });
    expect(source.snapshot()).toBeUndefined();
  });

  it('refuses a kubeconfig that cannot be read, or that names a server without TLS', async () => {
    const open = (kubeconfig: string): Promise<LiveSource> =>
      openCluster({
        kubeconfig,
        releaseNamespace: 'refwarden-system',
        trustFor: () => ({ material: () => '', check: () => undefined }),
        checkExpression: () => ({ uses: [] }),
        noMatch: 'Admit',
      });
    await expect(open('/nowhere/kubeconfig')).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: 'The kubeconfig /nowhere/kubeconfig cannot be read: check the path and the file.',
    });
    await expect(open(await cluster.kubeconfig({ server: 'http://127.0.0.1:1' }))).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message:
        'No API server over https is known, only http://127.0.0.1:1: run in a cluster with a service account, or set KUBECONFIG.',
    });
  });

  it('lets go of every connection when closed, and still answers what was in force', async () => {
    api.put(paths.clusterPolicies, policy('p'));
    const source = await cluster.open();
    await ready(source);
    await source.close();
    await until(async () => {
      expect(await api.openConnections()).toBe(0);
    });
    expect(policyNames(source)).toEqual(['p']);
    await expect(source.labels('shop', signal)).rejects.toMatchObject({ code: 'NamespaceUnknown' });
  });
});
