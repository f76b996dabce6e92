import { describe, expect, it } from 'vitest';
import type { NamespaceSelector } from '../../src/policy/model/artifact-policy.ts';
import { selectsLabels } from '../../src/policy/selector.ts';

const prod = { env: 'prod', team: 'shop', empty: '' };
const one = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  ...values: string[]
): NamespaceSelector => ({
  matchExpressions: [{ key, operator, ...(values.length === 0 ? {} : { values }) }],
});

// As k8s.io/apimachinery's LabelSelectorAsSelector answers.
describe('selectsLabels', () => {
  it.each<[NamespaceSelector, boolean]>([
    [{}, true],
    [{ matchLabels: {} }, true],
    [{ matchExpressions: [] }, true],
    [{ matchLabels: { env: 'prod' } }, true],
    [{ matchLabels: { env: 'prod', team: 'shop' } }, true],
    [{ matchLabels: { env: 'prod', team: 'other' } }, false],
    [{ matchLabels: { env: 'Prod' } }, false],
    [{ matchLabels: { Env: 'prod' } }, false],
    [{ matchLabels: { absent: '' } }, false],
    [{ matchLabels: { empty: '' } }, true],
    [{ matchLabels: { constructor: '' } }, false],
    [one('env', 'In', 'dev', 'prod'), true],
    [one('env', 'In', 'dev'), false],
    [one('absent', 'In', ''), false],
    [one('env', 'NotIn', 'dev'), true],
    [one('env', 'NotIn', 'prod'), false],
    [one('absent', 'NotIn', 'prod'), true],
    [one('env', 'Exists'), true],
    [one('empty', 'Exists'), true],
    [one('absent', 'Exists'), false],
    [one('toString', 'Exists'), false],
    [one('absent', 'DoesNotExist'), true],
    [one('env', 'DoesNotExist'), false],
    [{ matchLabels: { env: 'prod' }, ...one('team', 'In', 'shop') }, true],
    [{ matchLabels: { env: 'prod' }, ...one('team', 'In', 'other') }, false],
    [{ matchLabels: { env: 'dev' }, ...one('team', 'In', 'shop') }, false],
  ])('answers %j with %s', (selector, expected) => {
    expect(selectsLabels(selector, prod)).toBe(expected);
  });

  it('T35 takes no labels for labels that are absent', () => {
    expect(selectsLabels({ matchLabels: { env: 'prod' } }, {})).toBe(false);
    expect(selectsLabels(one('env', 'NotIn', 'dev'), {})).toBe(true);
  });
});
