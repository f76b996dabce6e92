import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServeOptions } from '../../src/cli/commands.ts';
import { startService } from '../../src/compose/start-service.ts';
import type { WebhookLimits } from '../../src/server/webhook-server.ts';
import { ClusterUnderTest, policy } from '../kubernetes/cluster-under-test.ts';
import { answerJson, answerStatus, paths } from '../kubernetes/fake-api-server.ts';
import type { FakeObject } from '../kubernetes/fake-api-server.ts';
import { exception } from '../policy/sample-resources.ts';
import { captureLog } from '../support/captured-log.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { startFixtureRegistry } from '../support/fixture-registry.ts';
import { freePort } from '../support/free-port.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import type { TestAuthority } from '../support/tls-certificates.ts';
import { until } from '../support/until.ts';
import { answerOf, callWebhook, podReview } from '../support/webhook-call.ts';
import type { ClientTls } from '../support/webhook-call.ts';

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();

const releaseNamespace = 'refwarden-system';
const secret = { namespace: releaseNamespace, name: 'refwarden-certificates' };

/** Files of a directory that goes with the test. */
async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await writePolicyDirectory(files);
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return directory.path;
}

/** The service on loopback ports, for one test. */
async function start(options: Partial<ServeOptions>, limits: Partial<WebhookLimits> = {}) {
  const authority = await createTestAuthority();
  const { cert, key } = await authority.serving();
  const files = await writeFiles({ 'tls.crt': cert, 'tls.key': key });
  const operationsPort = await freePort();
  const service = await startService(
    {
      certificate: {
        kind: 'Files',
        certFile: join(files, 'tls.crt'),
        keyFile: join(files, 'tls.key'),
      },
      listen: '127.0.0.1:0',
      operationsListen: `127.0.0.1:${operationsPort}`,
      releaseNamespace,
      plainHttp: [],
      noMatch: 'Admit',
      pinning: false,
      pullSecrets: false,
      logLevel: 'info',
      ...options,
    },
    captureLog().log,
    { lingerMs: 0, ...limits },
  );
  onTestFinished(() => service.close());
  const send = (path: string, request: Record<string, unknown>, tls: ClientTls = { ca: authority.ca }) =>
    callWebhook({ port: service.port, tls, path, body: JSON.stringify(podReview(request)) });
  return {
    service,
    send,
    /** What is answered to a review at a path. */
    ask: async (path: string, request: Record<string, unknown>) => answerOf(await send(path, request)),
    /** Status and text of a path for kubelet and Prometheus. */
    operations: async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${operationsPort}${path}`);
      return [response.status, await response.text()];
    },
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
    const { ask } = await start({ kubeconfig: await cluster.kubeconfig(), maxExceptionMs: 30 * dayMs });
    await until(async () => {
      expect(await ask('/validate', pod(image('young')))).toMatchObject({ allowed: true });
    });
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

  it('registers the webhooks once it could answer, says until then what it lacks, and gives the lease back at its end', async () => {
    const cluster = await startCluster();
    const { api } = cluster;
    api.put(paths.services, { metadata: { name: 'refwarden', namespace: releaseNamespace } });
    api.put(paths.namespaces, { metadata: { name: releaseNamespace } });
    const [policies, certificates, configuration] = [
      `GET ${paths.clusterPolicies}`,
      `POST ${paths.secrets}`,
      `GET ${paths.validating}`,
    ];
    const refused = new Set([policies, certificates, configuration]);
    api.fault = ({ method, path }, response) => {
      if (!refused.has(`${method} ${path}`)) return false;
      answerStatus(response, 403);
      return true;
    };
    const { service, send, operations } = await start(
      {
        kubeconfig: await cluster.kubeconfig(),
        webhooks: join(await writeFiles({ 'webhooks.yaml': '{}' }), 'webhooks.yaml'),
        certificate: { kind: 'Secret', name: secret.name },
        pinning: true,
      },
      { lingerMs: 2000 },
    );
    await until(() => {
      expect(api.watchCount(paths.mutating)).toBe(1);
    });
    expect(api.requests.filter(({ path }) => path.startsWith(paths.leases))).toEqual([]);

    for (const [given, sentence] of [
      [policies, `The serving certificate is not in Secret ${secret.name} yet.`],
      [certificates, 'The webhook configurations could not be read yet.'],
    ] as const) {
      refused.delete(given);
      await until(async () => {
        expect(await operations('/readyz')).toEqual([503, `${sentence}\n`]);
      });
    }

    refused.clear();
    await until(async () => {
      expect(await operations('/readyz')).toEqual([200, 'ok\n']);
      const [, metrics] = await operations('/metrics');
      expect(metrics).toContain('refwarden_lease_held 1\n');
      expect(metrics).toMatch(/^refwarden_serving_certificate_expiry_timestamp_seconds \d+$/m);
      expect(metrics).toContain('refwarden_webhooks_registered{kind="MutatingWebhookConfiguration"} 1\n');
      expect(metrics).toContain('refwarden_webhooks_registered{kind="ValidatingWebhookConfiguration"} 1\n');
    });
    const { 'ca.crt': ca = '' } = api.get(paths.secrets, secret.name, secret.namespace)?.['data'] as Record<
      string,
      string
    >;
    const tls = { ca: Buffer.from(ca, 'base64'), servername: 'refwarden.refwarden-system.svc' };
    expect(answerOf(await send('/validate', {}, tls)).allowed).toBe(true);

    const closing = service.close();
    expect(await operations('/readyz')).toEqual([503, 'shutting down\n']);
    await closing;
    expect(api.get(paths.leases, 'refwarden', releaseNamespace)).toMatchObject({
      spec: { holderIdentity: null },
    });
  }, 60_000);

  it('takes a certificate of another authority into use at once where nobody is told of authorities', async () => {
    const [former, next] = await Promise.all([createTestAuthority('former'), createTestAuthority('next')]);
    const filesOf = async (authority: TestAuthority): Promise<Record<string, string>> => {
      const { cert, key } = await authority.serving();
      return { 'ca.crt': authority.ca, 'tls.crt': cert, 'tls.key': key };
    };
    const directory = await writeFiles(await filesOf(former));
    const [caFile = '', certFile = '', keyFile = ''] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) =>
      join(directory, name),
    );
    const { send } = await start({
      policies: await writeFiles({ 'p.json': fixturePolicy(signedBy('release')) }),
      certificate: { kind: 'Files', certFile, keyFile, caFile },
    });
    expect((await send('/mutate', {}, { ca: former.ca })).status).toBe(200);
    for (const [name, text] of Object.entries(await filesOf(next)))
      await writeFile(join(directory, name), text);
    await until(async () => {
      expect((await send('/mutate', {}, { ca: next.ca })).status).toBe(200);
    });
  });

  it.each([
    ['pins Pods where it is told so', true, ['/spec/containers/0/image']],
    ['pins no Pods where it is not', false, []],
  ])('T01 %s', async (_what, pinning, expected) => {
    const registry = await startFixtureRegistry('key-legacy');
    onTestFinished(() => registry.close());
    const { send } = await start({
      policies: await writeFiles({ 'p.json': fixturePolicy(signedBy('release')) }),
      plainHttp: [registry.host],
      pinning,
    });
    const { json } = await send('/mutate', pod(`${registry.host}/acme/app:1.4.0`));
    const { allowed, patch = '' } = json['response'] as { allowed: boolean; patch?: string };
    const operations = JSON.parse(Buffer.from(patch, 'base64').toString() || '[]') as {
      op: string;
      path: string;
    }[];
    expect(allowed).toBe(true);
    expect(operations.filter(({ op }) => op === 'replace').map(({ path }) => path)).toEqual(expected);
  });

  describe('of images that a registry shows to its own only', () => {
    async function startGuarded(options: Partial<ServeOptions>) {
      const account = { username: 'reader', password: 'sesame' };
      const registry = await startFixtureRegistry('key-legacy', { auth: { kind: 'basic', ...account } });
      onTestFinished(() => registry.close());
      const policies = await writeFiles({ 'p.json': fixturePolicy(signedBy('release')) });
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
      const { ask } = await start({
        policies,
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
