import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, issueServingCertificate } from '../../src/certificates/issue-certificates.ts';
import { createNamespace } from '../drivers/create-namespace.ts';
import type { NodeCluster } from '../drivers/node.ts';
import { startNode } from '../drivers/node.ts';
import { keySigner } from '../images/key-signer.ts';
import { makeKeys } from '../images/make-keys.ts';
import { apply, create, denialOf, expectAdmitted, must } from '../objects/kubectl-objects.ts';
import { clusterPolicy, guardLabel, signedBy } from '../objects/policy.ts';
import { pod, podSpec, templated } from '../objects/pod.ts';
import { pullSecret, registryAccount } from '../objects/pull-secret.ts';
import { runCommand, runCommandOrThrow } from '../processes/run-command.ts';
import type { CommandResult } from '../processes/run-command.ts';
import { makeTemporaryDirectory } from '../processes/temporary-directory.ts';
import { waitUntil } from '../processes/wait-until.ts';
import { startDistribution } from '../registries/distribution.ts';
import { makeCosign } from '../tools/cosign.ts';
import { makeCrane } from '../tools/crane.ts';
import { chartPath, makeHelm } from '../tools/helm.ts';
import type { Helm } from '../tools/helm.ts';
import { suiteStack } from '../world/suite-stack.ts';
import { keyIssuer, releaseKey } from '../world/trust.ts';
import { nodeAddress } from './addresses.ts';
import { pushRunnable } from './runnable-image.ts';

const root = join(import.meta.dirname, '..', '..');
const release = 'refwarden';
const releaseNamespace = 'refwarden-system';
const namespace = 'shop';
const ownImage = { repository: 'refwarden.test/refwarden', tag: 'e2e' };
const inRelease = `--namespace=${releaseNamespace}`;
const ofWebhook = '--selector=app.kubernetes.io/component=webhook';

const stack = suiteStack();
let node: NodeCluster;
let helm: Helm;
let values: object;
let images: { readonly signed: string; readonly unsigned: string; readonly private: string };
let privateHost: string;

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('installed');
  stack.defer(() => directory.remove());
  const archive = join(directory.path, 'refwarden.tar');
  await runCommandOrThrow('node', ['scripts/build.ts'], { cwd: root });
  const assembled = `${ownImage.repository}:${ownImage.tag}`;
  await runCommandOrThrow('node', ['scripts/assemble-image.ts', archive, assembled], { cwd: root });

  node = await startNode();
  stack.defer(() => node.stop());
  await node.importImage(archive);
  helm = await makeHelm(directory.path, node.kubeconfigPath);

  const open = await startDistribution('0.0.0.0');
  stack.defer(() => open.stop());
  const locked = await startDistribution('0.0.0.0');
  stack.defer(() => locked.stop());
  const [cosign, crane] = await Promise.all([makeCosign(directory.path), makeCrane(directory.path)]);
  const keys = join(directory.path, 'keys');
  await mkdir(keys);
  const publicKey = await makeKeys(cosign, keys);
  const signer = keySigner(cosign, join(keys, 'release.key'));
  const push = (host: string, name: string): ReturnType<typeof pushRunnable> =>
    pushRunnable(crane, directory.path, `${host}/e2e/${name}`, name);
  const [signed, unsigned, locked1] = [
    await push(open.host, 'signed'),
    await push(open.host, 'unsigned'),
    await push(locked.host, 'private'),
  ];
  for (const image of [signed, locked1]) await signer.sign(image, 'Bundle');
  await locked.protect(registryAccount.htpasswd);
  // cosign speaks plain HTTP to loopback only, and Pods reach the node by its address only: one registry, two names.
  const atNode = (text: string): string => text.replace('127.0.0.1', nodeAddress);
  privateHost = atNode(locked.host);
  for (const { host } of [open, locked]) await node.allowPlainHttp(atNode(host));
  images = {
    signed: atNode(signed.tagged),
    unsigned: atNode(unsigned.tagged),
    private: atNode(locked1.tagged),
  };
  values = {
    image: { ...ownImage, pullPolicy: 'Never' },
    pullSecrets: { mode: 'Namespaces', namespaces: [namespace] },
    registries: [open, locked].map(({ host }) => ({ host: atNode(host), plainHttp: true })),
  };
  await createNamespace(node, namespace, { [guardLabel]: namespace });
  await install('install', '--create-namespace');
  await apply(node.kubectl, [
    keyIssuer(releaseKey, publicKey),
    clusterPolicy(namespace, { require: [signedBy(releaseKey)] }),
  ]);
  await waitUntil(async () => ((await ask(images.unsigned)).code === 1 ? true : undefined), {
    what: 'the policy is in force',
    timeoutMs: 30_000,
  });
});

