import { describe, expect, it } from 'vitest';
import { failure } from '../../src/failures/failure.ts';
import { compileIssuer, githubActionsIssuer } from '../../src/policy/compile-issuer.ts';
import type { IssuerTrust } from '../../src/policy/compile-issuer.ts';
import type { TrustedIssuer } from '../../src/policy/model/trusted-issuer.ts';
import type { FulcioExtension, ResolvedIssuer, TrustReference } from '../../src/policy/resolved-issuer.ts';
import { compilePattern, matchesIdentity } from '../../src/verification/identity.ts';
import type { SigningCertificate } from '../../src/verification/signing-certificate.ts';
import { issuer, parse, trusting } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

function resolve(spec: Fields, trust: IssuerTrust = trusting, name = 'acme'): ResolvedIssuer {
  const resource = parse(issuer(name, spec));
  if (resource.kind !== 'TrustedIssuer') throw new Error('no issuer');
  const resolved = compileIssuer(resource, trust);
  if ('code' in resolved) throw new Error(resolved.message);
  return resolved;
}

const github = (fields: Fields = {}): Fields => ({
  keyless: {
    github: { repository: 'acme/shop', workflow: 'release.yml', refs: ['refs/tags/v*'], ...fields },
  },
});

/** The certificate that Fulcio issues to the release workflow of acme/shop, changed as a test needs it. */
const certificate = (
  extensions: Partial<Record<FulcioExtension, string>> = {},
  oidcIssuer = githubActionsIssuer,
): SigningCertificate => {
  const facts = {
    issuer: oidcIssuer,
    subjects: ['https://github.com/acme/workflows/.github/workflows/build.yml@refs/heads/main'],
    extensions: {
      buildSignerURI: 'https://github.com/acme/workflows/.github/workflows/build.yml@refs/heads/main',
      sourceRepositoryURI: 'https://github.com/acme/shop',
      sourceRepositoryRef: 'refs/tags/v1.2.3',
      buildConfigURI: 'https://github.com/acme/shop/.github/workflows/release.yml@refs/tags/v1.2.3',
      sourceRepositoryIdentifier: '4711',
      sourceRepositoryOwnerIdentifier: '815',
      deploymentEnvironment: 'production',
      ...extensions,
    },
  };
  return facts as unknown as SigningCertificate;
};

function accepts(spec: Fields, signer: SigningCertificate): boolean {
  const resolved = resolve(spec);
  return resolved.kind === 'keyless' && matchesIdentity(signer, resolved.identities, compilePattern);
}

