import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/reference.ts';
import { candidatePolicies } from '../../src/policy/policy-index.ts';
import { installationTenant, Turn } from '../../src/scheduling/fair-queue.ts';
import { ExpressionChecks } from '../../src/policy/expression-checks.ts';
import { selectsImage } from '../../src/policy/match.ts';
import { notReadyOf } from '../../src/policy/not-ready.ts';
import type { CompiledPolicy, PolicySnapshot } from '../../src/policy/snapshot.ts';
import { clusterPolicy, compile, keyIssuer, namespacedPolicy, parse, signedBy } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

const issuers = [keyIssuer('acme')];
const images = ['ghcr.io/acme/**'];
const many = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(4, '0')}`);
const policies = (count: number, spec: Fields = {}, namespace = 'shop'): Fields[] =>
  many(count, 'p').map((name) =>
    namespacedPolicy(namespace, name, { images, require: [signedBy('acme')], ...spec }),
  );
const withExpressions = (count: number, length: number): Fields => ({
  require: many(count, 'r').map((name, i) => ({
    name,
    attestation: {
      predicateType: 'x',
      issuers: ['acme'],
      assert: [{ expression: `${i}`.padEnd(length, ' '), message: 'm' }],
    },
  })),
});
const problemsOf = (snapshot: PolicySnapshot): Record<string, string> =>
  Object.fromEntries(
    snapshot.policies.flatMap((policy): [string, string][] =>
      notReadyOf(policy).map(({ failure }) => [policy.name, failure.message]),
    ),
  );
const inForce = ({ index }: PolicySnapshot, namespace: string): readonly CompiledPolicy[] =>
  candidatePolicies(index, namespace, 'ghcr.io');

describe('T30 the policies of one namespace', () => {
  it.each([
    ['policies', policies(66), 64, '64 policies'],
    [
      'patterns',
      policies(5, { images: many(64, 'ghcr.io/a/'), excludeImages: many(64, 'ghcr.io/b/') }),
      4,
      '512 image patterns',
    ],
    [
      'requirements',
      policies(17, { require: many(16, 'r').map((name) => ({ ...signedBy('acme'), name })) }),
      16,
      '256 requirements and alternatives',
    ],
    ['expressions', policies(9, withExpressions(4, 4000)), 8, '131072 characters of expressions'],
  ])(
    'are compiled as far as they keep the bound on %s; the others refuse every image',
    (_what, resources, within, said) => {
      const snapshot = compile([...issuers, ...resources, ...policies(1, {}, 'other')]);
      const problems = problemsOf(snapshot);
      expect(Object.keys(problems)).toEqual(many(resources.length, 'p').slice(within));
      for (const problem of Object.values(problems)) {
        expect(problem).toBe(
          `With it the ArtifactPolicies of namespace shop, in the order of their names, have more than ${said}: unite policies or shorten them.`,
        );
      }
      // However many are beyond, one stands for them, and whatever they guard is refused.
      expect(inForce(snapshot, 'shop')).toHaveLength(within + 1);
      const standIn = inForce(snapshot, 'shop').find((policy) => notReadyOf(policy).length > 0);
      expect(standIn).toMatchObject({ mode: 'Enforce', workloads: 'All', onInconclusive: 'Deny' });
      expect(standIn && selectsImage(standIn, parseImageReference('quay.io/any/image'))).toBe(true);
      expect(inForce(snapshot, 'other')).toHaveLength(1);
    },
  );

  it('of each mode are stood for, so that the strictest counts', () => {
    const beyond = policies(66, { mode: 'Audit' }).map((policy, i) =>
      i === 65 ? { ...policy, spec: { ...(policy['spec'] as Fields), mode: 'Enforce' } } : policy,
    );
    const snapshot = compile([...issuers, ...beyond]);
    expect(inForce(snapshot, 'shop').filter((policy) => notReadyOf(policy).length > 0)).toMatchObject([
      { mode: 'Audit' },
      { mode: 'Enforce' },
    ]);
  });

  it('cost no check of an expression where they are not compiled', async () => {
    const asked: string[] = [];
    const checks = new ExpressionChecks((expression) => {
      asked.push(expression);
      return { uses: [] };
    });
    const applied = policies(40, withExpressions(16, 4000)).map(parse);
    await checks.prepare(applied, new Turn(installationTenant));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.join('').length).toBeLessThanOrEqual(128 * 1024);
  });
});

it('T30 a cluster policy that is too large guards what it guards, and refuses it', () => {
  const assert = many(16, 'a').map((name) => ({ expression: name.padEnd(4096, ' '), message: 'm' }));
  const attestation = { predicateType: 'x', issuers: ['acme'], assert };
  const spec = {
    images,
    namespaces: { matchLabels: { guarded: 'yes' } },
    require: many(3, 'r').map((name) => ({ name, attestation })),
  };
  const [policy] = compile([...issuers, clusterPolicy('all', spec)]).policies;
  expect(policy).toMatchObject({
    name: 'all',
    namespaces: { matchLabels: { guarded: 'yes' } },
    images: [{ text: 'ghcr.io/acme/**' }],
  });
  expect(policy && notReadyOf(policy)[0]?.failure).toEqual({
    code: 'PolicyInvalid',
    message: 'It has more than 131072 characters of expressions: unite policies or shorten them.',
  });
});
