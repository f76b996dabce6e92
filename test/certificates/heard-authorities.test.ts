import { beforeAll, describe, expect, it } from 'vitest';
import { HeardAuthorities } from '../../src/certificates/heard-authorities.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';

const heardMs = 100;
let [first, second]: [string, string] = ['', ''];

beforeAll(async () => {
  [first, second] = [(await createTestAuthority('CA 1')).ca, (await createTestAuthority('CA 2')).ca];
});

describe('HeardAuthorities', () => {
  it('knows nobody before it was seen what stands, and everybody where nothing does', () => {
    const heard = new HeardAuthorities(heardMs);
    expect(heard.know(first, 1000)).toBe(false);
    heard.saw([], 1000);
    expect(heard.know(first, 1000)).toBe(true);
  });

  it('knows at once what was told before the first look, and what comes later after a while', () => {
    const heard = new HeardAuthorities(heardMs);
    heard.saw([first], 1000);
    expect([heard.know(first, 1000), heard.know(second, 1000), heard.know(first + second, 1000)]).toEqual([
      true,
      false,
      false,
    ]);
    heard.saw([second + first], 1200);
    heard.saw([first + second], 1250);
    expect(heard.know(second, 1299)).toBe(false);
    expect(heard.know(second, 1300)).toBe(true);
    expect(heard.know(first + second, 1300)).toBe(true);
  });

  it('begins anew with what was away meanwhile, also where nothing stood', () => {
    const heard = new HeardAuthorities(heardMs);
    heard.saw([first], 1000);
    heard.saw([''], 1010);
    expect(heard.know(first, 2000)).toBe(false);
    heard.saw([first], 2000);
    expect(heard.know(first, 2099)).toBe(false);
    expect(heard.know(first, 2100)).toBe(true);
    heard.saw([], 3000);
    heard.saw([first], 3010);
    expect(heard.know(first, 3010)).toBe(false);
  });

  it('knows only what each webhook is called by', () => {
    const heard = new HeardAuthorities(heardMs);
    heard.saw([first + second, second], 1000);
    expect([heard.know(first, 1000), heard.know(second, 1000)]).toEqual([false, true]);
  });

  it('knows no authority that is none', () => {
    const heard = new HeardAuthorities(heardMs);
    heard.saw([first], 1000);
    expect(heard.know('garbage', 1000)).toBe(false);
  });
});
