import { beforeAll, describe, expect, it } from 'vitest';
import { PropagatedAuthorities } from '../../src/certificates/propagated-authorities.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';

const propagationMs = 100;
let [first, second]: [string, string] = ['', ''];

beforeAll(async () => {
  [first, second] = [(await createTestAuthority('CA 1')).ca, (await createTestAuthority('CA 2')).ca];
});

describe('PropagatedAuthorities', () => {
  it('knows nobody before it was seen what stands, and everybody where nothing does', () => {
    const propagated = new PropagatedAuthorities(propagationMs);
    expect(propagated.has(first, 1000)).toBe(false);
    propagated.observe([], 1000);
    expect(propagated.has(first, 1000)).toBe(true);
  });

  it('has at once what stood before the first look, and what comes later after a while', () => {
    const propagated = new PropagatedAuthorities(propagationMs);
    propagated.observe([first], 1000);
    expect([
      propagated.has(first, 1000),
      propagated.has(second, 1000),
      propagated.has(first + second, 1000),
    ]).toEqual([true, false, false]);
    propagated.observe([second + first], 1200);
    propagated.observe([first + second], 1250);
    expect(propagated.has(second, 1299)).toBe(false);
    expect(propagated.has(second, 1300)).toBe(true);
    expect(propagated.has(first + second, 1300)).toBe(true);
  });

  it('takes five seconds to be everywhere', () => {
    const propagated = new PropagatedAuthorities();
    propagated.observe([second], 1000);
    propagated.observe([first + second], 1000);
    expect([propagated.has(first, 5999), propagated.has(first, 6000)]).toEqual([false, true]);
  });

  it('begins anew with what was away meanwhile, also where nothing stood', () => {
    const propagated = new PropagatedAuthorities(propagationMs);
    propagated.observe([first], 1000);
    propagated.observe([''], 1010);
    expect(propagated.has(first, 2000)).toBe(false);
    propagated.observe([first], 2000);
    expect(propagated.has(first, 2099)).toBe(false);
    expect(propagated.has(first, 2100)).toBe(true);
    propagated.observe([], 3000);
    propagated.observe([first], 3010);
    expect(propagated.has(first, 3010)).toBe(false);
  });

  it('knows only what each webhook is called by', () => {
    const propagated = new PropagatedAuthorities(propagationMs);
    propagated.observe([first + second, second], 1000);
    expect([propagated.has(first, 1000), propagated.has(second, 1000)]).toEqual([false, true]);
  });

  it('knows no authority that is none', () => {
    const propagated = new PropagatedAuthorities(propagationMs);
    propagated.observe([first], 1000);
    expect(propagated.has('garbage', 1000)).toBe(false);
  });
});
