import { describe, expect, it } from 'vitest';
import { failure } from '../../src/failures/failure.ts';
import { parseImageReference } from '../../src/image/reference.ts';
import type { CheckedExpression } from '../../src/policy/assertions.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { notReady } from '../../src/policy/not-ready.ts';
import type { CompileSupport } from '../../src/policy/compile.ts';
import { selectsImage } from '../../src/policy/match.ts';
import type { ClusterArtifactPolicy } from '../../src/policy/model/artifact-policy.ts';
import type { CompiledPolicy, PolicySnapshot } from '../../src/policy/snapshot.ts';
import {
  clusterPolicy,
  compile,
  issuer,
  keyIssuer,
  keylessIssuer,
  namespacedPolicy,
  parse,
  sbomBy,
  signedBy,
  trusting,
  withoutMaterial,
} from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

function only(resources: readonly Fields[], trust = trusting): CompiledPolicy {
  return onlyOf(compile(resources, 'Admit', trust));
}
function onlyOf({ policies: [policy] }: PolicySnapshot): CompiledPolicy {
  if (policy === undefined) throw new Error('no policy was compiled');
  return policy;
}
const selects = (policy: CompiledPolicy, image: string): boolean =>
  selectsImage(policy, parseImageReference(image));
const keyless: Fields = { keyless: { identities: [{ issuer: 'https://idp.example', subject: 'me' }] } };

