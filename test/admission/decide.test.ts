import { describe, expect, it } from 'vitest';
import type { ReferrerEvent } from '../../src/admission/ports.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import { failure, RefwardenError } from '../../src/failures/failure.ts';
import {
  clusterPolicy,
  compile,
  keyIssuer,
  namespacedPolicy,
  parse,
  sbomBy,
  signedBy,
  trusting,
  unreadable,
} from '../policy/sample-resources.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { ClusterArtifactPolicy } from '../../src/policy/model/artifact-policy.ts';
import type { NoMatch, PolicySnapshot } from '../../src/policy/snapshot.ts';
import type { Fields } from '../policy/sample-resources.ts';
import { attestation, digestOf, image } from '../policy/sample-evidence.ts';
import {
  candidate,
  decideOn,
  end,
  evidenceBy,
  imageText,
  outcomes,
  plainVerifier,
  pod,
  portsOf,
  ScriptedSource,
  signed,
  signedPolicy,
  startMs,
  unusable,
} from './sample-decision.ts';

const holding = (...events: ReferrerEvent[]): ScriptedSource =>
  new ScriptedSource({ referrers: () => [...events, end()] });
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const unknownLabels = (): Promise<never> =>
  Promise.reject(new RefwardenError('NamespaceUnknown', 'not known'));
/** Takes every expression for one that names `namespaceObject`. */
const namingNamespace = { ...trusting, checkExpression: () => ({ uses: ['namespaceObject' as const] }) };
const issuers = [keyIssuer('acme'), keyIssuer('b')];

