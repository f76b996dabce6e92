import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../../src/admission/admission-review.ts';
import { reviewResource } from '../../src/admission/review-resource.ts';
import type { ReviewAnswer } from '../../src/admission/answer.ts';
import { failure, RefwardenError } from '../../src/failures/failure.ts';
import type { JsonObject } from '../../src/oci/strict-json.ts';
import type { CompileSupport } from '../../src/policy/compile.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import {
  clusterPolicy,
  compile,
  exception,
  issuer,
  keyIssuer,
  namespacedPolicy,
  parse,
  signedBy,
  trusting,
} from '../policy/sample-resources.ts';
import type { Fields } from '../policy/sample-resources.ts';
import type { Labels } from '../../src/policy/selector.ts';
import { startMs } from './sample-decision.ts';

const inForce = compile([keyIssuer('acme', 'a key'), clusterPolicy('prod', { require: [signedBy('acme')] })]);
const day = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

const labelsOf = (name: string): Promise<Labels> =>
  name.startsWith('shop')
    ? Promise.resolve({})
    : Promise.reject(
        name === 'down'
          ? new RefwardenError('ClusterUnavailable', 'The API server is down.')
          : new RefwardenError('NamespaceUnknown', `${name} does not exist.`),
      );

function ask(
  object: Fields,
  change: Partial<AdmissionRequest> = {},
  support: Partial<CompileSupport> = {},
  known: readonly Fields[] = [],
  {
    snapshot = () => inForce,
    labels = labelsOf,
  }: { snapshot?: () => PolicySnapshot; labels?: (namespace: string) => Promise<Labels> } = {},
): Promise<ReviewAnswer> {
  const { kind, metadata } = object as { kind: string; metadata: { name: string; namespace?: string } };
  const request: AdmissionRequest = {
    uid: 'u',
    operation: 'CREATE',
    dryRun: false,
    username: 'somebody',
    kind: { group: 'refwarden.dev', version: 'v1alpha1', kind },
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    object: object as JsonObject,
    ...change,
  };
  const ports = {
    snapshot,
    support: () => ({ ...trusting, ...support }),
    resources: () => known.map(parse),
    clock: { nowMs: () => startMs },
    namespaces: { labels },
  };
  return reviewResource(request, ports, { signal: AbortSignal.timeout(10_000) });
}

const hotfix = (spec: Fields, metadata?: Fields): Fields =>
  exception(
    'hotfix',
    { images: [`ghcr.io/acme/app@sha256:${'a'.repeat(64)}`], expiresAt: at(startMs + day), ...spec },
    metadata,
  );

