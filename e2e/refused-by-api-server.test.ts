import { beforeAll, describe, expect, inject, it } from 'vitest';
import { makeKubectl } from './drivers/kubectl.ts';
import type { Kubectl } from './drivers/kubectl.ts';
import { create, expectAdmitted } from './objects/kubectl-objects.ts';
import { apiVersion, clusterPolicy } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const stack = suiteStack();
let kubectl: Kubectl;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('refused');
  stack.defer(() => directory.remove());
  kubectl = await makeKubectl(inject('world').kubeconfigPath, directory.path);
});

describe('an issuer of Notation', () => {
  const identity = 'x509.subject: C=US, ST=WA, O=Vendor';
  const issuer = (fields: object): object => ({
    apiVersion,
    kind: 'TrustedIssuer',
    metadata: { name: 'vendor' },
    spec: {
      notation: {
        trustStores: [{ type: 'ca', configMap: { name: 'vendor-ca' } }],
        trustedIdentities: [identity],
        ...fields,
      },
    },
  });
  const tsa = { type: 'tsa', file: 'tsa.pem' };

  it.each([
    { fields: { trustStores: [tsa] }, message: 'trustStores must have one of type ca or signingAuthority' },
    {
      fields: { trustStores: [{ type: 'ca' }] },
      message: 'exactly one of configMap, inline, file must be given',
    },
    { fields: { trustedIdentities: ['*', identity] }, message: 'trustedIdentities: * stands alone' },
    { fields: { trustedIdentities: ['O=Vendor'] }, message: 'spec.notation.trustedIdentities[0]' },
    { fields: { level: 'skip' }, message: 'Unsupported value: "skip"' },
    { fields: { override: {} }, message: 'override must name a validation' },
    { fields: { override: { expiry: 'skip' } }, message: 'Unsupported value: "skip"' },
    { fields: { verifyTimestamp: 'always' }, message: 'verifyTimestamp needs a trust store of type tsa' },
    {
      fields: { trustStores: [{ ...tsa, type: 'signingAuthority' }, tsa] },
      message: 'a trust store of type tsa is for signatures that lead to one of type ca',
    },
  ])('T22 is refused by the API server: $message', async ({ fields, message }) => {
    const result = await create(kubectl, issuer(fields), '--dry-run=server');
    expect(result.code, result.stdout).toBe(1);
    expect(result.stderr).toContain(message);
  });

  it('is taken with the defaults filled in', async () => {
    const result = await create(kubectl, issuer({}), '--dry-run=server', '--output=json');
    expect(result.code, result.stderr).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      spec: {
        notation: { level: 'strict', trustStores: [{ configMap: { name: 'vendor-ca', key: 'ca.crt' } }] },
      },
    });
  });
});

