import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../src/certificates/issue-certificates.ts';
import { OverlappingAuthorities } from '../../src/certificates/overlapping-authorities.ts';
import { fingerprintsOf, parseCertificates, toPem } from '../../src/certificates/pem-bundle.ts';

const nowMs = Date.UTC(2026, 10, 28);
const endMs = nowMs + 3_600_000;
let pems: string[];

beforeAll(async () => {
  const term = { fromMs: nowMs, lifetimeMs: endMs - nowMs };
  const authorities = await Promise.all(
    Array.from({ length: 20 }, (_, at) => createAuthority(`CA ${at}`, term)),
  );
  pems = authorities.map(({ certPem }) => toPem(parseCertificates(certPem)));
});

/** Which of them a bundle holds, in order. */
const numbers = (bundle: string): number[] =>
  parseCertificates(bundle).map((one) => pems.indexOf(one.toString()));

describe('OverlappingAuthorities', () => {
  it('tells of what was provided before, after what is provided now, until it expires', () => {
    const overlap = new OverlappingAuthorities();
    const [first = '', second = ''] = pems;
    expect(numbers(overlap.joined(first, nowMs))).toEqual([0]);
    expect(numbers(overlap.joined(second, nowMs))).toEqual([1, 0]);
    expect(numbers(overlap.joined(second, endMs - 1))).toEqual([1, 0]);
    expect(numbers(overlap.joined(second, endMs))).toEqual([1]);
    // Of a clock that was ahead.
    expect(numbers(overlap.joined(second, nowMs))).toEqual([1, 0]);
  });

  it('takes one that is provided again for current', () => {
    const overlap = new OverlappingAuthorities();
    const [first = '', second = '', third = ''] = pems;
    for (const pem of [first, second, first + second]) overlap.joined(pem, nowMs);
    expect(numbers(overlap.joined(first, nowMs))).toEqual([0, 1]);
    expect(numbers(overlap.joined(third, nowMs))).toEqual([2, 0, 1]);
  });

  it('keeps every one that is provided, and sixteen of before, the newest', () => {
    const overlap = new OverlappingAuthorities();
    for (const pem of pems) overlap.joined(pem, nowMs);
    const [last = ''] = pems.slice(-1);
    expect(numbers(overlap.joined(last, nowMs))).toEqual(Array.from({ length: 17 }, (_, i) => 19 - i));
    expect(numbers(overlap.joined(pems.join(''), nowMs))).toEqual([...pems.keys()]);
  });

  it('gives no room to those that have expired', async () => {
    const overlap = new OverlappingAuthorities();
    const term = { fromMs: nowMs, lifetimeMs: 2 * (endMs - nowMs) };
    const { certPem: lasting } = await createAuthority('lasting', term);
    for (const pem of [lasting, ...pems]) overlap.joined(pem, nowMs);
    expect(overlap.joined(pems[19] ?? '', nowMs)).not.toContain(toPem(parseCertificates(lasting)));
    overlap.joined(lasting, nowMs);
    for (const pem of pems.slice(0, 16)) overlap.joined(pem, nowMs);
    const { certPem: next } = await createAuthority('next', term);
    expect(overlap.joined(next, endMs)).toBe(toPem(parseCertificates(next + lasting)));
  });

  it('takes over what whoever wrote before has told of, as long', () => {
    const overlap = new OverlappingAuthorities();
    const [first = '', second = '', third = ''] = pems;
    overlap.joined(first, nowMs);
    overlap.takeOver([first + second, second + third], fingerprintsOf(pems.join('')));
    expect(numbers(overlap.joined(first, endMs - 1))).toEqual([0, 1, 2]);
    expect(numbers(overlap.joined(first, endMs))).toEqual([0]);
    const full = new OverlappingAuthorities();
    full.takeOver([pems.slice(0, 18).join('')], fingerprintsOf(pems.join('')));
    expect(numbers(full.joined(pems[19] ?? '', nowMs))).toEqual([19, ...pems.slice(0, 16).keys()]);
  });

  it('T38 takes over nothing that whoever wrote before has not vouched for', () => {
    const overlap = new OverlappingAuthorities();
    const [first = '', second = '', third = ''] = pems;
    overlap.takeOver([first + second + third], fingerprintsOf(second));
    expect(numbers(overlap.joined(first, nowMs))).toEqual([0, 1]);
    const fresh = new OverlappingAuthorities();
    fresh.takeOver([first + second], '');
    expect(numbers(fresh.joined(first, nowMs))).toEqual([0]);
  });

  it('counts what it takes over for newer than what it saw provided before', () => {
    const overlap = new OverlappingAuthorities();
    const [first = '', second = ''] = pems;
    overlap.joined(first, nowMs);
    overlap.joined(second, nowMs);
    overlap.takeOver([pems.slice(2, 18).join(''), first], fingerprintsOf(pems.join('')));
    expect(numbers(overlap.joined(second, nowMs))).toEqual([...pems.slice(0, 18).keys()].slice(1));
  });
});