describe('reviewResource', () => {
  it.each<[string, Fields]>([
    ['a policy', clusterPolicy('new', { require: [signedBy('acme')] })],
    ['an issuer', keyIssuer('other')],
    ['an exception', hotfix({})],
  ])('has nothing to say of %s that does what it says', async (_what, object) => {
    expect(await ask(object)).toEqual({ allowed: true, message: '', warnings: [], auditAnnotations: {} });
  });

  it('refuses what its schema refuses, where the API server could not say so', async () => {
    const answer = await ask(clusterPolicy('new', { require: [] }));
    expect(answer.allowed).toBe(false);
    expect(answer.message).toMatch(/^PolicyInvalid: cluster: ClusterArtifactPolicy new: spec\.require/);
    const { message } = await ask(namespacedPolicy('shop', 'new', { require: [] }));
    expect(message).toMatch(/^PolicyInvalid: namespace shop: ArtifactPolicy new: spec\.require/);
  });

  it('refuses an expression that does not compile', async () => {
    const policy = clusterPolicy('new', {
      require: [
        {
          name: 'scan',
          attestation: {
            predicateType: 'https://x',
            issuers: ['acme'],
            assert: [{ expression: 'x +', message: 'm' }],
          },
        },
      ],
    });
    const checkExpression = (): ReturnType<typeof failure> =>
      failure('ExpressionInvalid', 'It ends too early.');
    const answer = await ask(policy, {}, { checkExpression });
    expect(answer.message).toMatch(/^ExpressionInvalid: scan: assert\[0\]: It ends too early\.\n/);
  });

  it('warns of an issuer that is not there yet', async () => {
    const answer = await ask(clusterPolicy('new', { require: [signedBy('later')] }));
    expect(answer).toMatchObject({
      allowed: true,
      warnings: ['PolicyNotReady: signed: There is no TrustedIssuer later.'],
    });
  });

  it('refuses an issuer whose key is none, and warns of material that may come', async () => {
    const invalid = await ask(
      keyIssuer('new'),
      {},
      { check: () => failure('IssuerInvalid', 'The key does not parse.') },
    );
    expect(invalid.message).toMatch(/^IssuerInvalid: TrustedIssuer new: The key does not parse\.\n/);
    const keyless = issuer('new', {
      keyless: {
        identities: [{ issuer: 'https://issuer.example', subject: 'a@example.com' }],
        trustedRoot: { configMap: { name: 'root' } },
      },
    });
    const waiting = await ask(
      keyless,
      {},
      { material: () => failure('TrustMaterialMissing', 'There is no ConfigMap root.') },
    );
    expect(waiting.warnings).toEqual([
      'TrustMaterialMissing: TrustedIssuer new: There is no ConfigMap root.',
    ]);
  });

  it('warns of material that somebody else may mend', async () => {
    const keyless = issuer('new', {
      keyless: {
        identities: [{ issuer: 'https://issuer.example', subject: 'a@example.com' }],
        trustedRoot: { configMap: { name: 'root' } },
      },
    });
    const material = (): ReturnType<typeof failure> =>
      failure('TrustMaterialInvalid', 'ConfigMap root has no key trusted_root.json.');
    expect(await ask(keyless, {}, { material })).toMatchObject({
      allowed: true,
      warnings: ['TrustMaterialInvalid: TrustedIssuer new: ConfigMap root has no key trusted_root.json.'],
    });
  });

  it.each<[string, string[]]>([
    ['before', ['waits', 'broken']],
    ['after', ['broken', 'waits']],
  ])('refuses what is wrong for good, also %s what may become right', async (_where, names) => {
    const require = names.map((name) => ({
      name,
      attestation: {
        predicateType: 'https://x',
        issuers: [name === 'waits' ? 'later' : 'acme'],
        assert: [{ expression: name === 'waits' ? 'true' : 'x +', message: 'm' }],
      },
    }));
    const checkExpression: CompileSupport['checkExpression'] = (expression) =>
      expression === 'x +' ? failure('ExpressionInvalid', 'It ends too early.') : { uses: [] };
    const answer = await ask(clusterPolicy('new', { require }), {}, { checkExpression });
    expect(answer).toMatchObject({ allowed: false, warnings: [] });
    expect(answer.message).toMatch(/^ExpressionInvalid: broken: assert\[0\]: It ends too early\.\n/);
  });

  it('warns of everything that a policy waits for', async () => {
    const require = ['first', 'second'].map((name) => ({ name, signature: { issuers: [`${name}-issuer`] } }));
    expect((await ask(clusterPolicy('new', { require }))).warnings).toEqual([
      'PolicyNotReady: first: There is no TrustedIssuer first-issuer.',
      'PolicyNotReady: second: There is no TrustedIssuer second-issuer.',
    ]);
  });

  it('takes what has a name that is still to be generated, and refuses it for what it says alone', async () => {
    const generated = (spec: Fields): Fields => ({
      ...clusterPolicy('', spec),
      metadata: { generateName: 'new-' },
    });
    const request = { name: '' };
    expect(await ask(generated({ require: [signedBy('acme')] }), request)).toMatchObject({
      allowed: true,
      warnings: [],
    });
    const { message } = await ask(generated({ require: [] }), request);
    expect(message).toMatch(/^PolicyInvalid: cluster: ClusterArtifactPolicy generated: spec\.require/);
    expect(message).not.toContain('metadata');
  });

  it('T10 has no TUF mirror read by a review', async () => {
    const mirrored = issuer('new', {
      keyless: {
        identities: [{ issuer: 'https://issuer.example', subject: 'a@example.com' }],
        trustedRoot: { tuf: { mirror: 'https://tuf-repo-cdn.sigstore.dev' } },
      },
    });
    const asked: string[] = [];
    const material = ({ kind }: { kind: string }): string => {
      asked.push(kind);
      return 'a root';
    };
    expect((await ask(mirrored, {}, { material })).warnings).toEqual([
      'TrustMaterialMissing: TrustedIssuer new: Its TUF mirror is read once it is applied.',
    ]);
    expect(asked).toEqual([]);
  });

  it('warns when an issuer is deleted that policies ask for', async () => {
    const asking = [
      clusterPolicy('prod', { require: [signedBy('acme')] }),
      namespacedPolicy('shop', 'own', {
        require: [
          { name: 'either', anyOf: ['other', 'acme'].map((name) => ({ signature: { issuers: [name] } })) },
        ],
      }),
      clusterPolicy('else', { require: [signedBy('other')] }),
    ];
    const deletion = { operation: 'DELETE', object: undefined } as unknown as Partial<AdmissionRequest>;
    const answer = await ask(keyIssuer('acme'), deletion, {}, asking);
    expect(answer).toMatchObject({
      allowed: true,
      warnings: [
        'TrustedIssuer acme is asked for by ClusterArtifactPolicy prod, ArtifactPolicy own of namespace shop: what they select is refused, under their mode, until there is one of this name again.',
      ],
    });
    expect((await ask(keyIssuer('unused'), deletion, {}, asking)).warnings).toEqual([]);
    const ofCollection = { ...deletion, name: '', oldObject: keyIssuer('acme') as JsonObject };
    expect((await ask(keyIssuer('acme'), ofCollection, {}, asking)).warnings).toHaveLength(1);
    const many = Array.from({ length: 12 }, (_, i) =>
      clusterPolicy(`p${i}`, { require: [signedBy('acme')] }),
    );
    expect((await ask(keyIssuer('acme'), deletion, {}, many)).warnings[0]).toMatch(/ p9 and 2 more: /);
  });

  it('says nothing of an issuer that was applied just before, and is seen a moment later', async () => {
    const later = compile([keyIssuer('acme', 'a key'), keyIssuer('new', 'another')]);
    let looked = 0;
    const snapshot = (): PolicySnapshot => (++looked > 3 ? later : inForce);
    const policy = clusterPolicy('p', { require: [signedBy('new')] });
    expect((await ask(policy, {}, {}, [], { snapshot })).warnings).toEqual([]);
    expect((await ask(policy)).warnings).toEqual(['PolicyNotReady: signed: There is no TrustedIssuer new.']);
  });

  it('T39 lets others have their turn while issuers are compared, and does not compare for ever', async () => {
    const identities = (part: Fields): Fields[] =>
      Array.from({ length: 16 }, (_, i) => ({
        issuer: 'https://idp.example',
        ...Object.fromEntries(Object.entries(part).map(([name, text]) => [name, `${String(text)}${i}`])),
      }));
    const others = Array.from({ length: 300 }, (_, i) =>
      issuer(`i${i}`, {
        keyless: { identities: identities({ subject: `https://${'a'.repeat(900)}/${i}/` }) },
      }),
    );
    const inForce = compile(others);
    const heavy = issuer('heavy', {
      keyless: { identities: identities({ subjectPattern: '(?:[a-z0-9.:/]{0,900}x)?y' }) },
    });
    let longestMs = 0;
    let lastMs = performance.now();
    const ticking = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs);
      lastMs = performance.now();
    }, 5);
    const beganMs = performance.now();
    const { warnings } = await ask(heavy, {}, {}, [], { snapshot: () => inForce });
    clearInterval(ticking);
    expect(warnings).toEqual([
      'Whether another TrustedIssuer trusts some of the same could not be told in time.',
    ]);
    const tookMs = performance.now() - beganMs;
    expect(longestMs).toBeLessThan(tookMs / 3);
  });

  it('warns of two issuers that trust the same', async () => {
    expect((await ask(keyIssuer('acme-too', 'a key'))).warnings).toEqual([
      'TrustedIssuer acme trusts some of the same: a signature counts once for minimumIssuers, whichever of the two is named.',
    ]);
    expect((await ask(keyIssuer('acme', 'a key'))).warnings).toEqual([]);
  });

  it.each<[string, Fields, string]>([
    [
      'lasts too long',
      hotfix({ expiresAt: at(startMs + 90 * day + 1000) }),
      'is more than 90 days after the exception was made: 2026-08-30T12:00:00Z is the latest',
    ],
    [
      'is extended beyond its age',
      hotfix({}, { creationTimestamp: at(startMs - 89.5 * day) }),
      'is more than 90 days',
    ],
  ])('T23 refuses an exception that %s', async (_what, object, message) => {
    expect((await ask(object)).message).toContain(message);
  });

  it('warns of an exception that has ended: a repository may hold it, and apply all of it anew', async () => {
    const ended = at(startMs);
    expect(await ask(hotfix({ expiresAt: ended }))).toMatchObject({
      allowed: true,
      warnings: [`It excepts nothing: spec.expiresAt ${ended} has passed.`],
    });
  });

  it('warns of an exception in a namespace that there is not', async () => {
    const { warnings } = await ask(hotfix({ namespaces: ['shop', 'shpo', 'down', 'shop-test'] }));
    expect(warnings).toEqual(['spec.namespaces: shpo does not exist.']);
  });

  it('T39 asks for few namespaces of an exception at once', async () => {
    let [asked, most] = [0, 0];
    const namespaces = Array.from({ length: 12 }, (_, i) => `shop-${i}`);
    const answer = await ask(hotfix({ namespaces }), {}, {}, [], {
      labels: async (name) => {
        most = Math.max(most, ++asked);
        await setImmediate();
        asked--;
        return labelsOf(name);
      },
    });
    expect([answer.warnings, most]).toEqual([[], 4]);
  });

  it('warns of an exception that names no digest, or what is not there', async () => {
    const policies = [
      { name: 'prod', requirements: ['sbom'] },
      { name: 'staging', requirements: ['All'] },
    ];
    expect((await ask(hotfix({ images: ['ghcr.io/acme/app:1'], policies }))).warnings).toEqual([
      'ClusterArtifactPolicy prod has no requirement sbom.',
      'There is no ClusterArtifactPolicy staging.',
      'ghcr.io/acme/app:1 names no digest: whatever the tag means next is excepted, too.',
    ]);
  });

  it('refuses a policy that is too large, before it looks at any expression', async () => {
    const assert = Array.from({ length: 16 }, (_, i) => ({ expression: `${i}`.padEnd(4096), message: 'm' }));
    const attestation = { predicateType: 'x', issuers: ['acme'], assert };
    const require = ['a', 'b', 'c'].map((name) => ({ name, attestation }));
    const checkExpression = (): never => {
      throw new Error('an expression was checked');
    };
    const { allowed, message } = await ask(clusterPolicy('large', { require }), {}, { checkExpression });
    expect(allowed).toBe(false);
    expect(message).toContain('PolicyInvalid: It has more than 131072 characters of expressions');
  });

  describe('T30 counts the policies of a namespace together', () => {
    const names = Array.from({ length: 64 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const one = (name: string, namespace = 'shop'): Fields =>
      namespacedPolicy(namespace, name, { require: [signedBy('acme')] });
    const full = names.map((name) => one(name));
    const tooMany =
      'With it the ArtifactPolicies of namespace shop, in the order of their names, have more than';

    it('and refuses one too many', async () => {
      const { message } = await ask(one('p99'), {}, {}, full);
      expect(message).toContain(`PolicyInvalid: ${tooMany} 64 policies: unite policies or shorten them.`);
    });

    it('and one that says no namespace but is made in it', async () => {
      const unnamed = { ...one('p99'), metadata: {} };
      const { message } = await ask(unnamed, { name: 'p99', namespace: 'shop' }, {}, full);
      expect(message).toContain(`PolicyInvalid: ${tooMany} 64 policies`);
    });

    it('and one whose name comes before those that it would oust', async () => {
      const { message } = await ask(one('a'), {}, {}, full);
      expect(message).toContain(`PolicyInvalid: It leaves no room for p63. ${tooMany} 64 policies`);
    });

    it.each<[string, Fields, readonly Fields[]]>([
      ['an update of one of them', one('p63'), full],
      ['one of another namespace', one('p99', 'other'), full],
      ['an update where there are too many already', one('p70'), [...full, one('p70')]],
    ])('and takes %s', async (_what, object, known) => {
      expect(await ask(object, {}, {}, known)).toMatchObject({ allowed: true, warnings: [] });
    });
  });

  it('refuses to prolong an exception beyond what one may last', async () => {
    const made = { creationTimestamp: at(startMs) };
    const old = hotfix({ expiresAt: at(startMs + day) }, made);
    const update = { operation: 'UPDATE', oldObject: old as JsonObject } as const;
    expect((await ask(hotfix({ expiresAt: at(startMs + 80 * day) }, made), update)).allowed).toBe(true);
    const { message } = await ask(hotfix({ expiresAt: at(startMs + 91 * day) }, made), update);
    expect(message).toMatch(
      /is more than 90 days after .* is the latest\. To except longer, make another one\./,
    );
  });

  it('lets an exception that has ended be changed otherwise', async () => {
    const ended = hotfix({ expiresAt: at(startMs - day) });
    const changed = hotfix({ expiresAt: at(startMs - day), reason: 'INC-4712' });
    const update = { operation: 'UPDATE', oldObject: ended as JsonObject } as const;
    expect((await ask(changed, update)).allowed).toBe(true);
  });

  it('lets an exception of when they could last longer be changed otherwise', async () => {
    const expiresAt = at(startMs + 200 * day);
    const update = { operation: 'UPDATE', oldObject: hotfix({ expiresAt }) as JsonObject } as const;
    expect((await ask(hotfix({ expiresAt, reason: 'INC-4712' }), update)).allowed).toBe(true);
  });

  it('lets pass what says the same as before, or is being deleted', async () => {
    const broken = clusterPolicy('old', { require: [] });
    const labelled = { ...broken, metadata: { name: 'old', labels: { a: 'b' } } };
    const update = { operation: 'UPDATE', oldObject: broken as JsonObject } as const;
    expect((await ask(labelled, update)).allowed).toBe(true);
    const deleted = {
      ...broken,
      metadata: { name: 'old', deletionTimestamp: at(startMs) },
    } as unknown as JsonObject;
    const finalizing = clusterPolicy('old', { require: [], images: ['a'] });
    expect((await ask(finalizing, { operation: 'UPDATE', oldObject: deleted })).allowed).toBe(true);
    expect((await ask(broken, { operation: 'DELETE' })).allowed).toBe(true);
  });

  it('T28 refuses what makes it fail', async () => {
    const answer = await ask(
      keyIssuer('new'),
      {},
      {
        check: () => {
          throw new Error('a fault of ours');
        },
      },
    );
    expect(answer).toMatchObject({ allowed: false });
    expect(answer.message).toMatch(/^InternalError: /);
  });
});