/** Waits until what it made is ready, and says what stood in the way. */
async function install(action: 'install' | 'upgrade', ...flags: string[]): Promise<void> {
  const args = [action, release, chartPath, inRelease, '--wait', '--timeout=3m', '--values=-', ...flags];
  const { code, stderr } = await helm(args, JSON.stringify(values));
  if (code === 0) return;
  const { stdout } = await node.kubectl(['describe', 'pods', inRelease]);
  const logs = await node.kubectl(['logs', inRelease, ofWebhook, '--tail=20']);
  throw new Error(`helm ${action}:\n${stderr}\n${stdout}\n${logs.stdout}${logs.stderr}`);
}

const ask = (image: string): Promise<CommandResult> =>
  create(node.kubectl, pod(namespace, podSpec(image)), '--dry-run=server');
const replicas = async (): Promise<string[]> =>
  (
    await must(node.kubectl, [
      'get',
      'pods',
      inRelease,
      ofWebhook,
      '--output=jsonpath={.items[*].metadata.name}',
    ])
  )
    .split(' ')
    .filter((name) => name !== '');
/** Those that end may still be finishing what is under way. */
const awaitGone = (names: readonly string[]): Promise<unknown> =>
  waitUntil(async () => ((await replicas()).some((name) => names.includes(name)) ? undefined : true), {
    what: 'the replicas of before are gone',
    timeoutMs: 60_000,
  });
const restarts = async (): Promise<number> => {
  const path = '--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  const counts = await must(node.kubectl, ['get', 'pods', inRelease, ofWebhook, path]);
  return counts.split(' ').reduce((sum, count) => sum + Number(count), 0);
};
const isRolledOut = async (): Promise<boolean> =>
  (await node.kubectl(['rollout', 'status', `deployment/${release}`, inRelease, '--timeout=2m'])).code === 0;
const awaitRunning = (name: string): Promise<unknown> =>
  must(node.kubectl, [
    'wait',
    `pod/${name}`,
    `--namespace=${namespace}`,
    '--for=condition=Ready',
    '--timeout=60s',
  ]);

/** How many create Pods at the same time. */
const askers = 3;

/** Creates signed Pods (dry runs) without a pause while `work` runs. */
async function whileAsking(
  work: () => Promise<unknown>,
): Promise<readonly (CommandResult & { atMs: number })[]> {
  const over = new AbortController();
  const results: (CommandResult & { atMs: number })[] = [];
  const asking = Promise.all(
    Array.from({ length: askers }, async () => {
      while (!over.signal.aborted) results.push({ ...(await ask(images.signed)), atMs: performance.now() });
    }),
  );
  try {
    await work();
    // Long enough for a machine that is busy.
    await sleep(6000);
  } finally {
    over.abort();
    await asking;
  }
  return results;
}

function expectNoneFailed(results: readonly CommandResult[]): void {
  expect(results.filter(({ code }) => code !== 0).map(({ stderr }) => stderr)).toEqual([]);
  expect(results.length).toBeGreaterThan(20);
}

