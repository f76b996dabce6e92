import { expect, it } from 'vitest';
import { actionsOf } from '../../../src/verification/notation/verification-level.ts';

it.each([
  ['strict', 'enforce enforce enforce enforce enforce'],
  ['permissive', 'enforce enforce log log log'],
  ['audit', 'enforce log log log log'],
] as const)('%s is what the Notary Project says', (level, actions) => {
  const { integrity, authenticity, authenticTimestamp, expiry, revocation } = actionsOf({
    level,
    override: {},
  });
  expect([integrity, authenticity, authenticTimestamp, expiry, revocation].join(' ')).toBe(actions);
});

it('lets single validations be overridden, and integrity never', () => {
  const override = { expiry: 'log', revocation: 'skip', integrity: 'log' } as const;
  expect(actionsOf({ level: 'strict', override })).toEqual({
    integrity: 'enforce',
    authenticity: 'enforce',
    authenticTimestamp: 'enforce',
    expiry: 'log',
    revocation: 'skip',
  });
});
