import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { must } from './objects/kubectl-objects.ts';
import { freePorts } from './processes/free-ports.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { startReplica } from './webhook/replica-process.ts';
import { releaseName } from './world/install-refwarden.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey, releaseNamespace } from './world/trust.ts';

const { kubeconfigPath, serviceKubeconfigPath, webhookHost } = inject('world');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Where the chart's rules for Refwarden itself are, as kubectl is asked for them. */
const roles = {
  cluster: ['clusterrole', releaseName],
  release: ['role', releaseName, `--namespace=${releaseNamespace}`],
  default: ['role', `${releaseName}-events`, '--namespace=default'],
} as const;

/** `role: verbs resources named names` -> what the log says without the rule. Those of pull secrets are in pull-secrets.test.ts. */
const withoutRule: Readonly<Record<string, RegExp>> = {
  'cluster: list,watch trustedissuers,clusterartifactpolicies,artifactpolicies,artifactpolicyexceptions':
    /may not read (?:trustedissuers|clusterartifactpolicies|artifactpolicies|artifactpolicyexceptions)/,
  'cluster: patch trustedissuers/status,clusterartifactpolicies/status,artifactpolicies/status,artifactpolicyexceptions/status':
    /The status of resources cannot be written: The API server answered 403 to changing/,
  'cluster: get,list,watch namespaces': /may not read namespaces/,
  'cluster: create validatingwebhookconfigurations,mutatingwebhookconfigurations':
    /The webhooks cannot be kept: The API server answered 403 to writing/,
  'cluster: list,watch,update,delete validatingwebhookconfigurations,mutatingwebhookconfigurations named refwarden':
    /may not read (?:valid|mut)atingwebhookconfigurations/,
  'cluster: get clusterroles named refwarden':
    /The webhooks belong to nobody, and outlive the release: The API server answered 403 to reading/,
  'release: list,watch configmaps': /may not read configmaps/,
  'release: create leases': /The lease cannot be renewed: The API server answered 403 to writing/,
  'release: get,update leases named refwarden':
    /The lease cannot be renewed: The API server answered 403 to reading/,
  'release: get services named refwarden': /The API server answered 403 to reading refwarden of services/,
  'release: create secrets': /The certificates cannot be kept: The API server answered 403 to writing/,
  'release: list,watch,update secrets named refwarden-certificates': /may not read secrets/,
  'default: create,patch events': /The API server answered 403 to writing [-.\w]+ of events/,
};

const secretName = `${releaseName}-certificates`;
const stack = suiteStack();
let kubectl: Kubectl;
let directory: string;

const nameOf = (role: string, { verbs, resources, resourceNames }: Rule): string =>
  `${role}: ${verbs.join(',')} ${resources.join(',')}${resourceNames === undefined ? '' : ` named ${resourceNames.join(',')}`}`;

async function rulesOf(role: keyof typeof roles): Promise<Rule[]> {
  return (JSON.parse(await must(kubectl, ['get', ...roles[role], '--output=json'])) as { rules: Rule[] })
    .rules;
}

async function removeTraces(): Promise<void> {
  const noStatus = ['--subresource=status', '--type=merge', '--patch={"status":null}'];
  await must(kubectl, ['patch', 'trustedissuer', releaseKey, ...noStatus]);
  for (const kind of ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration']) {
    await must(kubectl, ['delete', kind, releaseName, '--ignore-not-found']);
  }
  for (const [kind, name] of [
    ['lease', releaseName],
    ['secret', secretName],
  ] as const) {
    await must(kubectl, ['delete', kind, name, `--namespace=${releaseNamespace}`, '--ignore-not-found']);
  }
}

beforeAll(async () => {
  const temporary = await makeTemporaryDirectory('rights');
  stack.defer(() => temporary.remove());
  directory = temporary.path;
  kubectl = await makeKubectl(kubeconfigPath, directory);
});
beforeEach(removeTraces);
afterEach(removeTraces);

describe('the ServiceAccount of the chart', () => {
  it('has the rules that are tried here, and no others', async () => {
    const names = Object.keys(roles) as (keyof typeof roles)[];
    const found = await Promise.all(
      names.map(async (role) => (await rulesOf(role)).map((rule) => nameOf(role, rule))),
    );
    expect(found.flat().sort()).toEqual(Object.keys(withoutRule).sort());
  });

  it.each(Object.entries(withoutRule))('needs %s', async (name, complaint) => {
    const role = name.split(':')[0] as keyof typeof roles;
    const rules = await rulesOf(role);
    const rest = rules.filter((rule) => nameOf(role, rule) !== name);
    expect(rest).toHaveLength(rules.length - 1);
    const setRules = (some: readonly Rule[]): Promise<string> => {
      const patch = `--patch=${JSON.stringify({ rules: some })}`;
      return must(kubectl, ['patch', ...roles[role], '--type=merge', patch]);
    };
    await setRules(rest);
    try {
      await expectComplaint(complaint);
    } finally {
      await setRules(rules);
    }
  });
});

/** A replica that starts anew, registers itself as far as it can, and is tampered with says so. */
async function expectComplaint(complaint: RegExp): Promise<void> {
  const [port = 0, operationsPort = 0] = await freePorts(2);
  const webhooksPath = join(directory, 'webhooks.yaml');
  const settings = {
    url: `https://${webhookHost}:${port}`,
    service: { namespace: releaseNamespace, name: releaseName },
    clusterRole: releaseName,
    // Nobody else's requests come here.
    matchConditions: [{ name: 'never', expression: 'false' }],
  };
  await writeFile(webhooksPath, JSON.stringify(settings));
  const replica = await startReplica({
    kubeconfigPath: serviceKubeconfigPath,
    webhooksPath,
    secretName,
    plainHttp: [],
    directory,
    name: `replica-${port}`,
    port,
    operationsPort,
    awaits: 'Live',
  });
  try {
    await waitUntil(
      async () => {
        await kubectl(['delete', 'validatingwebhookconfiguration', releaseName, '--ignore-not-found']);
        return complaint.test(replica.logTail()) ? true : undefined;
      },
      { what: `the log says ${String(complaint)}`, timeoutMs: 30_000, intervalMs: 500 },
    ).catch((cause: unknown) => {
      throw new Error(replica.logTail(), { cause });
    });
  } finally {
    await replica.kill();
  }
}