describe('after helm install', () => {
  it('helm test passes', async () => {
    const { code, stdout, stderr } = await helm(['test', release, inRelease]);
    expect(stdout + stderr).toMatch(/TEST SUITE: +refwarden-test\n(?:.*\n)*Phase: +Succeeded\n/);
    expect(code).toBe(0);
  });

  it('a signed Pod runs, pinned to what was judged', async () => {
    expectAdmitted(await create(node.kubectl, pod(namespace, podSpec(images.signed), 'signed')));
    await awaitRunning('signed');
    const image = await must(node.kubectl, [
      'get',
      'pod',
      'signed',
      `--namespace=${namespace}`,
      '--output=jsonpath={.spec.containers[0].image} {.status.containerStatuses[0].imageID}',
    ]);
    const [spec = '', running = ''] = image.split(' ');
    expect(spec).toMatch(new RegExp(`^${images.signed}@sha256:[0-9a-f]{64}$`));
    expect(running.split('@')[1]).toBe(spec.split('@')[1]);
  });

  it('an unsigned one is refused with its sentence', async () => {
    const denial = denialOf(await ask(images.unsigned));
    expect(denial).toContain(
      `SignatureMissing: policy ${namespace} (signed): asks for a signature by ${releaseKey}`,
    );
  });

  it('so are an ephemeral container and an image volume', async () => {
    const debug = ['debug', 'signed', `--namespace=${namespace}`, `--image=${images.unsigned}`, '--quiet'];
    const { code, stderr } = await node.kubectl(debug);
    expect(code).not.toBe(0);
    expect(stderr).toContain('SignatureMissing');
    const volumes = [{ name: 'data', image: { reference: images.unsigned } }];
    const withVolume = pod(namespace, podSpec(images.signed, { volumes }));
    expect(denialOf(await create(node.kubectl, withVolume))).toContain('image volume "data"');
  });

  it('a private image runs with a pull secret, and without one the answer names what lacks', async () => {
    expect(denialOf(await ask(images.private))).toContain('The workload names no pull secret.');
    await apply(node.kubectl, pullSecret(namespace, 'regcred', privateHost));
    const spec = podSpec(images.private, { imagePullSecrets: [{ name: 'regcred' }] });
    expectAdmitted(await create(node.kubectl, pod(namespace, spec, 'private')));
    await awaitRunning('private');
  });
});

describe('none of a steady stream of Pods fails', () => {
  it('during helm upgrade', async () => {
    values = { ...values, logLevel: 'debug' };
    const before = await replicas();
    expectNoneFailed(await whileAsking(() => install('upgrade')));
    await awaitGone(before);
  });

  it('while every replica is evicted, as a drain does', async () => {
    const evict = async (name: string): Promise<void> => {
      const eviction = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: releaseNamespace },
      };
      const path = `/api/v1/namespaces/${releaseNamespace}/pods/${name}/eviction`;
      await waitUntil(
        async () => {
          const { code, stderr } = await node.kubectl(
            ['create', '--raw', path, '-f', '-'],
            JSON.stringify(eviction),
          );
          if (code !== 0) expect(stderr).toContain('disruption budget');
          return code === 0 ? true : undefined;
        },
        { what: `${name} may go`, timeoutMs: 120_000, intervalMs: 500 },
      );
    };
    const before = await replicas();
    const results = await whileAsking(async () => {
      for (const name of before) await evict(name);
      await waitUntil(async () => ((await isRolledOut()) ? true : undefined), {
        what: 'all are back',
        timeoutMs: 120_000,
      });
    });
    expectNoneFailed(results);
    await awaitGone(before);
  });

  it('while certificate and authority are replaced', async () => {
    const secret = ['secret', `${release}-certificates`, inRelease];
    const read = (key: string): Promise<string> =>
      must(node.kubectl, ['get', ...secret, `--output=jsonpath={.data.${key.replace('.', String.raw`\.`)}}`]);
    const empty = (key: string): Promise<string> =>
      must(node.kubectl, [
        'patch',
        ...secret,
        '--type=json',
        `--patch=[{"op":"replace","path":"/data/${key}","value":""}]`,
      ]);
    const before = { certificate: await read('tls.crt'), authority: await read('ca.crt') };
    const results = await whileAsking(async () => {
      await empty('tls.crt');
      await waitUntil(
        async () => (![before.certificate, ''].includes(await read('tls.crt')) ? true : undefined),
        {
          what: 'there is another certificate',
          timeoutMs: 30_000,
        },
      );
      await empty('ca.key');
      await waitUntil(async () => ((await read('ca.crt')) !== before.authority ? true : undefined), {
        what: 'there is another authority',
        timeoutMs: 30_000,
      });
    });
    expectNoneFailed(results);
  });

  it('during upgrades to certificates that others provide, and back', async () => {
    const term = { fromMs: Date.now(), lifetimeMs: 3_600_000 };
    const authority = await createAuthority('Provided', term);
    const serving = await issueServingCertificate(authority, [`${release}.${releaseNamespace}.svc`], term);
    const stringData = { 'tls.crt': serving.certPem, 'tls.key': serving.keyPem, 'ca.crt': authority.certPem };
    const metadata = { name: 'provided', namespace: releaseNamespace };
    await apply(node.kubectl, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata,
      stringData,
    });
    for (const certificates of [{ mode: 'Provided', secretName: 'provided' }, { mode: 'Self' }]) {
      values = { ...values, certificates };
      const before = await replicas();
      expectNoneFailed(await whileAsking(() => install('upgrade')));
      await awaitGone(before);
    }
  });
});

