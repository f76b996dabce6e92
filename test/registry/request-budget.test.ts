import { describe, expect, it } from 'vitest';
import { RequestBudget } from '../../src/registry/request-budget.ts';
import { tenantOf } from '../../src/registry/tenant.ts';
import { TestClock, accessOf, expectFailure } from './registry-access.ts';

const shop = tenantOf(accessOf({ tenant: 'shop' }));
const other = tenantOf(accessOf({ tenant: 'other' }));
const background = tenantOf(accessOf({ tenant: 'shop', purpose: 'background' }));

function budgetOf(requestsPerMinutePerTenant: number, requestsPerMinutePerHost: number, maxRemembered = 100) {
  const clock = new TestClock();
  const limits = { requestsPerMinutePerTenant, requestsPerMinutePerHost, maxRemembered };
  const budget = new RequestBudget(limits, clock);
  return {
    clock,
    budget,
    /** How many of `tries` are let through. */
    spendAll: (tenant: typeof shop, host = 'a', tries = 100): number =>
      Array.from({ length: tries }, () => {
        try {
          budget.spend(host, tenant);
          return 1;
        } catch {
          return 0;
        }
      }).reduce<number>((sum, spent) => sum + spent, 0),
  };
}

const failing = (budget: RequestBudget, tenant: typeof shop): Promise<void> =>
  Promise.resolve().then(() => {
    budget.spend('a', tenant);
  });

describe('RequestBudget', () => {
  it('T39 lets a tenant spend what a minute brings to one host, and says when there is more', async () => {
    const { budget, clock, spendAll } = budgetOf(6, 60);
    expect(spendAll(shop)).toBe(6);
    await expectFailure(
      failing(budget, shop),
      'RequestBudgetSpent',
      'Namespace "shop" has spent its 6 requests a minute to a: try again in 10 s.',
    );
    expect([spendAll(other), spendAll(shop, 'b')]).toEqual([6, 6]);
    clock.advance(4_000);
    await expectFailure(failing(budget, shop), 'RequestBudgetSpent', /: try again in 6 s\.$/);
    clock.advance(6_000);
    expect(spendAll(shop)).toBe(1);
    clock.advance(10 * 60_000);
    expect(spendAll(shop)).toBe(6);
  });

  it('T39 bounds all tenants together, and no one alone can spend more than half of that', async () => {
    const { budget, spendAll } = budgetOf(100, 10);
    expect([spendAll(shop), spendAll(other)]).toEqual([5, 5]);
    await expectFailure(
      failing(budget, tenantOf(accessOf({ tenant: 'third' }))),
      'RequestBudgetSpent',
      'All together have spent the 10 requests a minute to a: try again in 6 s.',
    );
  });

  it('charges background work to an account of its own, with a smaller share', async () => {
    const { budget, spendAll } = budgetOf(8, 100);
    expect([spendAll(background), spendAll(shop)]).toEqual([2, 8]);
    await expectFailure(
      failing(budget, background),
      'RequestBudgetSpent',
      'Background work has spent its 2 requests a minute to a: try again in 30 s.',
    );
  });

  it('takes nothing from the host for what it refuses a tenant', () => {
    const { spendAll } = budgetOf(2, 8);
    expect([spendAll(shop), spendAll(other), spendAll(background)]).toEqual([2, 2, 1]);
  });

  it('T11 remembers as many tenants as it may, the last that asked', () => {
    const { spendAll } = budgetOf(1, 1_000, 2);
    const tenants = ['a', 'b', 'c'].map((tenant) => tenantOf(accessOf({ tenant })));
    expect(tenants.map((tenant) => spendAll(tenant))).toEqual([1, 1, 1]);
    expect(tenants.slice(1).map((tenant) => spendAll(tenant))).toEqual([0, 0]);
  });

  it('a clock that is set back brings and takes nothing', () => {
    const { clock, spendAll } = budgetOf(6, 60);
    expect(spendAll(shop, 'a', 3)).toBe(3);
    clock.advance(-60_000);
    expect(spendAll(shop)).toBe(3);
  });
});
