import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { apply, create, must } from './objects/kubectl-objects.ts';
import { apiVersion, clusterPolicy, signedBy } from './objects/policy.ts';
import type { CommandResult } from './processes/run-command.ts';
import { freePorts } from './processes/free-ports.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { startReplica } from './webhook/replica-process.ts';
import { suiteStack } from './world/suite-stack.ts';
import { keyIssuer, releaseKey, releaseNamespace } from './world/trust.ts';

const { kubeconfigPath, serviceKubeconfigPath, webhookHost } = inject('world');
const name = 'e2e-resources';
const secretName = 'refwarden-certificates';

const stack = suiteStack();
let kubectl: Kubectl;

/** A replica that registers itself: it reviews resources, and writes their status. */
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('resources');
  stack.defer(() => directory.remove());
  kubectl = await makeKubectl(kubeconfigPath, directory.path);
  const inRelease = `--namespace=${releaseNamespace}`;
  for (const [kind, ...args] of [
    ['validatingwebhookconfiguration', 'refwarden'],
    ['mutatingwebhookconfiguration', 'refwarden'],
    ['lease', 'refwarden', inRelease],
    ['secret', secretName, inRelease],
    ['clusterartifactpolicy', name],
    ['clusterartifactpolicy', `a-${name}`],
    ['clusterartifactpolicy', `b-${name}`],
    ['trustedissuer', `b-${name}`],
    ['validatingadmissionpolicybinding', name],
    ['validatingadmissionpolicy', name],
    ['artifactpolicyexception', name],
    ['trustedissuer', name],
  ] as const) {
    stack.defer(async () => {
      await must(kubectl, ['delete', kind, ...args, '--ignore-not-found']);
    });
  }
  const [port = 0, operationsPort = 0] = await freePorts(2);
  const webhooksPath = join(directory.path, 'webhooks.yaml');
  const service = { namespace: releaseNamespace, name: 'refwarden' };
  await writeFile(webhooksPath, JSON.stringify({ url: `https://${webhookHost}:${port}`, service }));
  const replica = await startReplica({
    kubeconfigPath: serviceKubeconfigPath,
    webhooksPath,
    secretName,
    plainHttp: [],
    name: 'resources',
    port,
    operationsPort,
    directory: directory.path,
  });
  stack.defer(() => replica.kill());
  await waitUntil(
    async () =>
      (await kubectl(['get', 'validatingwebhookconfiguration', 'refwarden'])).code === 0 ? true : undefined,
    { what: 'the webhooks are registered', timeoutMs: 20_000 },
  );
});