describe('what fails at once', () => {
  it('a replica that is killed takes with it what is sent to it, and all is well within five seconds', async () => {
    const { stdout } = await runCommand('pgrep', ['-f', 'refwarden.js serve']);
    const [pid] = stdout.trim().split('\n');
    expect(Number(pid)).toBeGreaterThan(1);
    const before = await restarts();
    const meanwhile = ['deployment/meanwhile', `--namespace=${namespace}`];
    const deployment = templated('Deployment', namespace, 'meanwhile', podSpec(images.signed));
    await apply(node.kubectl, deployment);
    await must(node.kubectl, ['scale', ...meanwhile, '--replicas=0']);
    let killedAtMs = 0;
    const results = await whileAsking(async () => {
      await sleep(1000);
      killedAtMs = performance.now();
      process.kill(Number(pid), 'SIGKILL');
      await must(node.kubectl, ['scale', ...meanwhile, '--replicas=2']);
      await sleep(8000);
    });
    const failed = results.filter(({ code }) => code !== 0);
    console.log(`killed: ${failed.length} of ${results.length} failed`);
    // Nobody answered: the API server asks once, and the endpoint goes a moment after the replica.
    for (const { stderr } of failed)
      expect(stderr).toMatch(/failed calling webhook.*(?:connection refused|EOF|reset)/);
    for (const { atMs } of failed) expect(atMs - killedAtMs).toBeLessThan(5000);
    // Controllers ask again.
    await must(node.kubectl, ['rollout', 'status', ...meanwhile, '--timeout=60s']);
    expect(await restarts()).toBe(before + 1);
    expect(await isRolledOut()).toBe(true);
  });

  it('a node that loses power comes back by itself, and judges again', async () => {
    await node.reboot();
    const startedAtMs = performance.now();
    await waitUntil(async () => ((await ask(images.signed)).code === 0 ? true : undefined), {
      what: 'Pods are admitted again',
      timeoutMs: 180_000,
    });
    console.log(`admits ${Math.round((performance.now() - startedAtMs) / 1000)} s after the node is Ready`);
    expect(denialOf(await ask(images.unsigned))).toContain('SignatureMissing');
    await awaitRunning('signed');
  });
});

const webhookKinds = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'];
const registered = async (): Promise<string[]> => {
  const found = await Promise.all(
    webhookKinds.map((kind) =>
      must(node.kubectl, ['get', kind, '--output=jsonpath={.items[*].metadata.name}']),
    ),
  );
  return found.filter((names) => names !== '');
};
const awaitRegistered = (names: readonly string[]): Promise<unknown> =>
  waitUntil(async () => (isDeepStrictEqual(await registered(), names) ? true : undefined), {
    what: `the webhooks are ${JSON.stringify(names)}`,
    timeoutMs: 90_000,
  });

describe('helm uninstall', () => {
  it('leaves a cluster that creates Pods, and the policies', async () => {
    const { code, stderr } = await helm(['uninstall', release, inRelease, '--wait', '--timeout=3m']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await registered()).toEqual([]);
    expectAdmitted(await create(node.kubectl, pod(namespace, podSpec(images.unsigned), 'unsigned')));
    await awaitRunning('unsigned');
    expect(await must(node.kubectl, ['get', 'clusterartifactpolicies', '--output=name'])).toContain(
      namespace,
    );
  });
});

describe('webhooks do not outlive those who answer', () => {
  it('where the release is renamed', async () => {
    await install('install');
    await awaitRegistered([release, release]);
    values = { ...values, fullnameOverride: 'renamed' };
    const before = await replicas();
    await install('upgrade');
    await awaitGone(before);
    await awaitRegistered(['renamed', 'renamed']);
    expect(denialOf(await ask(images.unsigned))).toContain('SignatureMissing');
  });

  it('where helm uninstall runs no hooks', async () => {
    const { code } = await helm(['uninstall', release, inRelease, '--no-hooks', '--wait', '--timeout=3m']);
    expect(code).toBe(0);
    await awaitRegistered([]);
    expectAdmitted(await ask(images.unsigned));
  });

  it('where the namespace of the release is deleted', async () => {
    await install('install');
    await awaitRegistered(['renamed', 'renamed']);
    await must(node.kubectl, ['delete', 'namespace', releaseNamespace, '--wait=false']);
    await awaitRegistered([]);
    expectAdmitted(await ask(images.unsigned));
  });
});