describe('a GitHub workflow as issuer', () => {
  it('accepts the workflow on a tag that it names', () => {
    expect(accepts(github(), certificate())).toBe(true);
  });

  const workflow = (name: string, ref = 'refs/tags/v1.2.3'): string =>
    `https://github.com/acme/shop/.github/workflows/${name}@${ref}`;

  it.each<[string, Partial<Record<FulcioExtension, string>>]>([
    [
      'a stranger who calls the same reusable workflow',
      {
        sourceRepositoryURI: 'https://github.com/attacker/shop',
        buildConfigURI: 'https://github.com/attacker/shop/.github/workflows/release.yml@refs/tags/v1.2.3',
      },
    ],
    [
      'a stranger whose workflow file is named alike',
      { sourceRepositoryURI: 'https://github.com/attacker/shop' },
    ],
    ['a repository whose name begins alike', { sourceRepositoryURI: 'https://github.com/acme/shop-evil' }],
    ['a repository in another case', { sourceRepositoryURI: 'https://github.com/Acme/shop' }],
    ['another host', { sourceRepositoryURI: 'https://github.com.attacker.example/acme/shop' }],
    ['another workflow of the repository', { buildConfigURI: workflow('pull-request.yml') }],
    ['a workflow whose dot is another character', { buildConfigURI: workflow('releaseXyml') }],
    [
      'a workflow on another ref than the source',
      { buildConfigURI: workflow('release.yml', 'refs/heads/x') },
    ],
    [
      'a workflow with something before it',
      { buildConfigURI: `https://attacker.example/${workflow('release.yml')}` },
    ],
    ['a workflow with something after it', { buildConfigURI: `${workflow('release.yml')}/../x` }],
    ['a branch', { sourceRepositoryRef: 'refs/heads/v1' }],
    ['a ref within a ref', { sourceRepositoryRef: 'refs/heads/refs/tags/v1' }],
    ['a tag that crosses a slash', { sourceRepositoryRef: 'refs/tags/v1/evil' }],
    ['a tag with a line break', { sourceRepositoryRef: 'refs/tags/v1\n/x' }],
    ['a missing ref', { sourceRepositoryRef: undefined as unknown as string }],
    ['a missing workflow', { buildConfigURI: undefined as unknown as string }],
  ])('T18 T37 refuses %s', (_, extensions) => {
    expect(accepts(github(), certificate(extensions))).toBe(false);
  });

  it('T18 refuses another OIDC issuer with the same extensions', () => {
    expect(
      accepts(github(), certificate({}, 'https://token.actions.githubusercontent.com.attacker.example')),
    ).toBe(false);
    expect(accepts(github(), certificate({}, 'https://accounts.google.com'))).toBe(false);
  });

  it('T37 holds the certificate to the numeric IDs and the environment where they are given', () => {
    expect(accepts(github({ repositoryID: '4711', ownerID: '815' }), certificate())).toBe(true);
    expect(
      accepts(github({ repositoryID: '4711' }), certificate({ sourceRepositoryIdentifier: '47110' })),
    ).toBe(false);
    expect(accepts(github({ ownerID: '815' }), certificate({ sourceRepositoryOwnerIdentifier: '816' }))).toBe(
      false,
    );
    expect(accepts(github({ environment: 'production' }), certificate())).toBe(true);
    expect(
      accepts(github({ environment: 'production' }), certificate({ deploymentEnvironment: 'dev' })),
    ).toBe(false);
  });

  it('T37 holds the certificate to the reusable workflow where one is given, and to the caller as well', () => {
    const signer = {
      signerWorkflow: {
        repository: 'acme/workflows',
        workflow: 'build.yml',
        refs: ['refs/heads/main', 'refs/tags/v*'],
      },
    };
    expect(accepts(github(signer), certificate())).toBe(true);
    const signedBy = (buildSignerURI: string, more: Partial<Record<FulcioExtension, string>> = {}) =>
      accepts(github(signer), certificate({ buildSignerURI, ...more }));
    const shared = 'https://github.com/acme/workflows/.github/workflows/build.yml';
    expect(signedBy(`${shared}@refs/tags/v2`)).toBe(true);
    for (const uri of [
      `${shared}@refs/heads/mainx`,
      `${shared}@refs/heads/evil`,
      `${shared}.yml@refs/heads/main`,
      'https://github.com/attacker/workflows/.github/workflows/build.yml@refs/heads/main',
      workflow('release.yml'),
    ]) {
      expect(signedBy(uri)).toBe(false);
    }
    const attacker = {
      sourceRepositoryURI: 'https://github.com/attacker/shop',
      buildConfigURI: 'https://github.com/attacker/shop/.github/workflows/release.yml@refs/tags/v1.2.3',
    };
    expect(signedBy(`${shared}@refs/heads/main`, attacker)).toBe(false);
  });

  it.each([
    ['refs/tags/v*', 'refs/tags/v1', true],
    ['refs/tags/v*', 'refs/tags/v', true],
    ['refs/tags/v*', 'refs/tags/v1/x', false],
    ['refs/tags/v**', 'refs/tags/v1/x', true],
    ['refs/heads/**', 'refs/heads/release/1.0', true],
    ['refs/heads/**', 'refs/tags/release', false],
    ['refs/heads/release/*.x', 'refs/heads/release/1.x', true],
    ['refs/heads/release/*.x', 'refs/heads/release/1yx', false],
    ['refs/tags/v1.0+build', 'refs/tags/v1.0+build', true],
    ['refs/tags/v1.0+build', 'refs/tags/v1.00build', false],
    ['refs/heads/main', 'refs/heads/main', true],
    ['refs/heads/main', 'refs/heads/main2', false],
  ])('T18 the ref %s against %s: %s', (glob, ref, expected) => {
    const signer = certificate({ sourceRepositoryRef: ref, buildConfigURI: workflow('release.yml', ref) });
    expect(accepts(github({ refs: [glob] }), signer)).toBe(expected);
  });

  it('T18 anchors each of several refs', () => {
    const spec = github({ refs: ['refs/heads/main', 'refs/tags/v*'] });
    const on = (ref: string): SigningCertificate =>
      certificate({ sourceRepositoryRef: ref, buildConfigURI: workflow('release.yml', ref) });
    expect(accepts(spec, on('refs/heads/main'))).toBe(true);
    expect(accepts(spec, on('refs/tags/v2'))).toBe(true);
    expect(accepts(spec, on('refs/heads/mainx'))).toBe(false);
    expect(accepts(spec, on('x/refs/tags/v2'))).toBe(false);
  });
});

