import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, inject, it } from 'vitest';
import { mountedSecret } from '../test/support/mounted-secret.ts';
import type { MountedSecret } from '../test/support/mounted-secret.ts';
import { parseCertificates } from '../src/certificates/pem-bundle.ts';
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
import { answersWell, startReplica } from './webhook/replica-process.ts';
import type { Replica, ReplicaOptions } from './webhook/replica-process.ts';
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
let options: Record<'writing' | 'asked' | 'late', ReplicaOptions>;

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
  const ports = await freePorts(6);
  const webhooksPath = join(directory.path, 'webhooks.yaml');
  const service = { namespace: releaseNamespace, name: releaseName };
  await writeFile(webhooksPath, JSON.stringify({ url: `https://${webhookHost}:${ports[2]}`, service }));
  const first = await provided(2);
  const optionsOf = (name: string): ReplicaOptions => {
    const [port = 0, operationsPort = 0] = ports.splice(0, 2);
    return {
      kubeconfigPath: serviceKubeconfigPath,
      webhooksPath,
      plainHttp: [host],
      name,
      port,
      operationsPort,
      directory: directory.path,
      certificates: join(directory.path, name),
    };
  };
  options = { writing: optionsOf('writing'), asked: optionsOf('asked'), late: optionsOf('late') };
  const mount = ({ certificates = '' }: ReplicaOptions): Promise<MountedSecret> =>
    mountedSecret(certificates, first);
  mounts = { writing: await mount(options.writing), asked: await mount(options.asked) };
  writing = await start(options.writing);
  // One that finds nobody asked would take any certificate.
  await until('it has registered both', async () => {
    const registered = /^refwarden_webhooks_registered\{[^}]*\} 1$/gm;
    return ((await writing.metrics()).match(registered) ?? []).length === kinds.length;
  });
  asked = await start(options.asked);
  await until('Pods are admitted', async () => (await ask()).code === 0);
});

async function start(replicaOptions: ReplicaOptions): Promise<Replica> {
  const replica = await startReplica(replicaOptions);
  stack.defer(() => replica.kill());
  return replica;
}
const writes = async (replica: Replica): Promise<boolean> =>
  (await replica.metrics()).includes('refwarden_lease_held 1\n');
const isReady = ({ operationsPort }: ReplicaOptions): Promise<boolean> =>
  answersWell(`http://127.0.0.1:${operationsPort}`, '/readyz');

const until = (what: string, isSo: () => Promise<boolean>, timeoutMs = 20_000): Promise<true> =>
  waitUntil(async () => ((await isSo()) ? true : undefined), { what, timeoutMs, intervalMs: 100 });
const ask = (): Promise<CommandResult> =>
  create(kubectl, pod(namespace, podSpec(images.unsigned.tagged), `p${Date.now()}`), '--dry-run=server');
/** Hours until the certificate ends that the replica serves by. */
async function hoursLeft(replica: Replica): Promise<number> {
  const line = /^refwarden_serving_certificate_expiry_timestamp_seconds (.+)$/m.exec(await replica.metrics());
  return Math.round((Number(line?.[1]) * 1000 - Date.now()) / hourMs);
}

const servedUntil = (hours: number): Promise<boolean[]> =>
  Promise.all([writing, asked].map(async (replica) => (await hoursLeft(replica)) === hours));

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

it('T33 who comes to hold the lease goes on trusting what others serve by, though it never saw that provided', async () => {
  const third = await provided(17);
  await Promise.all([mounts.writing.put(third), mounts.asked.put(third)]);
  await until('both serve by the same', async () => (await servedUntil(17)).every(Boolean));
  await mountedSecret(options.late.certificates ?? '', third);
  const late = await start(options.late);
  const fourth = await provided(33);
  await Promise.all([mounts.writing.put(fourth), mounts.asked.put(fourth)]);
  await until('both serve by a fourth', async () => (await servedUntil(33)).every(Boolean));
  await writing.stop();
  await until('another writes', async () => (await writes(late)) || writes(asked));
  for (let round = 0; round < 20; round++) {
    expectAdmitted(await ask());
    await sleep(250);
  }
  await late.kill();
});

it('T33 one that starts with another authority is not ready until the API server was told, if need be by itself', async () => {
  writing = await start(options.writing);
  await asked.kill();
  await until('the other writes', () => writes(writing));
  // As after an upgrade to another Secret: whoever holds the lease never sees the new one.
  await mounts.asked.put(await provided(65));
  asked = await start({ ...options.asked, awaits: 'Live' });
  await sleep(10_000);
  expect(await isReady(options.asked)).toBe(false);
  await until('it was told', () => isReady(options.asked), 60_000);
  expect([await writes(asked), await hoursLeft(asked)]).toEqual([true, 65]);
  for (let round = 0; round < 20; round++) expectAdmitted(await ask());
  // The other one is still trusted.
  const bundle = await must(kubectl, [
    'get',
    'validatingwebhookconfiguration',
    releaseName,
    '--output=jsonpath={.webhooks[0].clientConfig.caBundle}',
  ]);
  const told = parseCertificates(Buffer.from(bundle, 'base64').toString()).map(({ subject }) => subject);
  expect(told).toEqual(expect.arrayContaining(['CN=Authority for 65 h', 'CN=Authority for 33 h']));
});