describe('decide', () => {
  it('admits what is signed, with the evidence and the digest that it counts for', async () => {
    const recorded: Verdict[] = [];
    const verdict = await decideOn({ source: holding(signed()), recorded });
    expect(verdict).toMatchObject({
      outcome: 'admitted',
      allowed: true,
      workload: { kind: 'Pod', namespace: 'shop', name: 'app' },
      images: [
        {
          image: imageText,
          reference: imageText,
          digest: image,
          outcome: 'passed',
          checks: [
            {
              policy: 'prod',
              requirement: 'signed',
              outcome: 'passed',
              blocks: false,
              message: 'signature by acme',
              evidence: [
                {
                  issuer: 'acme',
                  artifact: digestOf('signature'),
                  mechanism: 'Referrers',
                  path: [image, digestOf('signature')],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(recorded).toEqual([verdict]);
  });

  it.each<[string, ReferrerEvent[], string, string]>([
    ['nothing', [], 'SignatureMissing', 'asks for a signature by acme: no signature was found'],
    [
      'a signature by a stranger',
      [
        candidate('x', {
          rejections: [{ code: 'SignerNotTrusted', message: 'Not listed.', signer: 'mallory' }],
        }),
      ],
      'SignerNotTrusted',
      'asks for a signature by acme. Found 1: mallory. Not listed.',
    ],
    [
      'a signature of another image',
      [candidate('x', { evidence: [evidenceBy('acme', { subject: digestOf('other') })] })],
      'SignatureMissing',
      'asks for a signature by acme: no signature was found',
    ],
    [
      'an attestation',
      [candidate('x', { evidence: [attestation()] })],
      'SignatureMissing',
      'asks for a signature by acme: no signature was found',
    ],
    [
      'something listed that is not there',
      [unusable('ArtifactMissing')],
      'ArtifactMissing',
      'Found 1: ArtifactMissing it is.',
    ],
    ['artifacts of no known form', [candidate('x')], 'SignatureMissing', 'no signature was found'],
  ])('T15 denies an image that carries %s', async (_, events, code, message) => {
    const verdict = await decideOn({ source: holding(...events) });
    expect(verdict).toMatchObject({ outcome: 'denied', allowed: false });
    expect(verdict.images[0]?.checks).toMatchObject([
      { outcome: 'failed', blocks: true, code, message: expect.stringContaining(message) as string },
    ]);
  });

  it('T20 takes no notice of what annotations or a listing claim', async () => {
    const claiming = {
      ...candidate('x'),
      manifest: {
        ...candidate('x').manifest,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        annotations: { 'refwarden.dev/verified': 'true' },
      },
    };
    expect(await decideOn({ source: holding(claiming) })).toMatchObject({
      allowed: false,
      outcome: 'denied',
    });
  });

  it('T01 resolves each distinct image once, whatever number of policies and requirements ask for it', async () => {
    const source = holding(signed(), candidate('sbom', { evidence: [attestation()] }));
    const policies = compile([
      ...issuers,
      clusterPolicy('one', { require: [signedBy('acme'), sbomBy('acme')] }),
      clusterPolicy('two', { require: [signedBy('acme')] }),
      namespacedPolicy('shop', 'own', { require: [sbomBy('acme')] }),
    ]);
    const verdict = await decideOn({ source, policies });
    expect(verdict.allowed).toBe(true);
    expect(outcomes(verdict)).toEqual(Array(4).fill('passed -'));
    expect(source.resolved).toEqual([imageText]);
    expect(source.listed).toHaveLength(1);
    expect(verdict.images[0]?.digest).toBe(image);
  });

  it('T01 resolves nothing for an image by digest', async () => {
    const source = holding(signed());
    const verdict = await decideOn({ source }, pod([`ghcr.io/acme/app@${image}`]));
    expect(verdict.allowed).toBe(true);
    expect(source.resolved).toEqual([]);
  });

  it('judges every image: one that is not signed denies the workload', async () => {
    const source = new ScriptedSource({
      resolve: ({ tag }) => Promise.resolve({ digest: tag === '1.4' ? image : digestOf('unsigned') }),
      referrers: () => [signed(), end()],
    });
    const verdict = await decideOn({ source }, pod([imageText, 'ghcr.io/acme/app:dev']));
    expect(verdict).toMatchObject({ outcome: 'denied', allowed: false });
    expect(verdict.images.map(({ outcome }) => outcome)).toEqual(['passed', 'failed']);
  });

  it('admits a workload that brings no image, policies loaded or not', async () => {
    const source = new ScriptedSource();
    expect(await decideOn({ source, policies: undefined }, pod([]))).toMatchObject({
      allowed: true,
      images: [],
    });
    expect(source.resolved).toEqual([]);
  });

  it('tells of a dry run', async () => {
    const recorded: Verdict[] = [];
    await decideOn({ source: holding(signed()), recorded }, pod([imageText], { dryRun: true }));
    expect(recorded).toMatchObject([{ dryRun: true }]);
  });

  it('counts the time that it took and the requests at the wire', async () => {
    let now = startMs;
    const source = new ScriptedSource({
      resolve: (_, { trace }) => {
        now += 40;
        trace.start()();
        trace.start()();
        return Promise.resolve({ digest: image });
      },
      referrers: () => [signed(), end()],
    });
    const verdict = await decideOn({ source, nowMs: () => now });
    expect(verdict).toMatchObject({ durationMs: 40, requests: { total: 2, sequential: 2 } });
  });
});

describe('several policies', () => {
  const by = (issuer: string, spec: Fields = {}): Fields =>
    clusterPolicy(`by-${issuer}`, { require: [signedBy(issuer)], ...spec });

  it('must all be satisfied', async () => {
    const verdict = await decideOn({
      source: holding(signed()),
      policies: compile([...issuers, by('acme'), by('b')]),
    });
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(['passed -', 'failed SignerNotTrusted blocks']);
    expect(verdict.images[0]?.checks[1]?.message).toContain(
      'asks for a signature by b. Found 1: key sha256:',
    );
  });

  it('T24 a namespaced policy adds to a cluster policy and relaxes nothing', async () => {
    const policies = compile([
      ...issuers,
      by('b'),
      namespacedPolicy('shop', 'own', {
        require: [signedBy('acme')],
        mode: 'Audit',
        onInconclusive: 'Admit',
      }),
    ]);
    const verdict = await decideOn({ source: holding(signed()), policies });
    expect(verdict.allowed).toBe(false);
    expect(verdict.images[0]?.checks).toMatchObject([
      { policy: 'by-b', blocks: true },
      { policy: 'shop/own', blocks: false },
    ]);
  });

  it('judges an image by those alone that select it', async () => {
    const policies = compile([...issuers, by('b', { images: ['quay.io/**'] }), by('acme')]);
    expect(outcomes(await decideOn({ source: holding(signed()), policies }))).toEqual(['passed -']);
  });
});

/** The schema refuses its pattern; this is what an older schema of the API server may have let through. */
function withBrokenPattern(spec: Fields, noMatch?: NoMatch): PolicySnapshot {
  const prod = parse(
    clusterPolicy('prod', { require: [signedBy('acme')], ...spec }),
  ) as ClusterArtifactPolicy;
  const broken = { ...prod, spec: { ...prod.spec, images: ['ghcr.io'] } };
  return compilePolicies([...issuers.map(parse), broken], trusting, { noMatch });
}

describe('modes', () => {
  it.each([
    ['Enforce', false, true],
    ['Warn', true, false],
    ['Audit', true, false],
  ])('%s: what fails is admitted: %s', async (mode, allowed, blocks) => {
    const verdict = await decideOn({ policies: signedPolicy({ mode }) });
    expect(verdict.allowed).toBe(allowed);
    expect(verdict.images[0]).toMatchObject({
      outcome: 'failed',
      checks: [{ mode, outcome: 'failed', blocks }],
    });
  });

  it.each(['Enforce', 'Warn', 'Audit'] as const)(
    'T22 a policy that is not ready fails under its own mode: %s',
    async (mode) => {
      const policies = compile([clusterPolicy('prod', { mode, require: [signedBy('gone')] })]);
      const source = holding(signed());
      const verdict = await decideOn({ source, policies });
      expect(verdict.allowed).toBe(mode !== 'Enforce');
      expect(outcomes(verdict)).toEqual([`failed PolicyNotReady${mode === 'Enforce' ? ' blocks' : ''}`]);
      expect(source.resolved).toEqual([]);
    },
  );

  it('T22 a policy that is not ready is not waved through by onInconclusive, nor by its good requirements', async () => {
    const policies = compile([
      ...issuers,
      clusterPolicy('prod', { onInconclusive: 'Admit', require: [signedBy('acme'), sbomBy('gone')] }),
    ]);
    const verdict = await decideOn({ source: holding(signed()), policies });
    expect(verdict).toMatchObject({ allowed: false, outcome: 'denied' });
    expect(outcomes(verdict)).toEqual(['passed -', 'failed PolicyNotReady blocks']);
  });

  it('T22 a broken image pattern fails every image', async () => {
    const policies = withBrokenPattern({});
    const verdict = await decideOn({ source: holding(signed()), policies }, pod(['quay.io/other/app']));
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(['failed ImagePatternInvalid blocks']);
  });

  it.each([
    ['Admit', true, []],
    ['Warn', true, ['failed NoPolicyMatches']],
    ['Deny', false, ['failed NoPolicyMatches blocks']],
  ] as const)('noMatch %s: an image without a policy is admitted: %s', async (noMatch, allowed, expected) => {
    const source = new ScriptedSource();
    const policies = compile(
      [...issuers, clusterPolicy('p', { images: ['quay.io/**'], require: [signedBy('acme')] })],
      noMatch,
    );
    const verdict = await decideOn({ source, policies });
    expect(verdict.allowed).toBe(allowed);
    expect(outcomes(verdict)).toEqual(expected);
    expect(source.resolved).toEqual([]);
    expect((await decideOn({ source, policies: compile([], noMatch) })).allowed).toBe(allowed);
  });

  it("a tenant's own policy of which it is not known whether it applies lifts noMatch no more than one that does", async () => {
    const assert = [{ expression: 'true', message: 'm' }];
    const own = namespacedPolicy('shop', 'own', {
      mode: 'Audit',
      require: [{ name: 'sbom', sbom: { formats: ['SPDX'], issuers: ['acme'], assert } }],
    });
    const policies = compile([...issuers, own], 'Deny', namingNamespace);
    const verdict = await decideOn({ policies, labels: unknownLabels });
    expect(outcomes(verdict)).toEqual(['inconclusive NamespaceUnknown', 'failed NoPolicyMatches blocks']);
  });

  it('T22 a policy that does not say what it would select keeps no image from counting as unmatched', async () => {
    const broken = [unreadable('watching', 'Audit'), unreadable('warning', 'Warn')];
    const verdict = await decideOn({ policies: compile([], 'Deny', undefined, broken) });
    expect(verdict.outcome).toBe('denied');
    expect(outcomes(verdict)).toEqual([
      'failed PolicyInvalid',
      'failed PolicyInvalid',
      'failed NoPolicyMatches blocks',
    ]);
  });
});

describe('images that cannot be named', () => {
  it.each([
    'ｇｈｃｒ.io/acme/app',
    '0x7f.1/app',
    'ghcr.io:0443/acme/app',
    `sha256:${'ab'.repeat(32)}`,
    'Ghcr.io/acme/App',
    ' ',
  ])('T08 %j fails every policy in scope, also one for other images', async (text) => {
    const source = holding(signed());
    const policies = compile([
      ...issuers,
      clusterPolicy('p', { images: ['quay.io/**'], require: [signedBy('acme'), sbomBy('b')] }),
    ]);
    const verdict = await decideOn({ source, policies }, pod([text]));
    expect(verdict).toMatchObject({ allowed: false, outcome: 'denied' });
    expect(outcomes(verdict)).toEqual(Array(2).fill('failed ImageReferenceInvalid blocks'));
    expect(source.resolved).toEqual([]);
  });

  it('T14 fails for a digest of an unknown algorithm', async () => {
    const verdict = await decideOn({}, pod(['ghcr.io/acme/app@md5:5d41402abc4b2a76b9719d911017c592']));
    expect(outcomes(verdict)).toEqual(['failed DigestUnsupported blocks']);
  });

  it('leaves them to noMatch where no policy is in scope', async () => {
    expect((await decideOn({ policies: compile([], 'Deny') }, pod(['!']))).allowed).toBe(false);
    expect((await decideOn({ policies: compile([], 'Admit') }, pod(['!']))).allowed).toBe(true);
  });
});

describe('pinned', () => {
  const policies = compile([clusterPolicy('p', { require: [{ name: 'pinned', pinned: true }] })]);

  it('T01 asks for a digest in the workload itself, without asking a registry', async () => {
    const source = new ScriptedSource();
    expect(outcomes(await decideOn({ source, policies }))).toEqual(['failed NotPinned blocks']);
    expect(outcomes(await decideOn({ source, policies }, pod([`ghcr.io/acme/app@${image}`])))).toEqual([
      'passed -',
    ]);
    expect(source.resolved).toEqual([]);
  });
});

describe('the policies of a namespace', () => {
  const require = Array.from({ length: 16 }, (_, i) => ({ name: `pinned-${i}`, pinned: true }));
  const own = (mode: string): Fields[] =>
    Array.from({ length: 16 }, (_, i) => namespacedPolicy('shop', `p${i}`, { mode, require }));
  const images = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `ghcr.io/acme/app:${i}`);

  it('T39 bring no more checks of one workload than a review has time for', async () => {
    const policies = compile(own('Audit'));
    const few = await decideOn({ policies }, pod(images(32)));
    expect(few.images[0]?.checks).toHaveLength(256);
    const verdict = await decideOn({ policies }, pod(images(33)));
    expect(verdict.outcome).toBe('admitted');
    expect(verdict.images[0]?.checks).toHaveLength(16);
    expect(verdict.images[32]?.checks[0]).toMatchObject({
      policy: 'shop/p0',
      requirement: 'checks',
      outcome: 'failed',
      code: 'WorkloadInvalid',
      message:
        '33 images and 256 requirements of the ArtifactPolicies of namespace shop are more than 8192 checks: bring fewer images at a time, or unite requirements.',
    });
    const enforced = { policies: compile(own('Enforce')) };
    expect((await decideOn(enforced, pod(images(33)))).outcome).toBe('denied');
    const elsewhere = { ...pod(images(33)), namespace: 'other' };
    expect((await decideOn(enforced, elsewhere)).images[0]?.checks).toEqual([]);
  });

  it('T39 bring no more where it is not known whether they apply', async () => {
    const assert = [{ expression: 'true', message: 'm' }];
    const sboms = require.map(({ name }) => ({
      name,
      sbom: { formats: ['SPDX'], issuers: ['acme'], assert },
    }));
    const own = Array.from({ length: 16 }, (_, i) => namespacedPolicy('shop', `p${i}`, { require: sboms }));
    const policies = compile([...issuers, ...own], 'Admit', namingNamespace);
    const checksOf = async (count: number) =>
      (await decideOn({ policies, labels: unknownLabels }, pod(images(count)))).images[0]?.checks;
    expect(await checksOf(32)).toHaveLength(256);
    const checks = await checksOf(33);
    expect(checks).toHaveLength(16);
    expect(checks?.[0]).toMatchObject({
      requirement: 'checks',
      outcome: 'inconclusive',
      code: 'NamespaceUnknown',
      blocks: true,
    });
  });
});

describe('namespace labels', () => {
  const policies = signedPolicy({ namespaces: { matchLabels: { env: 'prod' } } });

  it('decide whether a policy applies', async () => {
    expect((await decideOn({ policies, labels: () => Promise.resolve({ env: 'prod' }) })).allowed).toBe(
      false,
    );
    expect((await decideOn({ policies, labels: () => Promise.resolve({ env: 'dev' }) })).allowed).toBe(true);
  });

  it.each([
    [
      'unknown',
      new RefwardenError('NamespaceUnknown', 'Namespace shop is not known yet.'),
      'NamespaceUnknown',
    ],
    ['lost to an error', new Error('secret'), 'InternalError'],
  ] as const)('T35 that are %s never count as none', async (_, error, code) => {
    const verdict = await decideOn({ policies, labels: () => Promise.reject(error) });
    expect(verdict).toMatchObject({ allowed: false, outcome: 'inconclusive' });
    expect(outcomes(verdict)).toEqual([`inconclusive ${code} blocks`]);
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  it('T35 that are unknown leave policies without a selector in force, and an Audit policy denies nothing', async () => {
    const audit = signedPolicy({ namespaces: { matchLabels: { env: 'prod' } }, mode: 'Audit' });
    const verdict = await decideOn({ policies: audit, labels: unknownLabels });
    expect(verdict.allowed).toBe(true);
    expect(outcomes(verdict)).toEqual(['inconclusive NamespaceUnknown']);
    const everywhere = compile([
      ...issuers,
      clusterPolicy('audit', {
        mode: 'Audit',
        namespaces: { matchLabels: { env: 'prod' } },
        require: [signedBy('acme')],
      }),
      clusterPolicy('prod', { require: [signedBy('acme')] }),
    ]);
    expect(outcomes(await decideOn({ policies: everywhere, labels: unknownLabels }))).toEqual([
      'failed SignatureMissing blocks',
      'inconclusive NamespaceUnknown',
    ]);
  });

  it.each([
    ['Admit', true, []],
    ['Warn', true, ['inconclusive NamespaceUnknown']],
    ['Deny', false, ['inconclusive NamespaceUnknown blocks']],
  ] as const)('T35 that are unknown do not put aside noMatch %s', async (noMatch, allowed, expected) => {
    const prod = { namespaces: { matchLabels: { env: 'prod' } }, require: [signedBy('acme')] };
    const audit = compile([...issuers, clusterPolicy('prod', { ...prod, mode: 'Audit' })], noMatch);
    for (const text of [imageText, '0x7f.1/app']) {
      const verdict = await decideOn({ policies: audit, labels: unknownLabels }, pod([text]));
      expect(verdict.allowed).toBe(allowed);
      expect(outcomes(verdict)).toEqual(['inconclusive NamespaceUnknown', ...expected]);
    }
    const elsewhere = compile(
      [...issuers, clusterPolicy('prod', { ...prod, images: ['quay.io/**'] })],
      noMatch,
    );
    expect((await decideOn({ policies: elsewhere, labels: unknownLabels })).allowed).toBe(allowed);
  });

  it('T35 that are unknown keep no image from counting as unmatched for a policy that does not say what it selects', async () => {
    const spec = { mode: 'Audit', namespaces: { matchLabels: { env: 'prod' } } };
    const verdict = await decideOn({ policies: withBrokenPattern(spec, 'Deny'), labels: unknownLabels });
    expect(verdict.outcome).toBe('denied');
    expect(outcomes(verdict)).toEqual(['inconclusive NamespaceUnknown', 'failed NoPolicyMatches blocks']);
  });

  it('T35 that do not arrive in time are inconclusive', async () => {
    const verdict = await decideOn({ policies, labels: never }, pod([imageText]), {
      signal: AbortSignal.abort(),
    });
    expect(verdict).toMatchObject({ allowed: false, outcome: 'inconclusive' });
    expect(outcomes(verdict)).toEqual(['inconclusive DeadlineExceeded blocks']);
  });

  it('are not asked for where no policy selects by them', async () => {
    let asked = 0;
    const labels = (): Promise<Record<string, string>> => Promise.resolve({ asked: String(++asked) });
    await decideOn({ labels });
    expect(asked).toBe(0);
  });
});

describe('without an answer', () => {
  const throws = (error: unknown): never => {
    throw error;
  };
  const unavailable = new RefwardenError('RegistryUnavailable', 'ghcr.io answered 503.');

  it('T28 denies before policies are loaded', async () => {
    const verdict = await decideOn({ policies: undefined, source: holding(signed()) });
    expect(verdict).toMatchObject({
      allowed: false,
      outcome: 'inconclusive',
      failure: { code: 'PoliciesNotLoaded', message: 'No policies have been loaded yet.' },
    });
  });

  it('T28 denies when the policies cannot be asked for', async () => {
    const ports = portsOf({});
    const { decide } = await import('../../src/admission/decide.ts');
    const verdict = await decide(
      pod([imageText]),
      { ...ports, policies: { snapshot: () => throws(new Error('secret')) } },
      { signal: new AbortController().signal },
    );
    expect(verdict).toMatchObject({ allowed: false, failure: { code: 'InternalError' } });
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  const faults: [string, ScriptedSource, FailureCode][] = [
    [
      'resolving throws',
      new ScriptedSource({ resolve: () => Promise.reject(unavailable) }),
      'RegistryUnavailable',
    ],
    [
      'resolving throws at once',
      new ScriptedSource({ resolve: () => throws(unavailable) }),
      'RegistryUnavailable',
    ],
    [
      'resolving throws what is not ours',
      new ScriptedSource({ resolve: () => Promise.reject(new TypeError('secret')) }),
      'InternalError',
    ],
    ['listing throws', new ScriptedSource({ referrers: () => throws(unavailable) }), 'RegistryUnavailable'],
    [
      'listing throws what is not ours',
      new ScriptedSource({ referrers: () => throws(new TypeError('secret')) }),
      'InternalError',
    ],
    ['listing throws undefined', new ScriptedSource({ referrers: () => throws(undefined) }), 'InternalError'],
    [
      'the list breaks off',
      new ScriptedSource({
        referrers: async function* () {
          yield await Promise.resolve(unusable('SubjectMissing'));
          throw unavailable;
        },
      }),
      'RegistryUnavailable',
    ],
    [
      'the list ends without its end',
      new ScriptedSource({ referrers: () => [unusable('SubjectMissing')] }),
      'InternalError',
    ],
    ['the list is empty', new ScriptedSource({ referrers: () => [] }), 'InternalError'],
    [
      'the list is incomplete',
      new ScriptedSource({
        referrers: () => [
          end({ complete: false, failures: [failure('TooManyReferrers', 'More than 1000.')] }),
        ],
      }),
      'TooManyReferrers',
    ],
    [
      'the list is incomplete for no reason',
      new ScriptedSource({ referrers: () => [end({ complete: false })] }),
      'InternalError',
    ],
    [
      'the indexes cannot be asked for',
      new ScriptedSource({ parents: () => throws(unavailable) }),
      'RegistryUnavailable',
    ],
    [
      'the list of indexes is incomplete',
      new ScriptedSource({
        parents: () => [end({ complete: false, failures: [failure('RegistryTimeout', 'Late.')] })],
      }),
      'RegistryTimeout',
    ],
    ['the list of indexes ends without its end', new ScriptedSource({ parents: () => [] }), 'InternalError'],
  ];

  it.each(faults)('T28 is inconclusive and not allowed when %s', async (_, source, code) => {
    const verdict = await decideOn({ source });
    expect(verdict).toMatchObject({ allowed: false, outcome: 'inconclusive' });
    expect(outcomes(verdict)).toEqual([`inconclusive ${code} blocks`]);
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  it.each(faults)(
    'T28 onInconclusive: Admit lets through what a registry could not answer, never a defect: %s',
    async (_, source, code) => {
      const verdict = await decideOn({ source, policies: signedPolicy({ onInconclusive: 'Admit' }) });
      // Whoever may push can cause TooManyReferrers.
      const isWaived = code !== 'InternalError' && code !== 'TooManyReferrers';
      expect(verdict.allowed).toBe(isWaived);
      expect(verdict.images[0]?.checks).toMatchObject([{ outcome: 'inconclusive', code, blocks: !isWaived }]);
    },
  );

  it('T28 is certain about a failure beside something inconclusive', async () => {
    const source = new ScriptedSource({ resolve: () => Promise.reject(unavailable) });
    const policies = compile([
      ...issuers,
      clusterPolicy('p', { require: [signedBy('acme'), { name: 'pinned', pinned: true }] }),
    ]);
    const verdict = await decideOn({ source, policies });
    expect(verdict.outcome).toBe('denied');
    expect(outcomes(verdict)).toEqual(['inconclusive RegistryUnavailable blocks', 'failed NotPinned blocks']);
  });

  it.each([
    ['RegistryUnavailable', true],
    ['RegistryTimeout', true],
    ['ImageNotFound', false],
    ['RegistryUnauthorized', false],
    ['RegistryRateLimited', false],
    ['RegistryRefused', false],
    ['RegistryProtocolError', false],
    ['Overloaded', false],
    ['RequestBudgetSpent', false],
    ['DeadlineExceeded', false],
    ['RevocationUnknown', false],
  ] as const)(
    'T28 onInconclusive: Admit waives a registry that fails, and nothing that others can cause: %s',
    async (code, allowed) => {
      const policies = signedPolicy({ onInconclusive: 'Admit' });
      const source = new ScriptedSource({
        resolve: () => Promise.reject(new RefwardenError(code, 'So it is.')),
      });
      expect((await decideOn({ source, policies })).allowed).toBe(allowed);
      const failures = [failure('RegistryUnavailable', 'Down.'), failure(code, 'So it is.')];
      const gaps = new ScriptedSource({ referrers: () => [end({ complete: false, failures })] });
      expect((await decideOn({ source: gaps, policies })).allowed).toBe(allowed);
    },
  );

  it('T28 a registry that resolves to content of another digest is never waved through', async () => {
    const source = new ScriptedSource({
      resolve: () => Promise.reject(new RefwardenError('DigestMismatch', 'Other bytes.')),
    });
    const verdict = await decideOn({ source, policies: signedPolicy({ onInconclusive: 'Admit' }) });
    expect(outcomes(verdict)).toEqual(['inconclusive DigestMismatch blocks']);
  });

  it.each([
    ['throws', { ...plainVerifier, verify: () => throws(new Error('secret')) }],
    ['rejects', { ...plainVerifier, verify: () => Promise.reject(new Error('secret')) }],
    ['throws when asked what it needs', { ...plainVerifier, needs: () => throws(new Error('secret')) }],
  ])('T28 a verifier that %s proves nothing', async (_, verifier) => {
    const verdict = await decideOn({
      source: holding(signed()),
      verifier,
      policies: signedPolicy({ onInconclusive: 'Admit' }),
    });
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(['inconclusive InternalError blocks']);
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  it.each<[string, ScriptedSource]>([
    ['resolving', new ScriptedSource({ resolve: never })],
    [
      'listing',
      new ScriptedSource({
        referrers: async function* () {
          yield await never<ReferrerEvent>();
        },
      }),
    ],
    [
      'listing after junk',
      new ScriptedSource({
        referrers: async function* () {
          yield unusable('SubjectMissing');
          yield await never<ReferrerEvent>();
        },
      }),
    ],
    [
      'the indexes',
      new ScriptedSource({
        parents: async function* () {
          yield await never();
        },
      }),
    ],
    ['a layer', holding({ ...signed(), fetchLayer: never })],
  ])('T28 answers when its time is up, though %s never ends', async (_, source) => {
    const ending = new AbortController();
    const deciding = decideOn({ source }, pod([imageText]), { signal: ending.signal });
    setImmediate(() => {
      ending.abort();
    });
    const verdict = await deciding;
    expect(verdict).toMatchObject({ allowed: false, outcome: 'inconclusive' });
    expect(outcomes(verdict)).toEqual(['inconclusive DeadlineExceeded blocks']);
    expect(verdict.images[0]?.checks[0]?.message).toBe(
      'The decision was not reached within the time that the caller gave.',
    );
  });

  it('T28 answers when its time is up, though a verifier never ends', async () => {
    const ending = new AbortController();
    const deciding = decideOn(
      { source: holding(signed()), verifier: { ...plainVerifier, verify: never } },
      pod([imageText]),
      { signal: ending.signal },
    );
    setImmediate(() => {
      ending.abort();
    });
    expect(outcomes(await deciding)).toEqual(['inconclusive DeadlineExceeded blocks']);
  });

  it('T28 is out of time for every image when its time was up before it began', async () => {
    const source = new ScriptedSource({ resolve: never });
    const verdict = await decideOn(
      { source },
      pod(Array.from({ length: 40 }, (_, i) => `ghcr.io/acme/app:${i}`)),
      { signal: AbortSignal.abort() },
    );
    expect(verdict.allowed).toBe(false);
    expect(outcomes(verdict)).toEqual(Array(40).fill('inconclusive DeadlineExceeded blocks'));
  });

  it('T39 asks registries on the account of the namespace', async () => {
    const tenants: string[] = [];
    const source = new ScriptedSource({
      resolve: (_, { tenant }) => {
        tenants.push(tenant);
        return Promise.resolve({ digest: image });
      },
    });
    await decideOn({ source }, pod([imageText], { namespace: 'payments' }));
    expect(tenants).toEqual(['payments']);
  });
});
