import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createNamespace } from './drivers/create-namespace.ts';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { apply, create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { clusterPolicy, guardLabel, signedBy } from './objects/policy.ts';
import { pod, podSpec } from './objects/pod.ts';
import { freePorts } from './processes/free-ports.ts';
import type { CommandResult } from './processes/run-command.ts';
import { runCommand } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { refwardenCommand } from './webhook/refwarden-command.ts';
import { startReplica } from './webhook/replica-process.ts';
import type { Replica } from './webhook/replica-process.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey, releaseNamespace } from './world/trust.ts';

const { kubeconfigPath, serviceKubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const signed = images['signed-bundle'].tagged;
const unsigned = images['unsigned'].tagged;
const namespace = 'installation';
const secretName = 'refwarden-certificates';
const kinds = ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration'] as const;
type Kind = (typeof kinds)[number];
/** How long a change may take until it is undone. */
const restoredWithinMs = 8000;
/** Past the time after which a lost lease is taken over. */
const takenOverWithinMs = 40_000;

const stack = suiteStack();
let kubectl: Kubectl;
let webhooksPath: string;
let replica: Replica;
let start: (name: string) => Promise<Replica>;

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('installation');
  stack.defer(() => directory.remove());
  kubectl = await makeKubectl(kubeconfigPath, directory.path);
  for (const [kind, name] of [
    ['namespace', namespace],
    ['clusterartifactpolicy', namespace],
    ['secret', secretName, `--namespace=${releaseNamespace}`],
    ['lease', 'refwarden', `--namespace=${releaseNamespace}`],
  ].map(([kind = '', ...rest]) => [kind, rest] as const)) {
    stack.defer(async () => {
      await must(kubectl, ['delete', kind, ...name, '--wait=false', '--ignore-not-found']);
    });
  }
  await createNamespace({ kubectl }, namespace, { [guardLabel]: namespace });
  await apply(kubectl, clusterPolicy(namespace, { require: [signedBy(releaseKey)] }));
  const ports = await freePorts(6);
  webhooksPath = join(directory.path, 'webhooks.yaml');
  const settings = {
    url: `https://${webhookHost}:${ports[0]}`,
    // That of the chart: nobody is sent there, it carries the mark of removal.
    service: { namespace: releaseNamespace, name: 'refwarden' },
    clusterRole: 'refwarden',
  };
  await writeFile(webhooksPath, JSON.stringify(settings));
  stack.defer(async () => {
    for (const kind of kinds) await must(kubectl, ['delete', kind, 'refwarden', '--ignore-not-found']);
  });
  start = async (name) => {
    const [port = 0, operationsPort = 0] = ports.splice(0, 2);
    const started = await startReplica({
      kubeconfigPath: serviceKubeconfigPath,
      webhooksPath,
      secretName,
      plainHttp: [host],
      name,
      port,
      operationsPort,
      directory: directory.path,
    });
    stack.defer(() => started.kill());
    return started;
  };
  replica = await start('first');
  await until('the webhooks are registered', async () => (await registered()).length === kinds.length);
});

const until = (what: string, isSo: () => Promise<boolean>, timeoutMs = restoredWithinMs): Promise<true> =>
  waitUntil(async () => ((await isSo()) ? true : undefined), { what, timeoutMs, intervalMs: 100 });

async function registered(): Promise<Kind[]> {
  const found = await Promise.all(
    kinds.map(async (kind) => ((await kubectl(['get', kind, 'refwarden'])).code === 0 ? [kind] : [])),
  );
  return found.flat();
}

const webhooksOf = async (kind: Kind): Promise<object[]> =>
  (JSON.parse(await must(kubectl, ['get', kind, 'refwarden', '--output=json'])) as { webhooks: object[] })
    .webhooks;

const inSecret = async (): Promise<Record<string, string>> => {
  const args = ['get', 'secret', secretName, `--namespace=${releaseNamespace}`, '--output=json'];
  const { data } = JSON.parse(await must(kubectl, args)) as { data: Record<string, string> };
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
};
const emptyInSecret = (key: string): Promise<string> =>
  must(kubectl, [
    'patch',
    'secret',
    secretName,
    `--namespace=${releaseNamespace}`,
    '--type=json',
    `--patch=[{"op":"replace","path":"/data/${key}","value":""}]`,
  ]);
