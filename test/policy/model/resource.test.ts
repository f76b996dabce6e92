import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { parseResource, resourceKey } from '../../../src/policy/model/resource.ts';
import { clusterPolicy, exception, issuer, namespacedPolicy, parse, signedBy } from '../sample-resources.ts';
import type { Fields } from '../sample-resources.ts';

const policy = (spec: Fields): Fields => clusterPolicy('prod', { require: [signedBy('acme')], ...spec });
const requiring = (requirement: Fields): Fields => policy({ require: [{ name: 'one', ...requirement }] });
const keyless = (spec: Fields): Fields => issuer('acme', { keyless: spec });
const identity = (spec: Fields): Fields =>
  keyless({ identities: [{ issuer: 'https://idp.example', ...spec }] });
const notation = (spec: Fields): Fields =>
  issuer('acme', {
    notation: {
      trustStores: [{ type: 'ca', inline: 'pem' }],
      trustedIdentities: ['x509.subject: C=US, ST=WA, O=Acme'],
      ...spec,
    },
  });
const github = (spec: Fields): Fields =>
  keyless({ github: { repository: 'acme/shop', workflow: 'release.yml', refs: ['refs/tags/v*'], ...spec } });

function refusalOf(resource: unknown): RefwardenError {
  try {
    parseResource(resource, 'prod.yaml, document 2');
  } catch (error) {
    if (error instanceof RefwardenError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseResource', () => {
  it('fills in the strict defaults of a policy', () => {
    expect(parse(policy({}))).toMatchObject({
      spec: {
        mode: 'Enforce',
        workloads: 'All',
        onInconclusive: 'Deny',
        require: [
          { name: 'signed', signature: { issuers: ['acme'], minimumIssuers: 1, inheritFromIndex: true } },
        ],
      },
    });
  });

  it('fills in the defaults of issuers: no log or timestamp is required', () => {
    expect(parse(issuer('k', { key: { pem: 'x' } }))).toMatchObject({
      spec: { key: { transparencyLog: 'NotRequired', signedTimestamp: 'NotRequired' } },
    });
    expect(parse(github({}))).toMatchObject({
      spec: { keyless: { transparencyLog: 'NotRequired', signedTimestamp: 'NotRequired' } },
    });
  });

  it('names a resource by kind, namespace and name', () => {
    expect(resourceKey(parse(policy({})))).toBe('ClusterArtifactPolicy/prod');
    expect(resourceKey(parse(namespacedPolicy('shop', 'p', { require: [signedBy('a')] })))).toBe(
      'ArtifactPolicy/shop/p',
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'apiVersion undefined and kind undefined'],
    [null, 'apiVersion undefined and kind undefined'],
    ['ClusterArtifactPolicy', 'apiVersion undefined and kind undefined'],
    [[], 'apiVersion undefined and kind undefined'],
    [{ ...policy({}), kind: 'constructor' }, 'kind "constructor" are not of Refwarden'],
    [{ ...policy({}), kind: 'Pod' }, 'kind "Pod" are not of Refwarden'],
    [{ ...policy({}), apiVersion: 'refwarden.dev/v1' }, 'apiVersion "refwarden.dev/v1"'],
    [{ ...policy({}), spec: undefined }, 'ClusterArtifactPolicy prod: spec: '],
    [{ ...policy({}), metadata: {} }, 'ClusterArtifactPolicy (without a name): metadata.name: '],
    [{ ...policy({}), metadata: { name: 'Prod' } }, 'metadata.name: '],
  ])('T22 refuses %#', (resource, message) => {
    const refusal = refusalOf(resource);
    expect(refusal.code).toBe('PolicyInvalid');
    expect(refusal.message).toContain('prod.yaml, document 2: ');
    expect(refusal.message).toContain(message);
  });

  it.each<[Fields, string]>([
    [policy({ mod: 'Audit' }), 'spec: Unrecognized key: "mod"'],
    [policy({ namespaces: { matchLabel: {} } }), 'spec.namespaces: Unrecognized key: "matchLabel"'],
    [
      requiring({ signature: { issuers: ['a'], minimumIssuer: 2 } }),
      'spec.require[0].signature: Unrecognized key: "minimumIssuer"',
    ],
    [
      requiring({ sbom: { formats: ['SPDX'], issuers: ['a'], age: '1d' } }),
      'spec.require[0].sbom: Unrecognized key: "age"',
    ],
    [requiring({ pinned: true, extra: 1 }), 'spec.require[0]: Unrecognized key: "extra"'],
    [
      namespacedPolicy('shop', 'p', { require: [signedBy('a')], namespaces: {} }),
      'spec: Unrecognized key: "namespaces"',
    ],
    [identity({ subject: 's', san: 'x' }), 'spec.keyless.identities[0]: Unrecognized key: "san"'],
    [
      identity({ extensions: { buildTriger: 'x' } }),
      'spec.keyless.identities[0].extensions: Unrecognized key: "buildTriger"',
    ],
    [github({ branch: 'main' }), 'spec.keyless.github: Unrecognized key: "branch"'],
    [issuer('acme', { key: { pem: 'x', algorithm: 'none' } }), 'spec.key: Unrecognized key: "algorithm"'],
  ])('T22 refuses an unknown field by name: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  const attested = (predicateType: string): Fields =>
    requiring({ attestation: { predicateType, issuers: ['a'] } });
  it.each<[Fields, string]>([
    [policy({ images: ['ghcr.io/acme/app@sha256:aa'] }), 'spec.images[0]: Image pattern'],
    [policy({ excludeImages: ['ghcr.io/acme/**', '**'] }), 'spec.excludeImages: ** leaves out every image'],
    [attested('slsaprovenance'), 'spec.require[0].attestation.predicateType: is a short name of cosign'],
    [attested('vuln'), 'is a short name of cosign'],
    [identity({ issuer: 'accounts.google.com', subject: 's' }), 'identities[0].issuer: must be a URL'],
    [identity({ issuer: 'http://accounts.google.com', subject: 's' }), 'identities[0].issuer: must be a URL'],
    [identity({ issuer: 'http://localhost.evil.example', subject: 's' }), 'issuer: must be a URL of https'],
    [identity({ subjectPattern: '.*' }), 'subjectPattern accepts everybody whom the issuer knows'],
    [identity({ subjectPattern: '^.+$' }), 'subjectPattern accepts everybody whom the issuer knows'],
    [github({ repository: 'https://github.com/acme/app' }), 'github.repository: must be owner/name'],
    [github({ workflow: '.github/workflows/release.yml' }), 'github.workflow: must be the name of a file'],
    [github({ refs: ['main'] }), 'github.refs[0]: must begin with refs/'],
    [
      requiring({ signature: { issuers: ['a'], platforms: ['amd64'] } }),
      'platforms[0]: must be os/architecture[/variant]',
    ],
    [
      requiring({ sbom: { formats: ['SPDX'], issuers: ['a'], maxAge: '30 days' } }),
      'maxAge: must be a number and its unit',
    ],
  ])('T21 says in words what is wrong with a likely mistake: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  it('takes a pattern for any subject where extensions say who it is', () => {
    const extensions = { sourceRepositoryURI: 'https://github.com/acme/app' };
    expect(() => parse(identity({ subjectPattern: '.*', extensions }))).not.toThrow();
  });

  it.each([
    ['ghcr.io/acme/signatures:1.0', 'is no repository: write host/path, without tag and digest'],
    [`ghcr.io/acme/signatures@sha256:${'0'.repeat(64)}`, 'is no repository'],
    ['ghcr.io', 'is no repository'],
    ['acme/signatures', 'is no repository'],
    ['ghcr.io/acme/*', 'is no repository segment'],
    ['https://ghcr.io/acme', 'is no'],
  ])('refuses %s as a repository of evidence', (text, message) => {
    expect(refusalOf(policy({ evidenceRepositories: [text] })).message).toContain(message);
  });

  it('takes repositories of evidence, tags of indexes and platforms', () => {
    const fields = {
      evidenceRepositories: ['ghcr.io/acme/signatures', 'localhost:5000/a/b', 'docker.io/acme/x'],
      indexTags: ['latest', '1.4'],
    };
    expect(parse(policy(fields)).spec).toMatchObject(fields);
    for (const platforms of [['All'], ['linux/amd64', 'linux/arm/v7']]) {
      const resource = requiring({ signature: { issuers: ['a'], platforms } });
      expect(parse(resource).spec).toMatchObject({ require: [{ signature: { platforms } }] });
    }
  });

  it.each([
    [policy({ indexTags: ['a b'] }), 'spec.indexTags[0]'],
    [policy({ indexTags: ['a', 'a'] }), 'each may be named only once'],
    [requiring({ signature: { issuers: ['a'], platforms: ['linux'] } }), 'platforms[0]'],
    [
      requiring({ sbom: { formats: ['SPDX'], issuers: ['a'], platforms: ['All', 'linux/amd64'] } }),
      'All stands alone',
    ],
    [requiring({ attestation: { predicateType: 'p', issuers: ['a'], platforms: [] } }), 'platforms'],
  ])('refuses tags and platforms that are none: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  it.each([
    ['ftp://tuf.example', 'spec.key.trustedRoot.tuf.mirror'],
    ['https://user:pass@tuf.example', 'spec.key.trustedRoot.tuf.mirror'],
    ['https://tuf.example/?a=b', 'spec.key.trustedRoot.tuf.mirror'],
    ['https://tuf.example/#a', 'spec.key.trustedRoot.tuf.mirror'],
    ['https://tuf.example\\@evil.example', 'spec.key.trustedRoot.tuf.mirror'],
  ])('T10 refuses the TUF mirror %s', (mirror, where) => {
    const root = { trustedRoot: { tuf: { mirror, root: '{}' } } };
    expect(refusalOf(issuer('acme', { key: { pem: 'x', ...root } })).message).toContain(where);
  });

  it('asks for the root of a TUF mirror unless it ships with Refwarden', () => {
    const of = (mirror: string) => issuer('acme', { key: { pem: 'x', trustedRoot: { tuf: { mirror } } } });
    expect(refusalOf(of('https://tuf-repo.github.com.evil.example')).message).toContain(
      'root must be given, but for https://tuf-repo-cdn.sigstore.dev and https://tuf-repo.github.com',
    );
    for (const mirror of ['https://tuf-repo-cdn.sigstore.dev', 'https://tuf-repo.github.com/']) {
      expect(parse(of(mirror))).toMatchObject({
        spec: { key: { trustedRoot: { tuf: { mirror, target: 'trusted_root.json' } } } },
      });
    }
  });

  const alternative = { signature: { issuers: ['a'] } };
  const rule = { expression: 'true', message: 'm' };
  it.each<[Fields, string]>([
    [requiring({ anyOf: [] }), 'spec.require[0].anyOf'],
    [requiring({ anyOf: [{}] }), 'exactly one of signature, sbom, attestation, pinned'],
    [requiring({ anyOf: [{ ...alternative, pinned: true }] }), 'exactly one of signature, sbom'],
    [requiring({ anyOf: [{ anyOf: [alternative] }] }), 'spec.require[0].anyOf[0]'],
    [requiring({ anyOf: Array(5).fill(alternative) }), 'spec.require[0].anyOf'],
    [requiring({ anyOf: [alternative], pinned: true }), 'exactly one of'],
    [policy({ crossChecks: [] }), 'spec.crossChecks'],
    [policy({ crossChecks: Array(9).fill(rule) }), 'spec.crossChecks'],
    [policy({ crossChecks: [{ expression: 'x'.repeat(4097), message: 'm' }] }), 'crossChecks[0].expression'],
    [policy({ crossChecks: [{ expression: 'true' }] }), 'spec.crossChecks[0].message'],
    [
      requiring({ sbom: { formats: ['SPDX'], issuers: ['a'], assert: [{ ...rule, messsage: 'x' }] } }),
      'assert[0]',
    ],
  ])('T21 refuses alternatives and expressions that say nothing, or too much: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  const hotfix = (spec: Fields): Fields => exception('hotfix', { images: ['ghcr.io/acme/hotfix'], ...spec });
  it.each<[Fields, string]>([
    [hotfix({ images: ['**'] }), 'images must name their host: ** or */** would except everything'],
    [hotfix({ images: ['ghcr.io/acme/app', '*/**'] }), 'images must name their host'],
    [hotfix({ images: ['*.io/acme/app'] }), 'images must name their host'],
    [hotfix({ images: [] }), 'spec.images'],
    [hotfix({ images: ['a', 'a'] }), 'each may be named only once'],
    [hotfix({ namespaces: [] }), 'spec.namespaces'],
    [hotfix({ namespaces: undefined }), 'spec.namespaces'],
    [hotfix({ namespaces: ['*'] }), 'spec.namespaces[0]'],
    [hotfix({ namespaces: { matchLabels: { env: 'prod' } } }), 'spec.namespaces'],
    [hotfix({ policies: [] }), 'spec.policies'],
    [
      hotfix({
        policies: [
          { name: 'a', requirements: ['All'] },
          { name: 'a', requirements: ['b'] },
        ],
      }),
      'each name may be given only once',
    ],
    [hotfix({ policies: [{ name: 'a', requirements: [] }] }), 'spec.policies[0].requirements'],
    [hotfix({ policies: [{ name: 'a' }] }), 'spec.policies[0].requirements'],
    [hotfix({ policies: [{ name: 'a', requirements: null }] }), 'spec.policies[0].requirements'],
    [hotfix({ policies: [{ name: 'a', requirements: ['All', 'b'] }] }), 'requirements: All stands alone'],
    [hotfix({ reason: '' }), 'spec.reason'],
    [hotfix({ reason: undefined }), 'spec.reason'],
    [hotfix({ expiresAt: undefined }), 'spec.expiresAt'],
    [hotfix({ expiresAt: '2026-12-01' }), 'must be a time like'],
    [hotfix({ selector: {} }), 'selector'],
  ])('T23 refuses an exception without bounds: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  it.each<[string, Fields, string]>([
    ['a policy without requirements', policy({ require: [] }), 'spec.require: '],
    ['a policy without require', clusterPolicy('prod', {}), 'spec.require: '],
    ['a policy without images', policy({ images: [] }), 'spec.images: '],
    [
      'a requirement that asks for nothing',
      requiring({}),
      'exactly one of signature, sbom, attestation, pinned, anyOf',
    ],
    [
      'a requirement that asks for two things',
      requiring({ pinned: true, signature: { issuers: ['a'] } }),
      'exactly one of',
    ],
    ['an empty signature', requiring({ signature: {} }), 'spec.require[0].signature.issuers: '],
    [
      'a signature of no issuer',
      requiring({ signature: { issuers: [] } }),
      'spec.require[0].signature.issuers: ',
    ],
    [
      'an SBOM of no issuer',
      requiring({ sbom: { formats: ['SPDX'], issuers: [] } }),
      'spec.require[0].sbom.issuers: ',
    ],
    [
      'an SBOM of no format',
      requiring({ sbom: { formats: [], issuers: ['a'] } }),
      'spec.require[0].sbom.formats: ',
    ],
    [
      'an attestation of no type',
      requiring({ attestation: { predicateType: '', issuers: ['a'] } }),
      'predicateType: ',
    ],
    ['pinned: false', requiring({ pinned: false }), 'spec.require[0].pinned: '],
    [
      'two requirements of one name',
      policy({ require: [signedBy('a'), signedBy('b')] }),
      'spec.require: each name may be given only once',
    ],
    [
      'a selector operator',
      policy({ namespaces: { matchExpressions: [{ key: 'a', operator: 'in', values: ['b'] }] } }),
      'operator: ',
    ],
    [
      'In without values',
      policy({ namespaces: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      'In and NotIn take values',
    ],
    [
      'Exists with values',
      policy({ namespaces: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }),
      'In and NotIn take values',
    ],
    ['a mode', policy({ mode: 'enforce' }), 'spec.mode: '],
    [
      'an issuer listed twice',
      requiring({ signature: { issuers: ['a', 'b', 'a'] } }),
      'spec.require[0].signature.issuers: each may be named only once',
    ],
    [
      'an image pattern that does not compile',
      policy({ images: ['**', '**/nginx'] }),
      'spec.images[1]: Image pattern "**/nginx": ** stands for no host: write */** for any',
    ],
    [
      'an exclusion that does not compile',
      policy({ excludeImages: ['ghcr.io'] }),
      'spec.excludeImages[0]: Image pattern "ghcr.io": a host selects nothing',
    ],
  ])('T21 refuses %s', (_, resource, message) => {
    const refusal = refusalOf(resource);
    expect(refusal.code).toBe('PolicyInvalid');
    expect(refusal.message).toContain(message);
  });

  it.each<[string, Fields, string]>([
    ['no issuer of the three', issuer('acme', {}), 'exactly one of key, keyless, notation must be given'],
    [
      'a key and an identity',
      issuer('acme', { key: { pem: 'x' }, keyless: { identities: [{ issuer: 'i', subject: 's' }] } }),
      'exactly one of',
    ],
    ['an empty key', issuer('acme', { key: { pem: '' } }), 'spec.key.pem: '],
    ['no identity', keyless({ identities: [] }), 'spec.keyless.identities: '],
    ['no identities and no github', keyless({}), 'exactly one of identities, github must be given'],
    ['an OIDC issuer alone', identity({}), 'an issuer alone accepts everybody it knows'],
    ['empty extensions', identity({ extensions: {} }), 'extensions must name at least one extension'],
    [
      'subject and pattern',
      identity({ subject: 's', subjectPattern: 's' }),
      'subject and subjectPattern exclude each other',
    ],
    [
      'two trusted roots',
      issuer('acme', { key: { pem: 'x', trustedRoot: { builtIn: 'PublicGood', file: 'a.json' } } }),
      'exactly one of',
    ],
    [
      'a path for a file',
      issuer('acme', { key: { pem: 'x', trustedRoot: { file: '../a.json' } } }),
      'trustedRoot.file: ',
    ],
    ['a workflow path', github({ workflow: '../release.yml' }), 'spec.keyless.github.workflow: '],
    ['a workflow of any name', github({ workflow: '*.yml' }), 'spec.keyless.github.workflow: '],
    ['any repository', github({ repository: 'acme/*' }), 'spec.keyless.github.repository: '],
    ['a repository in a path', github({ repository: 'acme/shop/x' }), 'spec.keyless.github.repository: '],
    [
      'a pattern that is not RE2',
      identity({ subjectPattern: '(?=a)b' }),
      'spec.keyless.identities[0].subjectPattern: must be a regular expression of RE2',
    ],
    ['no refs', github({ refs: [] }), 'spec.keyless.github.refs: '],
    ['no trust store', notation({ trustStores: [] }), 'spec.notation.trustStores: '],
    [
      'a trust store of timestamps alone',
      notation({ trustStores: [{ type: 'tsa', inline: 'pem' }] }),
      'trustStores must have one of type ca or signingAuthority: a tsa store says only when',
    ],
    [
      'timestamps for signing authorities',
      notation({
        trustStores: [
          { type: 'signingAuthority', inline: 'pem' },
          { type: 'tsa', inline: 'pem' },
        ],
      }),
      'a trust store of type tsa is for signatures that lead to one of type ca',
    ],
    [
      'a trust store of nothing',
      notation({ trustStores: [{ type: 'ca' }] }),
      'exactly one of configMap, inline, file must be given',
    ],
    [
      'a trust store of two',
      notation({ trustStores: [{ type: 'ca', inline: 'pem', file: 'ca.pem' }] }),
      'exactly one of configMap, inline, file must be given',
    ],
    [
      'a trust store in a path',
      notation({ trustStores: [{ type: 'ca', file: '../ca' }] }),
      'trustStores[0].file: ',
    ],
    [
      'a trust store of another type',
      notation({ trustStores: [{ type: 'CA', inline: 'pem' }] }),
      'trustStores[0].type: ',
    ],
    [
      'anybody beside somebody',
      notation({ trustedIdentities: ['*', 'x509.subject: C=US, ST=WA, O=a'] }),
      'trustedIdentities: * stands alone',
    ],
    ['no identity of Notation', notation({ trustedIdentities: [] }), 'spec.notation.trustedIdentities: '],
    [
      'an identity of no kind',
      notation({ trustedIdentities: ['C=US, ST=WA, O=a'] }),
      'trustedIdentities[0]: ',
    ],
    ['an empty subject', notation({ trustedIdentities: ['x509.subject:  '] }), 'trustedIdentities[0]: '],
    ['the level skip', notation({ level: 'skip' }), 'spec.notation.level: '],
    ['an override of integrity', notation({ override: { integrity: 'log' } }), 'spec.notation.override: '],
    ['an override of nothing', notation({ override: {} }), 'override must name a validation'],
    ['authenticity skipped', notation({ override: { authenticity: 'skip' } }), 'override.authenticity: '],
    ['expiry skipped', notation({ override: { expiry: 'skip' } }), 'override.expiry: '],
    [
      'when to verify timestamps of nobody',
      notation({ verifyTimestamp: 'always' }),
      'verifyTimestamp needs a trust store of type tsa',
    ],
    ['any ref', github({ refs: ['*'] }), 'spec.keyless.github.refs[0]: '],
    ['a regular expression of refs', github({ refs: ['refs/tags/(v|x)'] }), 'spec.keyless.github.refs[0]: '],
    ['a repository name for an ID', github({ repositoryID: 'acme' }), 'spec.keyless.github.repositoryID: '],
  ])('T18 T21 refuses an issuer with %s', (_, resource, message) => {
    const refusal = refusalOf(resource);
    expect(refusal.code).toBe('IssuerInvalid');
    expect(refusal.message).toContain(message);
  });

  it('T19 refuses a threshold above the number of distinct issuers', () => {
    const message = 'minimumIssuers is more than there are issuers';
    expect(refusalOf(requiring({ signature: { issuers: ['a'], minimumIssuers: 2 } })).message).toContain(
      message,
    );
    expect(refusalOf(requiring({ signature: { issuers: ['a'], minimumIssuers: 0 } })).message).toContain(
      'minimumIssuers: ',
    );
    expect(() => parse(requiring({ signature: { issuers: ['a', 'b'], minimumIssuers: 2 } }))).not.toThrow();
  });

  it.each([
    '2026-12-01',
    '2026-12-01T00:00:00',
    '2026-12-01T00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-12-01 00:00:00Z',
    '2026-12-01t00:00:00z',
    'tomorrow',
  ])('refuses %j for a time', (notAfter) => {
    const refusal = refusalOf(issuer('acme', { key: { pem: 'x', notAfter } }));
    expect(refusal.message).toContain('spec.key.notAfter: must be a time like 2026-12-01T00:00:00Z');
  });

  it.each(['2026-12-01T00:00:00Z', '2026-12-01T00:00:00.5+02:00', '2028-02-29T23:59:59Z'])(
    'takes %j for a time',
    (notAfter) => {
      expect(parse(issuer('acme', { key: { pem: 'x', notAfter } }))).toMatchObject({
        spec: { key: { notAfter } },
      });
    },
  );

  it.each<[string, Fields, string]>([
    [
      'a key that stops before it starts',
      { key: { pem: 'x', notBefore: '2026-12-01T01:00:00+02:00', notAfter: '2026-11-30T23:00:00Z' } },
      'spec.key: notBefore must be earlier than notAfter',
    ],
    [
      'a threshold of logs that are not required',
      { key: { pem: 'x', thresholds: { transparencyLog: 2 } } },
      'spec.key: thresholds.transparencyLog takes transparencyLog: Required',
    ],
    [
      'a threshold of SCTs that are not required',
      {
        keyless: {
          identities: [{ issuer: 'i', subject: 's' }],
          sct: 'NotRequired',
          thresholds: { sct: 2 },
        },
      },
      'spec.keyless: thresholds.sct takes sct: Required',
    ],
    [
      'a threshold of SCTs of the instance that has none',
      {
        keyless: {
          identities: [{ issuer: 'i', subject: 's' }],
          trustedRoot: { builtIn: 'GitHub' },
          thresholds: { sct: 2 },
        },
      },
      'spec.keyless: thresholds.sct takes sct: Required, which builtIn: GitHub does not have by default',
    ],
    [
      'a threshold of none',
      { key: { pem: 'x', transparencyLog: 'Required', thresholds: { transparencyLog: 0 } } },
      'spec.key.thresholds.transparencyLog: ',
    ],
  ])('refuses %s', (_what, spec, message) => {
    expect(refusalOf(issuer('acme', spec)).message).toContain(message);
  });

  it('takes thresholds of what is required, SCTs by default', () => {
    expect(
      parse(
        issuer('acme', {
          keyless: { identities: [{ issuer: 'https://i', subject: 's' }], thresholds: { sct: 2 } },
        }),
      ),
    ).toMatchObject({ spec: { keyless: { thresholds: { sct: 2 } } } });
  });

  it.each(['0d', '-1d', '1', '1w', '1.5h', 'd', '1000000d', '1D', ' 1d', '1d\n'])(
    'refuses the age %j',
    (maxAge) => {
      const refusal = refusalOf(requiring({ sbom: { formats: ['SPDX'], issuers: ['a'], maxAge } }));
      expect(refusal.message).toContain('spec.require[0].sbom.maxAge: ');
    },
  );

  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
  it.each<[Fields, string]>([
    [policy({ images: many(65) }), 'spec.images: '],
    [policy({ excludeImages: many(65) }), 'spec.excludeImages: '],
    [policy({ images: ['a'.repeat(513)] }), 'spec.images[0]: '],
    [policy({ require: many(17).map((name) => ({ name, pinned: true })) }), 'spec.require: '],
    [requiring({ signature: { issuers: many(17) } }), 'spec.require[0].signature.issuers: '],
    [
      keyless({ identities: many(17).map((subject) => ({ issuer: 'i', subject })) }),
      'spec.keyless.identities: ',
    ],
    [identity({ subjectPattern: 'a'.repeat(1025) }), 'subjectPattern: '],
    [github({ refs: many(17).map((name) => `refs/tags/${name}`) }), 'spec.keyless.github.refs: '],
    [issuer('acme', { key: { pem: 'a'.repeat(8193) } }), 'spec.key.pem: '],
  ])('T11 bounds every field: %#', (resource, message) => {
    expect(refusalOf(resource).message).toContain(message);
  });

  it('T31 lists five problems and counts the rest', () => {
    const { message } = refusalOf(policy({ require: Array.from({ length: 16 }, () => ({ name: '!' })) }));
    expect(message.split('; ')).toHaveLength(6);
    expect(message).toMatch(/and \d+ more\.$/);
  });

  it('T31 shows the beginning of what is long, wherever it stands', () => {
    const long = 'k'.repeat(100_000);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, '']));
    for (const resource of [
      policy({ [long]: 1 }),
      policy(many),
      policy({ namespaces: { matchLabels: { [long]: 1 } } }),
      { ...policy({}), apiVersion: long },
      { ...policy({}), kind: { [long]: [] } },
    ])
      expect(refusalOf(resource).message.length).toBeLessThan(1000);
    expect(refusalOf(policy({ [long]: 1 })).message).toContain('spec: Unrecognized key: "kkk');
  });
});
