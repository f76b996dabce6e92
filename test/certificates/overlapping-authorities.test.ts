import { beforeAll, describe, expect, it } from 'vitest';
import { OverlappingAuthorities } from '../../src/certificates/overlapping-authorities.ts';
import { parseCertificates, toPem } from '../../src/certificates/pem-bundle.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';

const keptMs = 1000;
let pems: string[];

beforeAll(async () => {
  const authorities = await Promise.all(
    Array.from({ length: 7 }, (_, at) => createTestAuthority(`CA ${at}`)),
  );
  pems = authorities.map(({ ca }) => toPem(parseCertificates(ca)));
});

/** Which of them a bundle holds, in order. */
const numbers = (bundle: string): number[] =>
  parseCertificates(bundle).map((one) => pems.indexOf(one.toString()));

describe('OverlappingAuthorities', () => {
  it('tells of what was provided until a while ago, after what is provided now', () => {
    const overlap = new OverlappingAuthorities(keptMs);
    const [first = '', second = ''] = pems;
    expect(numbers(overlap.joined(first, 0))).toEqual([0]);
    expect(numbers(overlap.joined(first, 5000))).toEqual([0]);
    expect(numbers(overlap.joined(second, 5500))).toEqual([1, 0]);
    expect(numbers(overlap.joined(second, 5999))).toEqual([1, 0]);
    expect(numbers(overlap.joined(second, 6000))).toEqual([1]);
    // Forgotten for good.
    expect(numbers(overlap.joined(second, 5500))).toEqual([1]);
  });

  it('takes one that is provided again for current', () => {
    const overlap = new OverlappingAuthorities(keptMs);
    const [first = '', second = ''] = pems;
    overlap.joined(first, 0);
    overlap.joined(second, 500);
    expect(numbers(overlap.joined(first + second, 900))).toEqual([0, 1]);
    expect(numbers(overlap.joined(second, 1800))).toEqual([1, 0]);
  });

  it('keeps every one that is provided, and four of before, the newest', () => {
    const overlap = new OverlappingAuthorities(keptMs);
    for (const [at, pem] of pems.entries()) overlap.joined(pem, at);
    expect(numbers(overlap.joined(pems[6] ?? '', 7))).toEqual([6, 5, 4, 3, 2]);
    expect(numbers(overlap.joined(pems.join(''), 8))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('takes over what whoever wrote before has told of, and keeps it as long', () => {
    const overlap = new OverlappingAuthorities(keptMs);
    const [first = '', second = '', third = ''] = pems;
    overlap.joined(first, 0);
    overlap.takeOver([first + second, second + third], 100);
    expect(numbers(overlap.joined(first, 1099))).toEqual([0, 1, 2]);
    expect(numbers(overlap.joined(first, 1100))).toEqual([0]);
    const full = new OverlappingAuthorities(keptMs);
    full.takeOver([pems.slice(0, 6).join('')], 0);
    expect(numbers(full.joined(pems[6] ?? '', 1))).toEqual([6, 0, 1, 2, 3]);
    // What was seen provided is not prolonged.
    overlap.joined(second, 1200);
    overlap.takeOver([first], 2000);
    expect(numbers(overlap.joined(second, 2099))).toEqual([1, 0]);
    expect(numbers(overlap.joined(second, 2100))).toEqual([1]);
  });
});