describe('compileIssuer', () => {
  const identities = [{ issuer: 'https://idp.example', subject: 'me@acme.example' }];

  it('resolves identities with their rules', () => {
    const resolved = resolve({
      keyless: {
        identities: [
          ...identities,
          { issuer: 'https://idp.example', subjectPattern: '.*@acme', extensions: { buildTrigger: 'push' } },
        ],
        sct: 'NotRequired',
      },
    });
    expect(resolved).toMatchObject({
      kind: 'keyless',
      sct: 'NotRequired',
      identities: [
        { issuer: 'https://idp.example', subject: { exact: 'me@acme.example' }, extensions: [] },
        {
          issuer: 'https://idp.example',
          subject: { pattern: '.*@acme' },
          extensions: [{ name: 'buildTrigger', rule: { exact: 'push' } }],
        },
      ],
    });
  });

  it.each<[Fields | undefined, TrustReference]>([
    [undefined, { kind: 'builtIn', name: 'PublicGood' }],
    [{ builtIn: 'PublicGood' }, { kind: 'builtIn', name: 'PublicGood' }],
    [{ configMap: { name: 'roots' } }, { kind: 'configMap', name: 'roots', key: 'trusted_root.json' }],
    [{ configMap: { name: 'roots', key: 'a' } }, { kind: 'configMap', name: 'roots', key: 'a' }],
    [{ file: 'root.json' }, { kind: 'file', name: 'root.json' }],
    [{ builtIn: 'GitHub' }, { kind: 'builtIn', name: 'GitHub' }],
    [
      { tuf: { mirror: 'https://tuf-repo.github.com' } },
      { kind: 'tuf', mirror: 'https://tuf-repo.github.com', target: 'trusted_root.json' },
    ],
    [
      { tuf: { mirror: 'http://tuf.example:8080/repo', root: '{}', target: 'acme.json' } },
      { kind: 'tuf', mirror: 'http://tuf.example:8080/repo', root: '{}', target: 'acme.json' },
    ],
  ])('asks for the trusted root that %j means', (trustedRoot, expected) => {
    const asked: TrustReference[] = [];
    const trust: IssuerTrust = {
      material: (reference) => {
        asked.push(reference);
        return '{}';
      },
      check: () => undefined,
    };
    resolve({ keyless: { identities, ...(trustedRoot === undefined ? {} : { trustedRoot }) } }, trust);
    expect(asked).toEqual([expected]);
  });

  it('gives a key the times between which it counts, whatever their zones', () => {
    const dates = { notBefore: '2026-01-01T01:00:00+01:00', notAfter: '2026-12-01T00:00:00Z' };
    expect(resolve({ key: { pem: 'x', ...dates } })).toMatchObject({
      notBeforeMs: Date.UTC(2026, 0, 1),
      notAfterMs: Date.UTC(2026, 11, 1),
    });
    expect(resolve({ key: { pem: 'x' } })).not.toHaveProperty('notAfterMs');
  });

  it("demands an SCT but of GitHub's own instance, which has no such log, unless it is said", () => {
    const sctOf = (spec: object): string => {
      const keyless = { identities, transparencyLog: 'NotRequired', signedTimestamp: 'NotRequired', ...spec };
      const resource = { metadata: { name: 'acme' }, spec: { keyless } } as unknown as TrustedIssuer;
      const resolved = compileIssuer(resource, trusting);
      return 'kind' in resolved && resolved.kind === 'keyless' ? resolved.sct : 'none';
    };
    expect(sctOf({})).toBe('Required');
    expect(sctOf({ trustedRoot: { builtIn: 'PublicGood' } })).toBe('Required');
    expect(sctOf({ trustedRoot: { inline: '{}' } })).toBe('Required');
    expect(sctOf({ trustedRoot: { builtIn: 'GitHub' } })).toBe('NotRequired');
    expect(sctOf({ trustedRoot: { builtIn: 'GitHub' }, sct: 'Required' })).toBe('Required');
  });

  it('needs no trusted root for a key without a transparency log', () => {
    const none: IssuerTrust = {
      material: () => failure('TrustMaterialMissing', 'none'),
      check: () => undefined,
    };
    expect(resolve({ key: { pem: 'x' } }, none)).not.toHaveProperty('trustedRoot');
    expect(resolve({ key: { pem: 'x', trustedRoot: { inline: '{}' } } }, none)).toHaveProperty(
      'trustedRoot.json',
      '{}',
    );
    expect(() => resolve({ key: { pem: 'x', transparencyLog: 'Required' } }, none)).toThrow(
      'TrustedIssuer acme: none',
    );
  });

  describe('of Notation', () => {
    const ca = { type: 'ca', configMap: { name: 'vendor-ca' } } as const;
    const notation = (fields: Fields = {}): Fields => ({
      notation: { trustStores: [ca], trustedIdentities: ['x509.subject: C=US, ST=WA, O=Vendor'], ...fields },
    });

    it('has its certificates, and the defaults of the Notary Project', () => {
      const asked: TrustReference[] = [];
      const trust: IssuerTrust = {
        material: (reference) => {
          asked.push(reference);
          return `PEM of ${'name' in reference ? reference.name : reference.kind}`;
        },
        check: () => undefined,
      };
      const trustStores = [
        ca,
        { type: 'tsa', file: 'tsa.pem' },
        { type: 'ca', inline: 'PEM' },
        { type: 'signingAuthority', configMap: { name: 'authority', key: 'roots.pem' } },
      ];
      expect(resolve(notation({ trustStores }), trust)).toMatchObject({
        kind: 'notation',
        name: 'acme',
        level: 'strict',
        override: {},
        verifyTimestamp: 'always',
        trustedIdentities: ['x509.subject: C=US, ST=WA, O=Vendor'],
        trustStores: [
          { type: 'ca', name: 'ConfigMap vendor-ca, key ca.crt', certificates: 'PEM of vendor-ca' },
          { type: 'tsa', name: 'file tsa.pem', certificates: 'PEM of tsa.pem' },
          { type: 'ca', name: 'inline', certificates: 'PEM' },
          {
            type: 'signingAuthority',
            name: 'ConfigMap authority, key roots.pem',
            certificates: 'PEM of authority',
          },
        ],
      });
      expect(asked).toEqual([
        { kind: 'configMap', name: 'vendor-ca', key: 'ca.crt' },
        { kind: 'file', name: 'tsa.pem' },
        { kind: 'configMap', name: 'authority', key: 'roots.pem' },
      ]);
    });

    it('T22 is none while a trust store is missing', () => {
      const missing: IssuerTrust = {
        material: () => failure('TrustMaterialMissing', 'No such ConfigMap.'),
        check: () => undefined,
      };
      expect(() => resolve(notation(), missing)).toThrow('TrustedIssuer acme: No such ConfigMap.');
    });

    it('T27 T34 has another fingerprint with every field', () => {
      const trust = (text: string): IssuerTrust => ({ material: () => text, check: () => undefined });
      const tsa = { type: 'tsa', inline: 'PEM' };
      const fingerprints = [
        resolve(notation(), trust('a')),
        resolve(notation(), trust('b')),
        resolve(notation({ level: 'audit' }), trust('a')),
        resolve(notation({ override: { expiry: 'log' } }), trust('a')),
        resolve(notation({ trustedIdentities: ['*'] }), trust('a')),
        resolve(notation({ trustStores: [{ ...ca, type: 'signingAuthority' }] }), trust('a')),
        resolve(notation({ trustStores: [ca, tsa] }), trust('a')),
        resolve(notation({ trustStores: [ca, tsa], verifyTimestamp: 'afterCertExpiry' }), trust('a')),
      ].map(({ fingerprint }) => fingerprint);
      expect(new Set(fingerprints).size).toBe(fingerprints.length);
    });
  });

  it('T27 T34 changes the fingerprint with the spec, the name and the trust material', () => {
    const root = (json: string): IssuerTrust => ({ material: () => json, check: () => undefined });
    const fingerprints = [
      resolve({ keyless: { identities } }, root('{"a":1}')),
      resolve({ keyless: { identities } }, root('{"a":2}')),
      resolve({ keyless: { identities, sct: 'NotRequired' } }, root('{"a":1}')),
      resolve(
        { keyless: { identities: [{ ...identities[0], subject: 'you@acme.example' }] } },
        root('{"a":1}'),
      ),
      resolve({ keyless: { identities } }, root('{"a":1}'), 'other'),
      resolve(github(), root('{"a":1}')),
      resolve(github({ ownerID: '1' }), root('{"a":1}')),
      resolve({ key: { pem: 'x' } }),
      resolve({ key: { pem: 'y' } }),
      resolve({ key: { pem: 'x', transparencyLog: 'Required' } }),
      resolve({ key: { pem: 'x', transparencyLog: 'Required', thresholds: { transparencyLog: 2 } } }),
      resolve({ key: { pem: 'x', notAfter: '2026-12-01T00:00:00Z' } }),
      resolve({ key: { pem: 'x', notBefore: '2026-12-01T00:00:00Z' } }),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
    expect(resolve({ key: { pem: 'x' } }).fingerprint).toBe(resolve({ key: { pem: 'x' } }).fingerprint);
  });

  it.each<[TrustedIssuer['spec'], string]>([[{}, 'TrustedIssuer acme: it names no way to know who signed.']])(
    'T18 trusts nobody by %j, should it ever come in',
    (spec, message) => {
      const resource = parse(issuer('acme', { key: { pem: 'x' } })) as TrustedIssuer;
      expect(compileIssuer({ ...resource, spec }, trusting)).toEqual(failure('IssuerInvalid', message));
    },
  );
});

describe('what an issuer asks of its evidence', () => {
  const identities = [{ issuer: 'https://idp.example', subject: 'me' }];
  it('keeps its thresholds, of keyless identities and of keys', () => {
    const thresholds = { transparencyLog: 2 };
    expect(resolve({ keyless: { identities, transparencyLog: 'Required', thresholds } })).toMatchObject({
      thresholds,
    });
    expect('thresholds' in resolve({ keyless: { identities } })).toBe(false);
    const key = { pem: 'key', transparencyLog: 'Required' };
    expect(resolve({ key: { ...key, thresholds } })).toMatchObject({ thresholds });
    expect('thresholds' in resolve({ key })).toBe(false);
  });

  it('has a trusted root for whatever needs one', () => {
    const rootOf = (key: Fields): boolean => 'trustedRoot' in resolve({ key: { pem: 'key', ...key } });
    expect(rootOf({})).toBe(false);
    expect(rootOf({ signedTimestamp: 'Required' })).toBe(true);
    expect(rootOf({ transparencyLog: 'Required' })).toBe(true);
    expect(rootOf({ trustedRoot: { builtIn: 'PublicGood' } })).toBe(true);
  });
});
