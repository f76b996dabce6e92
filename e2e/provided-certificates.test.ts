import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, inject, it } from 'vitest';
import { mountedSecret } from '../test/support/mounted-secret.ts';
import type { MountedSecret } from '../test/support/mounted-secret.ts';
import { createAuthority, issueServingCertificate } from '../src/certificates/issue-certificates.ts';
import { createNamespace } from './drivers/create-namespace.ts';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { create, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { pod, podSpec } from './objects/pod.ts';
import { freePorts } from './processes/free-ports.ts';
import type { CommandResult } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { startReplica } from './webhook/replica-process.ts';
import type { Replica } from './webhook/replica-process.ts';
import { releaseName } from './world/install-refwarden.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseNamespace } from './world/trust.ts';

const { kubeconfigPath, serviceKubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const namespace = 'provided-certificates';
const kinds = ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration'];
const hourMs = 3_600_000;

const stack = suiteStack();
let kubectl: Kubectl;
/** Holds the lease; nobody asks it. */
let writing: Replica;
/** The API server asks this one. */
let asked: Replica;
let mounts: { readonly writing: MountedSecret; readonly asked: MountedSecret };

/** By an authority of its own, as an issuer that signs for itself has it. @param hours that it is good for. */
async function provided(hours: number): Promise<Record<string, string>> {
  const term = { fromMs: Date.now(), lifetimeMs: hours * hourMs };
  const authority = await createAuthority(`Authority for ${hours} h`, term);
  const { certPem, keyPem } = await issueServingCertificate(authority, [webhookHost], term);
  return { 'tls.crt': certPem, 'tls.key': keyPem, 'ca.crt': authority.certPem };
}

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('provided');
  stack.defer(() => directory.remove());
  kubectl = await makeKubectl(kubeconfigPath, directory.path);
  stack.defer(async () => {
    await must(kubectl, ['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
    await must(kubectl, [
      'delete',
      'lease',
      releaseName,
      `--namespace=${releaseNamespace}`,
      '--ignore-not-found',
    ]);
    for (const kind of kinds) await must(kubectl, ['delete', kind, releaseName, '--ignore-not-found']);
  });
  await createNamespace({ kubectl }, namespace);
  const ports = await freePorts(4);
  const webhooksPath = join(directory.path, 'webhooks.yaml');
  const service = { namespace: releaseNamespace, name: releaseName };
  await writeFile(webhooksPath, JSON.stringify({ url: `https://${webhookHost}:${ports[2]}`, service }));
  const first = await provided(2);
  const start = async (name: string, secret: MountedSecret): Promise<Replica> => {
    const [port = 0, operationsPort = 0] = ports.splice(0, 2);
    const replica = await startReplica({
      ...{ kubeconfigPath: serviceKubeconfigPath, webhooksPath, plainHttp: [host] },
      ...{ name, port, operationsPort, directory: directory.path, certificates: secret.path },
    });
    stack.defer(() => replica.kill());
    return replica;
  };
  const mount = (name: string): Promise<MountedSecret> => mountedSecret(join(directory.path, name), first);
  mounts = { writing: await mount('writing'), asked: await mount('asked') };
  writing = await start('writing-replica', mounts.writing);
  await until('it writes', async () => (await writing.metrics()).includes('refwarden_lease_held 1\n'));
  asked = await start('asked-replica', mounts.asked);
  await until('Pods are admitted', async () => (await ask()).code === 0);
});

const until = (what: string, isSo: () => Promise<boolean>): Promise<true> =>
  waitUntil(async () => ((await isSo()) ? true : undefined), { what, timeoutMs: 20_000, intervalMs: 100 });
const ask = (): Promise<CommandResult> =>
  create(kubectl, pod(namespace, podSpec(images.unsigned.tagged), `p${Date.now()}`), '--dry-run=server');
/** Hours until the certificate ends that the replica serves by. */
async function hoursLeft(replica: Replica): Promise<number> {
  const line = /^refwarden_serving_certificate_expiry_timestamp_seconds (.+)$/m.exec(await replica.metrics());
  return Math.round((Number(line?.[1]) * 1000 - Date.now()) / hourMs);
}

it('T33 another authority fails no request, whichever replica sees it first', async () => {
  const over = new AbortController();
  const results: CommandResult[] = [];
  const creating = (async () => {
    while (!over.signal.aborted) results.push(await ask());
  })();
  const second = await provided(9);
  await mounts.asked.put(second);
  await sleep(4000);
  // Nobody was told of its authority yet.
  expect(await hoursLeft(asked)).toBe(2);
  await mounts.writing.put(second);
  await until('the replica serves by the new one', async () => (await hoursLeft(asked)) === 9);

  // The other way round: who is asked goes on with the last, whose authority is still trusted.
  const third = await provided(17);
  await mounts.writing.put(third);
  await until('the other serves by a third', async () => (await hoursLeft(writing)) === 17);
  await sleep(2000);
  over.abort();
  await creating;
  expect(await hoursLeft(asked)).toBe(9);
  for (const result of results) expectAdmitted(result);
  expect(results.length).toBeGreaterThan(20);
  // Nothing else lets it in: the webhook was asked.
  expect(await asked.metrics()).toMatch(/^refwarden_reviews_total\{outcome="admitted",kind="Pod"\} [1-9]/m);
});
