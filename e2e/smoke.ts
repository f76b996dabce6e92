// Starts every piece once and uses it, without Refwarden: node e2e/smoke.ts
import assert from 'node:assert/strict';
import { chooseClusterDriver } from './drivers/choose-cluster-driver.ts';
import type { Cluster } from './drivers/cluster-driver.ts';
import { createNamespace } from './drivers/create-namespace.ts';
import { exitOnSignals } from './processes/exit-on-signals.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { startDistribution } from './registries/distribution.ts';
import { startOciregistry } from './registries/ociregistry.ts';
import { makeOras } from './tools/oras.ts';

const NAMESPACE = 'refwarden-smoke';

exitOnSignals();
await step('distribution has no referrers API', async () => {
  const registry = await startDistribution();
  assert.equal(await referrersStatus(registry.host), 404);
  await registry.stop();
});
await step('ociregistry has the referrers API', async () => {
  const registry = await startOciregistry();
  assert.equal(await referrersStatus(registry.host), 200);
  await registry.stop();
});
const cluster = await step('the cluster starts', () => chooseClusterDriver().start());
try {
  await step('it has namespaces', async () => {
    const namespaces = await kubectl(['get', 'namespaces', '-o', 'name']);
    assert.match(namespaces, /^namespace\/default$/m);
  });
  await step('a namespace and a pod can be made', async () => {
    await createNamespace(cluster, NAMESPACE);
    await kubectl(['run', 'app', '-n', NAMESPACE, '--image=registry.example/app:1']);
  });
  await step('controllers work', async () => {
    await kubectl(['create', 'job', 'once', '-n', NAMESPACE, '--image=registry.example/app:1']);
    await podsOfJob(cluster);
  });
  if (cluster.canRestartApiServer) {
    await step('the API server restarts with its data', async () => {
      await cluster.restartApiServer();
      await kubectl(['get', 'pod', 'app', '-n', NAMESPACE]);
    });
  }
  await step('the namespace can go', () => kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']));
} finally {
  await step('the cluster stops', () => cluster.stop());
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  process.stdout.write(`ok ${title} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
  return result;
}

async function kubectl(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function podsOfJob(of: Cluster): Promise<void> {
  await waitUntil(
    async () => {
      const pods = await of.kubectl(['get', 'pods', '-n', NAMESPACE, '-l', 'job-name=once', '-o', 'name']);
      return pods.stdout.startsWith('pod/') ? true : undefined;
    },
    { what: 'the Job has a pod', timeoutMs: 30_000 },
  );
}

/** Pushes an artifact and asks for what refers to it. */
async function referrersStatus(host: string): Promise<number> {
  const home = await makeTemporaryDirectory('smoke');
  const oras = await makeOras(home.path);
  const pushed = await oras([
    ...['push', '--plain-http', '--format=json', '--artifact-type=text/plain', `${host}/smoke:1`],
  ]);
  const { digest } = JSON.parse(pushed) as { digest: string };
  const response = await fetch(`http://${host}/v2/smoke/referrers/${digest}`);
  await response.body?.cancel();
  await home.remove();
  return response.status;
}