describe('compilePolicies', () => {
  it('compiles each kind of requirement with its issuers', () => {
    const policy = only([
      keylessIssuer('a'),
      keylessIssuer('b'),
      clusterPolicy('p', {
        mode: 'Warn',
        onInconclusive: 'Admit',
        require: [
          { name: 'signed', signature: { issuers: ['a', 'b'], minimumIssuers: 2, inheritFromIndex: false } },
          { name: 'sbom', sbom: { formats: ['SPDX'], issuers: ['b'], maxAge: '30d' } },
          {
            name: 'built',
            attestation: { predicateType: 'https://slsa.dev/provenance/v1', issuers: ['a'], maxAge: '90s' },
          },
          { name: 'pinned', pinned: true },
        ],
      }),
    ]);
    expect(policy).toMatchObject({ name: 'p', mode: 'Warn', onInconclusive: 'Admit', workloads: 'All' });
    expect(policy).not.toHaveProperty('namespace');
    expect(policy.requirements).toMatchObject([
      {
        kind: 'signature',
        name: 'signed',
        minimumIssuers: 2,
        inheritFromIndex: false,
        issuers: [{ name: 'a' }, { name: 'b' }],
      },
      { kind: 'sbom', name: 'sbom', formats: ['SPDX'], maxAgeMs: 30 * 86_400_000, issuers: [{ name: 'b' }] },
      {
        kind: 'attestation',
        name: 'built',
        predicateType: 'https://slsa.dev/provenance/v1',
        maxAgeMs: 90_000,
      },
      { kind: 'pinned', name: 'pinned' },
    ]);
    expect(policy.requirements.every((requirement) => requirement.notReady === undefined)).toBe(true);
  });

  it.each([
    ['15m', 900_000],
    ['12h', 43_200_000],
  ])('reads the age %s', (maxAge, maxAgeMs) => {
    const require = [{ name: 's', sbom: { formats: ['SPDX'], issuers: ['a', 'b'], maxAge } }];
    const policy = only([keyIssuer('a'), keylessIssuer('b'), clusterPolicy('p', { require })]);
    expect(policy.requirements).toMatchObject([{ maxAgeMs }]);
    const never = only([keyIssuer('a'), keyIssuer('b'), clusterPolicy('p', { require })]);
    expect(never.requirements).toMatchObject([
      {
        notReady: {
          code: 'PolicyInvalid',
          message:
            'maxAge: only a keyless issuer can meet it, and none of a, b is one: nothing says when a key signed.',
        },
      },
    ]);
  });

  it('T24 keeps the namespace of a namespaced policy, default where it names none', () => {
    const own = namespacedPolicy('shop', 'p', { require: [signedBy('a')] });
    expect(only([keyIssuer('a'), own]).namespace).toBe('shop');
    expect(only([keyIssuer('a'), { ...own, metadata: { name: 'p' } }]).namespace).toBe('default');
  });

  it.each<[string, readonly Fields[], string]>([
    ['is missing', [], 'There is no TrustedIssuer acme.'],
    ['has another name', [keyIssuer('acme2')], 'There is no TrustedIssuer acme.'],
    [
      'is defined twice',
      [keyIssuer('acme', 'one'), keyIssuer('acme', 'two')],
      'TrustedIssuer acme is defined more than once.',
    ],
  ])('T22 fails a requirement whose issuer %s', (_, issuers, message) => {
    const policy = only([
      ...issuers,
      clusterPolicy('p', { require: [signedBy('acme'), { name: 'pinned', pinned: true }] }),
    ]);
    expect(policy.requirements).toMatchObject([
      { name: 'signed', kind: 'unready', notReady: { code: 'PolicyNotReady', message } },
      { name: 'pinned' },
    ]);
    expect(policy.requirements[1]?.notReady).toBeUndefined();
  });

  it('T22 fails a requirement whole when one of its issuers is missing', () => {
    const policy = only([keyIssuer('a'), clusterPolicy('p', { require: [signedBy('a', 'gone')] })]);
    expect(policy.requirements).toMatchObject([
      { kind: 'unready', notReady: { code: 'PolicyNotReady', message: 'There is no TrustedIssuer gone.' } },
    ]);
  });

  it('T22 fails a requirement whose issuer has no trust material, or material that does not parse', () => {
    const resources = [issuer('acme', keyless), clusterPolicy('p', { require: [signedBy('acme')] })];
    const missing = failure('TrustMaterialMissing', 'ConfigMap roots is missing.');
    expect(only(resources, withoutMaterial(missing)).requirements).toMatchObject([
      {
        kind: 'unready',
        notReady: { code: 'PolicyNotReady', message: 'TrustedIssuer acme: ConfigMap roots is missing.' },
      },
    ]);
    const invalid = {
      ...trusting,
      check: () => failure('TrustMaterialInvalid', 'no certificate authority.'),
    };
    expect(only(resources, invalid).requirements).toMatchObject([
      {
        kind: 'unready',
        notReady: { code: 'PolicyNotReady', message: 'TrustedIssuer acme: no certificate authority.' },
      },
    ]);
  });

  /** A policy as it would be if the checks of the model let its patterns pass. */
  const unchecked = (patterns: { images?: string[]; excludeImages?: string[] }): CompiledPolicy => {
    const policy = parse(
      clusterPolicy('p', { require: [signedBy('a'), { name: 'pinned', pinned: true }] }),
    ) as ClusterArtifactPolicy;
    const resources = [parse(keyIssuer('a')), { ...policy, spec: { ...policy.spec, ...patterns } }];
    return onlyOf(compilePolicies(resources, trusting));
  };

  it.each([['ghcr.io/a**'], ['**/nginx'], ['ghcr.io'], ['ghcr.io:x/**'], ['ghcr.io/ '], ['*']])(
    'T22 should %j ever come in, its policy guards every image not left out, and fails on it',
    (pattern) => {
      const policy = unchecked({
        images: ['registry.example/x', pattern],
        excludeImages: ['registry.k8s.io/**'],
      });
      expect(selects(policy, 'registry.example/x')).toBe(true);
      expect(selects(policy, 'ghcr.io/anything/else')).toBe(true);
      expect(selects(policy, 'registry.k8s.io/pause')).toBe(false);
      expect(policy.covers).toBe(false);
      expect(policy.requirements.map((requirement) => requirement.notReady?.code)).toEqual([
        'ImagePatternInvalid',
        'ImagePatternInvalid',
      ]);
    },
  );

  it('T22 a policy with a broken exclusion leaves nothing out, guards what it selects, and fails on it', () => {
    const policy = unchecked({ images: ['ghcr.io/**'], excludeImages: ['ghcr.io/tools/**', 'ghcr.io'] });
    expect(selects(policy, 'ghcr.io/tools/x')).toBe(true);
    expect(selects(policy, 'quay.io/x/y')).toBe(false);
    expect(policy.covers).toBe(false);
    expect(policy.requirements).toMatchObject([
      { notReady: { code: 'ImagePatternInvalid' } },
      { notReady: { code: 'ImagePatternInvalid' } },
    ]);
  });

  it('T21 a requirement that lists no issuer at all is not ready, should it ever come in', () => {
    const parsed = {
      apiVersion: 'refwarden.dev/v1alpha1' as const,
      kind: 'ClusterArtifactPolicy' as const,
      metadata: { name: 'p' },
      spec: {
        mode: 'Enforce' as const,
        workloads: 'All' as const,
        images: ['**'],
        onInconclusive: 'Deny' as const,
        require: [
          { name: 'signed', signature: { issuers: [], minimumIssuers: 1, inheritFromIndex: true } },
          { name: 'nothing' },
        ],
      },
    };
    expect(compilePolicies([parsed], trusting).policies[0]?.requirements).toMatchObject([
      { notReady: { code: 'PolicyNotReady', message: 'It lists no issuer.' } },
      {
        notReady: { code: 'PolicyNotReady', message: 'It asks for nothing.' },
      },
    ]);
  });

  const expression = 'sbom.packages.size() > 0';
  const asserting = { formats: ['SPDX'], issuers: ['a'], assert: [{ expression, message: 'it is empty' }] };
  const uses =
    (...roots: CheckedExpression['uses']): CompileSupport['checkExpression'] =>
    () => ({ uses: roots });

  it('compiles alternatives, each as it would be alone', () => {
    const { requirements } = only([
      keyIssuer('a'),
      clusterPolicy('p', {
        require: [
          {
            name: 'either',
            anyOf: [{ signature: { issuers: ['a'] } }, { sbom: asserting }, { pinned: true }],
          },
        ],
      }),
    ]);
    expect(requirements).toMatchObject([
      {
        kind: 'anyOf',
        name: 'either',
        alternatives: [
          { kind: 'signature', name: 'either' },
          { kind: 'sbom', assertions: { assertions: asserting.assert } },
          { kind: 'pinned' },
        ],
      },
    ]);
  });

  it('T22 an alternative that is not ready is told of, and leaves the others as they are', () => {
    const snapshot = compile([
      keyIssuer('a'),
      clusterPolicy('p', {
        require: [{ name: 'either', anyOf: [{ signature: { issuers: ['b'] } }, { pinned: true }] }],
      }),
    ]);
    expect(onlyOf(snapshot).requirements).toMatchObject([
      { alternatives: [{ kind: 'unready' }, { kind: 'pinned' }] },
    ]);
    expect(notReady(snapshot)).toMatchObject([
      { policy: 'p', requirement: 'either', failure: { message: 'There is no TrustedIssuer b.' } },
    ]);
  });

  it('T22 an expression that does not compile makes its requirement, or the cross-checks, not ready', () => {
    const support: CompileSupport = {
      ...trusting,
      checkExpression: (text) => failure('PolicyInvalid', `${text} is no expression.`),
    };
    const { requirements } = only(
      [
        keyIssuer('a'),
        clusterPolicy('p', {
          require: [{ name: 'sbom', sbom: asserting }],
          crossChecks: [{ expression: 'x y', message: 'm' }],
        }),
      ],
      support,
    );
    expect(requirements).toEqual([
      {
        kind: 'unready',
        name: 'sbom',
        notReady: failure('PolicyInvalid', `assert[0]: ${expression} is no expression.`),
      },
      {
        kind: 'unready',
        name: 'crossChecks',
        notReady: failure('PolicyInvalid', 'crossChecks[0]: x y is no expression.'),
      },
    ]);
  });

  it('T27 tells assertions apart by expression, message and what they are asked of', () => {
    const fingerprintOf = (sbom: Fields): string | undefined => {
      const [requirement] = only([
        keyIssuer('a'),
        clusterPolicy('p', { require: [{ name: 'sbom', sbom }] }),
      ]).requirements;
      return requirement.kind === 'sbom' ? requirement.assertions?.fingerprint : undefined;
    };
    const all = [
      asserting,
      { ...asserting, formats: ['SPDX', 'SPDX'] },
      { ...asserting, assert: [{ expression, message: 'another' }] },
      { ...asserting, assert: [{ expression: 'true', message: 'it is empty' }] },
      { ...asserting, assert: [...asserting.assert, ...asserting.assert] },
    ].map(fingerprintOf);
    expect(new Set(all).size).toBe(all.length);
    expect(all).not.toContain(undefined);
    expect(fingerprintOf({ formats: ['SPDX'], issuers: ['a'] })).toBeUndefined();
  });

  it('gives cross-checks the requirements of their policy, alternatives among them, and their platforms', () => {
    const { requirements } = only([
      keyIssuer('a'),
      clusterPolicy('p', {
        require: [
          signedBy('a'),
          {
            name: 'either',
            anyOf: [
              { sbom: { ...asserting, platforms: ['linux/amd64'] } },
              { attestation: { predicateType: 'p', issuers: ['a'], platforms: ['linux/arm64'] } },
            ],
          },
          { name: 'pinned', pinned: true },
        ],
        crossChecks: [{ expression: 'true', message: 'm' }],
      }),
    ]);
    expect(requirements.at(-1)).toMatchObject({
      kind: 'crossCheck',
      name: 'crossChecks',
      over: [
        { alternatives: [{ kind: 'signature' }], orPinned: false },
        { alternatives: [{ kind: 'sbom' }, { kind: 'attestation' }], orPinned: false },
      ],
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64' },
      ],
    });
  });

  it.each<[string, Fields]>([
    ['an assertion', { require: [{ name: 'sbom', sbom: asserting }] }],
    ['one of an alternative', { require: [{ name: 'sbom', anyOf: [{ sbom: asserting }] }] }],
    ['a cross-check', { require: [signedBy('a')], crossChecks: [{ expression: 'true', message: 'm' }] }],
  ])('T35 needs the labels of the namespace where %s names it', (_, spec) => {
    const needsLabels = (checkExpression: CompileSupport['checkExpression']): boolean =>
      only([keyIssuer('a'), clusterPolicy('p', spec)], { ...trusting, checkExpression }).needsLabels;
    expect(needsLabels(uses('image', 'namespaceObject'))).toBe(true);
    expect(needsLabels(uses('image', 'sbom'))).toBe(false);
  });

  it('T21 a policy that requires nothing fails, should it ever come in', () => {
    const policy = parse(clusterPolicy('p', { require: [signedBy('a')] })) as ClusterArtifactPolicy;
    const empty = { ...policy, spec: { ...policy.spec, require: [] } };
    expect(onlyOf(compilePolicies([empty], trusting)).requirements).toEqual([
      { kind: 'unready', name: 'require', notReady: failure('PolicyNotReady', 'It requires nothing.') },
    ]);
  });

  it('T22 tells which requirements of which policies are not ready', () => {
    const snapshot = compile([
      keyIssuer('a'),
      clusterPolicy('fine', { require: [signedBy('a')] }),
      clusterPolicy('half', { require: [signedBy('a'), sbomBy('gone')] }),
      namespacedPolicy('shop', 'half', { require: [signedBy('gone')] }),
      namespacedPolicy('bank', 'half', { require: [signedBy('gone')] }),
    ]);
    const gone = failure('PolicyNotReady', 'There is no TrustedIssuer gone.');
    expect(notReady(snapshot)).toEqual([
      { policy: 'half', requirement: 'sbom', failure: gone },
      { policy: 'shop/half', requirement: 'signed', failure: gone },
      { policy: 'bank/half', requirement: 'signed', failure: gone },
    ]);
  });

  it('T22 T28 a policy of a namespace that cannot be read refuses what it may guard, there alone', () => {
    const unreadable = {
      name: 'bad',
      namespace: 'shop',
      mode: 'Warn',
      failure: failure('PolicyInvalid', 'spec.imagez: is not known.'),
    } as const;
    const snapshot = compilePolicies([], trusting, { unreadable: [unreadable] });
    const policy = onlyOf(snapshot);
    expect(policy).toMatchObject({ name: 'bad', namespace: 'shop', mode: 'Warn', onInconclusive: 'Deny' });
    expect(selects(policy, 'nginx')).toBe(true);
    expect(notReady(snapshot)).toEqual([
      { policy: 'shop/bad', requirement: 'readable', failure: unreadable.failure },
    ]);
  });
});

describe('a policy for some namespaces', () => {
  it('keeps its selector, and one for all has none', () => {
    const namespaces = { matchLabels: { env: 'prod' } };
    const some = only([keyIssuer('a'), clusterPolicy('p', { namespaces, require: [signedBy('a')] })]);
    expect(some).toMatchObject({ namespaces, needsLabels: true });
    const all = only([keyIssuer('a'), clusterPolicy('p', { require: [signedBy('a')] })]);
    expect('namespaces' in all).toBe(false);
    expect(all.needsLabels).toBe(false);
  });
});