const exception = (spec: object): object => ({
  apiVersion,
  kind: 'ArtifactPolicyException',
  metadata: { name },
  spec: {
    images: ['registry.example/app:1'],
    namespaces: ['shop'],
    policies: [{ name, requirements: ['All'] }],
    reason: 'INC-1',
    expiresAt: `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
    ...spec,
  },
});
const asserting = (expression: string): object =>
  clusterPolicy(name, {
    require: [
      {
        name: 'scan',
        attestation: {
          predicateType: 'https://example.com/scan',
          issuers: [releaseKey],
          assert: [{ expression, message: 'it does not hold' }],
        },
      },
    ],
  });
const tryToCreate = (object: object): Promise<CommandResult> => create(kubectl, object, '--dry-run=server');
const refused = (message: string): RegExp =>
  new RegExp(`admission webhook "resources\\.refwarden\\.dev" denied the request: ${message}`);

describe('what a schema cannot say is refused by the webhook', () => {
  it.each<[string, object, string]>([
    [
      'an expression that does not compile',
      asserting('predicate.x +'),
      'ExpressionInvalid: scan: assert\\[0\\]',
    ],
    ['an expression that names what is not there', asserting('nothing.x == 1'), 'ExpressionInvalid: scan'],
    [
      'an exception of a year',
      exception({ expiresAt: '2100-01-01T00:00:00Z' }),
      'PolicyInvalid: .* more than 90 days',
    ],
    ['a key that is none', keyIssuer(name, 'no PEM'), 'IssuerInvalid: TrustedIssuer e2e-resources'],
  ])('%s', async (_what, object, message) => {
    const { code, stderr } = await tryToCreate(object);
    expect(stderr).toMatch(refused(message));
    expect(code).toBe(1);
  });

  it('an exception that has ended is a warning: manifests of old ones are applied over and over', async () => {
    const { code, stderr } = await tryToCreate(exception({ expiresAt: '2026-01-01T00:00:00Z' }));
    expect(code).toBe(0);
    expect(stderr).toContain('Warning: It excepts nothing: spec.expiresAt 2026-01-01T00:00:00Z has passed.');
  });

  it('an issuer that does not exist yet is a warning', async () => {
    const { code, stderr } = await tryToCreate(clusterPolicy(name, { require: [signedBy('later')] }));
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Warning: PolicyNotReady: signed: There is no TrustedIssuer later.\n',
    });
  });
});

async function pemOf(issuer: string): Promise<string> {
  const found = JSON.parse(await must(kubectl, ['get', 'trustedissuer', issuer, '--output=json'])) as {
    spec: { key: { pem: string } };
  };
  return found.spec.key.pem;
}

describe('the status', () => {
  const ready = (kind: string): Promise<string> =>
    must(kubectl, [
      'get',
      kind,
      name,
      '--output=jsonpath={.status.conditions[0].status} {.status.conditions[0].reason} {.status.conditions[0].observedGeneration}',
    ]);
  const awaitReady = (kind: string, wanted: string): Promise<unknown> =>
    waitUntil(async () => ((await ready(kind)) === wanted ? true : undefined), {
      what: `${kind} says ${wanted}`,
      timeoutMs: 20_000,
    });

  it('of a policy says that it waits for an issuer, and then that it is ready', async () => {
    await apply(kubectl, clusterPolicy(name, { require: [signedBy(name)] }));
    await awaitReady('clusterartifactpolicy', 'False PolicyNotReady 1');
    await apply(kubectl, keyIssuer(name, await pemOf(releaseKey)));
    await awaitReady('trustedissuer', 'True Ready 1');
    await must(kubectl, ['wait', 'clusterartifactpolicy', name, '--for=condition=Ready', '--timeout=20s']);
  });

  it('of an issuer that is deleted is missed: who deletes one that a policy asks for is warned', async () => {
    const { code, stderr } = await kubectl(['delete', 'trustedissuer', name, '--dry-run=server']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `Warning: TrustedIssuer ${name} is asked for by ClusterArtifactPolicy ${name}: what they select is refused, under their mode, until there is one of this name again.\n`,
    });
  });

  it('of an issuer and of a policy that are applied together needs no warning', async () => {
    const both = await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          keyIssuer(`b-${name}`, await pemOf(name)),
          clusterPolicy(`b-${name}`, { mode: 'Audit', require: [signedBy(`b-${name}`)] }),
        ],
      }),
    );
    expect({
      code: both.code,
      stderr: both.stderr.replace(/^Warning: TrustedIssuer .* trusts some.*\n/, ''),
    }).toEqual({
      code: 0,
      stderr: '',
    });
  });

  it('follows what is changed', async () => {
    await apply(kubectl, clusterPolicy(name, { mode: 'Warn', require: [signedBy(name)] }));
    await awaitReady('clusterartifactpolicy', 'True Ready 2');
  });

  it('is written although the API server takes that of another object no more', async () => {
    const rule = { apiGroups: ['refwarden.dev'], apiVersions: ['*'], operations: ['UPDATE'] };
    await apply(kubectl, [
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          matchConstraints: { resourceRules: [{ ...rule, resources: ['clusterartifactpolicies/status'] }] },
          validations: [{ expression: `object.metadata.name != 'a-${name}'` }],
        },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name, validationActions: ['Deny'] },
      },
    ]);
    const stuck = clusterPolicy(`a-${name}`, { require: [signedBy('later')] });
    // Until the policy of the API server counts.
    await waitUntil(
      async () => {
        await must(kubectl, ['delete', 'clusterartifactpolicy', `a-${name}`, '--ignore-not-found']);
        await apply(kubectl, stuck);
        const patch = ['patch', 'clusterartifactpolicy', `a-${name}`, '--subresource=status', '--type=merge'];
        return (await kubectl([...patch, '--patch={"status":{"conditions":[]}}'])).code !== 0
          ? true
          : undefined;
      },
      { what: 'the status of an object cannot be written', timeoutMs: 30_000 },
    );
    await apply(kubectl, clusterPolicy(name, { mode: 'Audit', require: [signedBy(name)] }));
    await awaitReady('clusterartifactpolicy', 'True Ready 3');
  });

  it('of an exception says when it has ended', async () => {
    const expiresAt = `${new Date(Date.now() + 5000).toISOString().slice(0, 19)}Z`;
    const { code, stderr } = await create(kubectl, exception({ expiresAt }));
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: [
        'Warning: registry.example/app:1 names no digest: whatever the tag means next is excepted, too.',
        'Warning: spec.namespaces: The labels of namespace "shop" are not known: it does not exist.\n',
      ].join('\n'),
    });
    await awaitReady('artifactpolicyexception', 'True Ready 1');
    await awaitReady('artifactpolicyexception', 'False Expired 1');
  });

  it('is what kubectl get shows', async () => {
    const shown = await must(kubectl, ['get', 'clusterartifactpolicy', name]);
    expect(shown).toMatch(/^NAME +MODE +READY +REASON +AGE\n/);
    expect(shown).toMatch(new RegExp(`^${name} +Audit +True +Ready `, 'm'));
    expect(await must(kubectl, ['explain', 'artifactpolicyexception.spec.images'])).toContain(
      'by digest, or whatever a tag means',
    );
  });
});