describe('where artifacts are looked for, and for what platforms', () => {
  const signed = (platforms: readonly string[]): object => ({
    name: 'signed',
    signature: { issuers: [releaseKey], platforms },
  });
  const require = [{ name: 'pinned', pinned: true }];
  const place = 'spec.evidenceRepositories[0]';
  const notWhole = 'must be host/path of a repository, without tag and digest';
  const notTag = "should match '^[A-Za-z0-9_][A-Za-z0-9_.-]*$'";

  it.each([
    {
      what: 'a platform without architecture',
      spec: { require: [signed(['linux'])] },
      field: 'spec.require[0].signature.platforms[0]',
      message: 'must be os/architecture[/variant]',
    },
    {
      what: 'All beside a platform',
      spec: { require: [signed(['All', 'linux/amd64'])] },
      field: 'spec.require[0].signature',
      message: 'platforms: All stands alone',
    },
    {
      what: 'a platform twice',
      spec: { require: [signed(['linux/amd64', 'linux/amd64'])] },
      field: 'spec.require[0].signature.platforms[1]',
      message: 'Duplicate value: "linux/amd64"',
    },
    {
      what: 'no platform',
      spec: { require: [signed([])] },
      field: 'spec.require[0].signature.platforms',
      message: 'should have at least 1 items',
    },
    ...[
      { what: 'a repository with a tag', text: 'ghcr.io/acme/signatures:1.0', message: notWhole },
      {
        what: 'a repository with a digest',
        message: notWhole,
        text: `ghcr.io/acme/signatures@sha256:${'0'.repeat(64)}`,
      },
      { what: 'a host alone', text: 'ghcr.io', message: notWhole },
      { what: 'a pattern of repositories', text: 'ghcr.io/acme/*', message: notWhole },
      {
        what: 'a repository without host',
        text: 'acme/signatures',
        message: 'must begin with the host of a registry, for example ghcr.io or docker.io',
      },
    ].map(({ text, ...wanted }) => ({
      ...wanted,
      field: place,
      spec: { require, evidenceRepositories: [text] },
    })),
    {
      what: 'a repository twice',
      spec: { require, evidenceRepositories: ['ghcr.io/acme/a', 'ghcr.io/acme/a'] },
      field: 'spec.evidenceRepositories[1]',
      message: 'Duplicate value: "ghcr.io/acme/a"',
    },
    {
      what: 'an index tag with a colon',
      spec: { require, indexTags: ['app:latest'] },
      field: 'spec.indexTags[0]',
      message: notTag,
    },
    {
      what: 'an index tag twice',
      spec: { require, indexTags: ['latest', 'latest'] },
      field: 'spec.indexTags[1]',
      message: 'Duplicate value: "latest"',
    },
    {
      what: 'a ninth index tag',
      spec: { require, indexTags: Array.from({ length: 9 }, (_, i) => `${i}`) },
      field: 'spec.indexTags',
      message: 'must have at most 8 items',
    },
  ])('T22 $what is refused by the API server', async ({ spec, field, message }) => {
    const result = await create(kubectl, clusterPolicy('wrong', spec), '--dry-run=server');
    expect(result.code, result.stdout).toBe(1);
    expect(result.stderr).toContain(`${field}: `);
    expect(result.stderr).toContain(message);
  });

  it('as much of it as is allowed is taken, so that its rules are not too much for the API server', async () => {
    const long = (host: string): string => `${host}/`.padEnd(512, 'a/');
    const policy = clusterPolicy('right', {
      require: Array.from({ length: 16 }, (_, i) => ({
        name: `signed-${i}`,
        signature: {
          issuers: Array.from({ length: 16 }, (__, issuer) => `issuer-${issuer}`),
          platforms: Array.from({ length: 64 }, (__, os) => `os-${os}/${'a'.repeat(100)}`),
        },
      })),
      evidenceRepositories: [
        'ghcr.io/acme/signatures',
        'localhost:5000/a/b',
        'docker.io/acme/x',
        '[::1]:5000/a',
        ...['a.example', 'b.example', 'c.example', 'd.example'].map((host) => long(host).slice(0, 511)),
      ],
      indexTags: ['latest', 'stable', '1.4', ...Array.from({ length: 5 }, (_, i) => `${i}`.repeat(128))],
    });
    expectAdmitted(await create(kubectl, policy, '--dry-run=server'));
    const all = { require: [signed(['All'])] };
    expectAdmitted(await create(kubectl, clusterPolicy('right', all), '--dry-run=server'));
  });
});

