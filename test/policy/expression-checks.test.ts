import { describe, expect, it } from 'vitest';
import { ExpressionChecks } from '../../src/policy/expression-checks.ts';
import { installationTenant, Turn } from '../../src/scheduling/fair-queue.ts';
import { clusterPolicy, keyIssuer, parse } from './sample-resources.ts';

const turn = new Turn(installationTenant);
const policyOf = (...expressions: string[]) =>
  parse(
    clusterPolicy('p', {
      require: [
        {
          name: 'sbom',
          sbom: {
            formats: ['SPDX'],
            issuers: ['acme'],
            assert: expressions.map((expression) => ({ expression, message: 'm' })),
          },
        },
      ],
    }),
  );

/** Counts what it checks; each takes its time. */
function counted(durationMs = 0): { readonly checks: ExpressionChecks; readonly asked: string[] } {
  const asked: string[] = [];
  const checks = new ExpressionChecks((expression, scope) => {
    asked.push(`${scope} ${expression}`);
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs);
    return { uses: [] };
  });
  return { checks, asked };
}

describe('ExpressionChecks', () => {
  it('checks each expression once for as long as a policy has it', async () => {
    const { checks, asked } = counted();
    await checks.prepare(
      [keyIssuer('acme'), clusterPolicy('none', { require: [{ name: 'p', pinned: true }] })].map(parse),
      turn,
    );
    expect(asked).toEqual([]);
    await checks.prepare([policyOf('a', 'b')], turn);
    await checks.prepare([policyOf('b', 'c', 'a'), policyOf('c')], turn);
    expect(checks.of('b', 'assert')).toEqual({ uses: [] });
    expect(asked).toEqual(['assert a', 'assert b', 'assert c']);
    await checks.prepare([policyOf('b')], turn);
    await checks.prepare([policyOf('a', 'b')], turn);
    expect(asked).toEqual(['assert a', 'assert b', 'assert c', 'assert a']);
  });

  it('knows the expressions of every place that has some, by scope', async () => {
    const { checks, asked } = counted();
    const attestation = (expression: string) => ({
      attestation: {
        predicateType: 'https://acme.example/t',
        issuers: ['acme'],
        assert: [{ expression, message: 'm' }],
      },
    });
    const policy = clusterPolicy('p', {
      require: [
        { name: 'one', ...attestation('a') },
        { name: 'either', anyOf: [attestation('b'), { pinned: true }] },
      ],
      crossChecks: [{ expression: 'a', message: 'm' }],
    });
    await checks.prepare([parse(policy)], turn);
    expect(asked).toEqual(['assert a', 'assert b', 'crossCheck a']);
    checks.of('a', 'crossCheck');
    expect(asked).toHaveLength(3);
    checks.of('b', 'crossCheck');
    expect(asked).toHaveLength(4);
  });

  it('T30 lets others have their turn', async () => {
    const { checks, asked } = counted(6);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await checks.prepare([policyOf('a', 'b', 'c', 'd', 'e')], turn);
    clearImmediate(next);
    expect(asked).toHaveLength(5);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