const authorities = (bundle = ''): X509Certificate[] =>
  (bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((pem) => new X509Certificate(pem));
const ask = (image: string): Promise<CommandResult> =>
  create(kubectl, pod(namespace, podSpec(image), `p${Date.now()}`), '--dry-run=server');

describe('a replica that has become ready', () => {
  it('has registered its webhooks, which judge', async () => {
    expectAdmitted(await ask(signed));
    expect(denialOf(await ask(unsigned))).toContain('SignatureMissing');
  });

  it('tells the API server of the authority in the Secret', async () => {
    const caBundle = Buffer.from((await inSecret())['ca.crt'] ?? '').toString('base64');
    for (const kind of kinds) {
      for (const webhook of await webhooksOf(kind))
        expect(webhook).toMatchObject({ clientConfig: { caBundle } });
    }
    expect(await replica.metrics()).toContain('refwarden_lease_held 1\n');
  });
});

describe('both webhook configurations', () => {
  it('belong to the ClusterRole of the release', async () => {
    const path = '--output=jsonpath={.metadata.uid}';
    const uid = await must(kubectl, ['get', 'clusterrole', 'refwarden', path]);
    for (const kind of kinds) {
      const { metadata } = JSON.parse(await must(kubectl, ['get', kind, 'refwarden', '--output=json'])) as {
        metadata: object;
      };
      expect(metadata).toMatchObject({ ownerReferences: [{ kind: 'ClusterRole', name: 'refwarden', uid }] });
    }
  });
});

describe('T38 a webhook configuration', () => {
  it.each(kinds)('of kind %s that is deleted comes back, with an event and a metric', async (kind) => {
    const wanted = await webhooksOf(kind);
    await must(kubectl, ['delete', kind, 'refwarden']);
    await until(`${kind} is back`, async () => (await registered()).includes(kind));
    expect(await webhooksOf(kind)).toEqual(wanted);
    const name = kind.startsWith('v') ? 'ValidatingWebhookConfiguration' : 'MutatingWebhookConfiguration';
    await until('the event is seen where people look', async () =>
      (await must(kubectl, ['describe', kind, 'refwarden'])).includes(
        `${name} refwarden was deleted, and was put back.`,
      ),
    );
    expect(await replica.metrics()).toContain(
      `refwarden_webhook_restorations_total{kind="${name}",change="Missing"} 1\n`,
    );
  });

  it.each([
    ['fails open', { failurePolicy: 'Ignore' }],
    ['judges nothing but what is labelled', { objectSelector: { matchLabels: { judged: 'yes' } } }],
    ['leaves namespaces out', { namespaceSelector: { matchLabels: { judged: 'yes' } } }],
    ['has one more condition', { matchConditions: [{ name: 'never', expression: 'false' }] }],
    ['is asked about nothing', { rules: [] }],
    ['calls somebody else', { clientConfig: { url: 'https://127.0.0.1:9/validate' } }],
  ])('that is changed so that it %s is as before, and what others wrote stays', async (_what, change) => {
    const [kind] = kinds;
    const wanted = await webhooksOf(kind);
    await must(kubectl, ['annotate', kind, 'refwarden', 'other.example/note=kept', '--overwrite']);
    const webhooks = wanted.map((webhook) => ({ ...webhook, ...change }));
    const object = JSON.parse(await must(kubectl, ['get', kind, 'refwarden', '--output=json'])) as object;
    await must(kubectl, ['replace', '-f', '-'], JSON.stringify({ ...object, webhooks }));
    await until('it is put back', async () => {
      const found = await webhooksOf(kind);
      return JSON.stringify(found) === JSON.stringify(wanted);
    });
    expect(
      await must(kubectl, ['get', kind, 'refwarden', '--output=jsonpath={.metadata.annotations}']),
    ).toContain('"other.example/note":"kept"');
    await until('the event is seen', async () =>
      /WebhookRestored .*was changed \(last written by "kubectl-replace"\), and was put back\./.test(
        await must(kubectl, ['describe', kind, 'refwarden']),
      ),
    );
  });
});

describe('T33 certificates', () => {
  it('are replaced while Pods are created, and none of them fails', async () => {
    const before = await inSecret();
    const over = new AbortController();
    const results: CommandResult[] = [];
    const creating = (async () => {
      while (!over.signal.aborted) results.push(await ask(signed));
    })();
    await emptyInSecret('tls.crt');
    await until('there is another certificate', async () => {
      const { 'tls.crt': certificate } = await inSecret();
      return certificate !== '' && certificate !== before['tls.crt'];
    });
    await emptyInSecret('ca.key');
    await until(
      'there is another authority',
      async () => authorities((await inSecret())['ca.crt']).length > 1,
    );
    const { 'ca.crt': bundle = '' } = await inSecret();
    await until('the API server knows it', async () =>
      JSON.stringify(await webhooksOf(kinds[0])).includes(Buffer.from(bundle).toString('base64')),
    );
    await sleep(2000);
    over.abort();
    await creating;
    expect(results.length).toBeGreaterThan(10);
    for (const result of results) expectAdmitted(result);
    expect(bundle.endsWith(before['ca.crt'] ?? '-')).toBe(true);
    // By the authority that the API server has known for longer.
    const leaf = new X509Certificate((await inSecret())['tls.crt'] ?? '');
    expect(authorities(bundle).map(({ publicKey }) => leaf.verify(publicKey))).toEqual([false, true]);
  });

  it('whose Secret is deleted are written again as they were', async () => {
    const before = await inSecret();
    await must(kubectl, ['delete', 'secret', secretName, `--namespace=${releaseNamespace}`]);
    await until('the Secret is back', async () => {
      const found = await kubectl(['get', 'secret', secretName, `--namespace=${releaseNamespace}`]);
      return found.code === 0;
    });
    expect(await inSecret()).toEqual(before);
    expectAdmitted(await ask(signed));
  });
});

describe('another replica', () => {
  let other: Replica;
  beforeAll(async () => {
    other = await start('second');
  });

  it('writes nothing while the first holds the lease', async () => {
    expect(await other.metrics()).toContain('refwarden_lease_held 0\n');
    await must(kubectl, ['delete', kinds[0], 'refwarden']);
    await until('it is back', async () => (await registered()).length === kinds.length);
    expect(await other.metrics()).not.toContain('refwarden_webhook_restorations_total{');
  });

  it('takes over when the first is killed', async () => {
    await replica.kill();
    await must(kubectl, ['delete', kinds[0], 'refwarden']);
    await until(
      'the other puts it back',
      async () => (await registered()).length === kinds.length,
      takenOverWithinMs,
    );
    expect(await other.metrics()).toContain('refwarden_lease_held 1\n');
  });

  it('takes over at once from one that ends in order', async () => {
    const third = await start('third');
    await other.stop(45_000);
    await until('the third holds the lease', async () =>
      (await third.metrics()).includes('refwarden_lease_held 1\n'),
    );
    other = third;
  });

  it('leaves webhooks away that were removed, until the mark is taken off', async () => {
    const [file, args] = refwardenCommand(
      'webhooks',
      'remove',
      `--settings=${webhooksPath}`,
      `--kubeconfig=${kubeconfigPath}`,
    );
    const { code, stdout } = await runCommand(file, args);
    expect(stdout).toBe(
      'Removed: ValidatingWebhookConfiguration, MutatingWebhookConfiguration. Service refwarden is marked: running replicas do not put them back.\n',
    );
    expect(code).toBe(0);
    await sleep(3000);
    expect(await registered()).toEqual([]);
    expectAdmitted(await ask(unsigned));
    await must(kubectl, [
      'annotate',
      'service',
      'refwarden',
      `--namespace=${releaseNamespace}`,
      'refwarden.dev/webhooks-',
    ]);
    await until('they are back', async () => (await registered()).length === kinds.length);
  });
});