describe('a likely mistake', () => {
  const issuer = (keyless: object): object => ({
    apiVersion,
    kind: 'TrustedIssuer',
    metadata: { name: 'wrong' },
    spec: { keyless },
  });
  const identity = (fields: object): object =>
    issuer({ identities: [{ issuer: 'https://idp.example', ...fields }] });
  const github = (fields: object): object =>
    issuer({
      github: { repository: 'acme/app', workflow: 'release.yml', refs: ['refs/tags/v*'], ...fields },
    });
  const pinned = [{ name: 'pinned', pinned: true }];
  const attested = (fields: object): object =>
    clusterPolicy('wrong', {
      require: [{ name: 'built', attestation: { predicateType: 'https://a', issuers: ['a'], ...fields } }],
    });
  const wrongDigest = 'a digest is whole, or has *';

  it.each<[string, object, string]>([
    [
      'a digest that is cut short',
      clusterPolicy('wrong', { images: ['a.io/b@sha256:aa'], require: pinned }),
      wrongDigest,
    ],
    [
      'nothing but exclusions',
      clusterPolicy('wrong', { excludeImages: ['**'], require: pinned }),
      'judges nothing',
    ],
    ['a short name of cosign', attested({ predicateType: 'slsaprovenance' }), 'is a short name of cosign'],
    ['an age in words', attested({ maxAge: '1 day' }), 'must be a number and its unit'],
    [
      'an OIDC issuer without https',
      identity({ issuer: 'accounts.google.com', subject: 's' }),
      'must be a URL',
    ],
    [
      'a pattern for everybody',
      identity({ subjectPattern: '.*' }),
      'accepts everybody whom the issuer knows',
    ],
    ['a URL for a repository', github({ repository: 'https://github.com/acme/app' }), 'must be owner/name'],
    ['a path for a workflow', github({ workflow: '.github/workflows/a.yml' }), 'must be the name of a file'],
    ['a branch for a ref', github({ refs: ['main'] }), 'must begin with refs/'],
  ])('is refused by the API server in words: %s', async (_what, object, message) => {
    const result = await create(kubectl, object, '--dry-run=server');
    expect(result.code, result.stdout).toBe(1);
    expect(result.stderr).toContain(message);
  });

  it('is no digest that is whole, or has *', async () => {
    for (const digest of [`sha256:${'a'.repeat(64)}`, `sha512:${'a'.repeat(128)}`, 'sha256:*', '*:ab*']) {
      const policy = clusterPolicy('right', { images: [`a.io/b@${digest}`], require: pinned });
      expectAdmitted(await create(kubectl, policy, '--dry-run=server'));
    }
  });
});

describe('TUF mirrors', () => {
  const issuer = (tuf: object): object => ({
    apiVersion,
    kind: 'TrustedIssuer',
    metadata: { name: 'mirrored' },
    spec: {
      keyless: { identities: [{ issuer: 'https://idp.example', subject: 'me' }], trustedRoot: { tuf } },
    },
  });
  const [root, field] = ['{}', 'spec.keyless.trustedRoot.tuf'];

  it.each([
    { tuf: { mirror: 'https://user@tuf.example', root }, message: `${field}.mirror: Invalid value` },
    { tuf: { mirror: 'file:///etc/tuf', root }, message: `${field}.mirror: Invalid value` },
    { tuf: { mirror: 'https://tuf.example' }, message: 'root must be given, but for https://tuf-repo-cdn' },
    {
      tuf: { mirror: 'https://tuf.example', root, target: '../a' },
      message: `${field}.target: Invalid value`,
    },
  ])('T22 $tuf is refused by the API server', async ({ tuf, message }) => {
    const result = await create(kubectl, issuer(tuf), '--dry-run=server');
    expect(result.code, result.stdout).toBe(1);
    expect(result.stderr).toContain(message);
  });

  it('are taken with a root, and without one where it ships with Refwarden', async () => {
    for (const tuf of [
      { mirror: 'http://[fd00::1]:8080/tuf/', root: `{"${'a'.repeat(200_000)}":1}` },
      { mirror: 'https://tuf-repo.github.com/', target: 'acme.trusted_root.json' },
      { mirror: 'https://tuf-repo-cdn.sigstore.dev' },
    ]) {
      expectAdmitted(await create(kubectl, issuer(tuf), '--dry-run=server'));
    }
  });
});
