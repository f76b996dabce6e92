import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ServeOptions } from '../../src/cli/commands.ts';
import { startService } from '../../src/compose/start-service.ts';
import { ClusterUnderTest, policy } from '../kubernetes/cluster-under-test.ts';
import { answerJson, paths } from '../kubernetes/fake-api-server.ts';
import type { FakeObject } from '../kubernetes/fake-api-server.ts';
import { exception } from '../policy/sample-resources.ts';
import { captureLog } from '../support/captured-log.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { startFixtureRegistry } from '../support/fixture-registry.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { answerOf, callWebhook, podReview } from '../support/webhook-call.ts';

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();

/** The service on a loopback port, and what it answers to a review at a path, for one test. */
async function start(options: Partial<ServeOptions>) {
  const authority = await createTestAuthority();
  const { cert, key } = await authority.serving();
  const files = await writePolicyDirectory({ 'tls.crt': cert, 'tls.key': key });
  onTestFinished(() => files[Symbol.asyncDispose]());
  const service = await startService(
    {
      certificate: {
        kind: 'Files',
        certFile: join(files.path, 'tls.crt'),
        keyFile: join(files.path, 'tls.key'),
      },
      listen: '127.0.0.1:0',
      operationsListen: '127.0.0.1:0',
      releaseNamespace: 'refwarden-system',
      plainHttp: [],
      noMatch: 'Admit',
      pinning: false,
      pullSecrets: false,
      logLevel: 'info',
      ...options,
    },
    captureLog().log,
    { lingerMs: 0 },
  );
  onTestFinished(() => service.close());
  return async (path: string, request: Record<string, unknown>) => {
    const body = JSON.stringify(podReview(request));
    return answerOf(await callWebhook({ port: service.port, tls: { ca: authority.ca }, path, body }));
  };
}

async function startCluster(): Promise<ClusterUnderTest> {
  const cluster = await ClusterUnderTest.start();
  onTestFinished(() => cluster.stop());
  return cluster;
}

const pod = (image: string, spec: object = {}): Record<string, unknown> => ({
  object: { spec: { containers: [{ name: 'app', image }], ...spec } },
});

describe('startService', () => {
  it('T23 has exceptions count as long after they were made as it is told, and refuses those that say more', async () => {
    const cluster = await startCluster();
    cluster.api.put(paths.namespaces, { metadata: { name: 'shop' } });
    cluster.api.put(paths.clusterPolicies, policy('prod'));
    const image = (name: string): string => `ghcr.io/acme/${name}@sha256:${'a'.repeat(64)}`;
    for (const [name, days] of [
      ['young', -29],
      ['old', -31],
    ] as const) {
      const metadata = { creationTimestamp: inDays(days) };
      cluster.api.put(
        paths.exceptions,
        exception(name, { images: [image(name)] }, metadata) as unknown as FakeObject,
      );
    }
    const ask = await start({ kubeconfig: await cluster.kubeconfig(), maxExceptionMs: 30 * dayMs });
    await vi.waitFor(
      async () => {
        expect(await ask('/validate', pod(image('young')))).toMatchObject({ allowed: true });
      },
      { timeout: 10_000, interval: 50 },
    );
    const old = await ask('/validate', pod(image('old')));
    expect(old.allowed).toBe(false);
    expect(old.message).toContain('PolicyNotReady');

    const review = (days: number): Record<string, unknown> => ({
      kind: { group: 'refwarden.dev', version: 'v1alpha1', kind: 'ArtifactPolicyException' },
      namespace: '',
      name: 'new',
      object: exception('new', { images: [image('new')], expiresAt: inDays(days) }),
    });
    expect(await ask('/validate-resources', review(29))).toMatchObject({ allowed: true });
    const refused = await ask('/validate-resources', review(31));
    expect(refused.allowed).toBe(false);
    expect(refused.message).toContain('is more than 30 days after the exception was made');
  });

  describe('of images that a registry shows to its own only', () => {
    async function startGuarded(options: Partial<ServeOptions>) {
      const account = { username: 'reader', password: 'sesame' };
      const registry = await startFixtureRegistry('key-legacy', { auth: { kind: 'basic', ...account } });
      onTestFinished(() => registry.close());
      const directory = await writePolicyDirectory({ 'p.json': fixturePolicy(signedBy('release')) });
      onTestFinished(() => directory[Symbol.asyncDispose]());
      const cluster = await startCluster();
      cluster.api.fault = ({ path }, response) => {
        if (path !== '/api/v1/namespaces/shop/secrets/regcred') return false;
        const config = JSON.stringify({ auths: { [registry.host]: account } });
        answerJson(response, 200, {
          metadata: { name: 'regcred' },
          type: 'kubernetes.io/dockerconfigjson',
          data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
        });
        return true;
      };
      const ask = await start({
        policies: directory.path,
        kubeconfig: await cluster.kubeconfig(),
        plainHttp: [registry.host],
        ...options,
      });
      const image = `${registry.host}/acme/app@${registry.image}`;
      const answer = await ask('/validate', pod(image, { imagePullSecrets: [{ name: 'regcred' }] }));
      return { answer, requests: cluster.api.requests };
    }

    it('T09 reads the pull secrets of a Pod', async () => {
      const { answer } = await startGuarded({ pullSecrets: true });
      expect(answer).toMatchObject({ allowed: true });
    });

    it('T09 reads no pull secrets where it is told so, and says that', async () => {
      const { answer, requests } = await startGuarded({ pullSecrets: false });
      expect(answer.allowed).toBe(false);
      expect(answer.message).toContain('RegistryUnauthorized');
      expect(answer.message).toContain(
        'Pull secrets of workloads are not read here (--no-pull-secrets, pullSecrets.mode of the chart).',
      );
      expect(requests).toEqual([]);
    });
  });
});
