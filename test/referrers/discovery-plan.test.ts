import { describe, expect, it } from 'vitest';
import type { Mechanism } from '../../src/policy/evidence.ts';
import type { DiscoveryMechanism } from '../../src/referrers/discovery-mechanism.ts';
import { planWaves } from '../../src/referrers/discovery-plan.ts';
import type { Place } from '../../src/referrers/discovery-plan.ts';

const mechanism = (name: string, kind: Mechanism): DiscoveryMechanism => ({
  name,
  mechanism: kind,
  isClaimedByTag: kind === 'CosignTag',
  list: () => Promise.reject(new Error('nothing is asked here')),
});
const all = [
  mechanism('Referrers', 'Referrers'),
  mechanism('Oras', 'Oras'),
  mechanism('FallbackTag', 'FallbackTag'),
  mechanism('sig', 'CosignTag'),
  mechanism('att', 'CosignTag'),
];
const place = (repository: string): Place => ({ at: { registry: 'r.example', repository }, mechanisms: all });

/** `home:Referrers ...`, a text for each wave. */
function wavesFor(places: readonly string[], ...proved: string[]): string[] {
  const keys = proved.map((key) => `r.example/${key.replace(':', '\n')}`);
  return planWaves(places.map(place), new Set(keys)).map((wave) =>
    wave.map(({ at, mechanism: { name } }) => `${at.repository}:${name}`).join(' '),
  );
}

describe('the waves of a discovery', () => {
  it.each([
    ['nothing', [], ['home:Referrers home:Oras', 'home:FallbackTag home:sig home:att']],
    ['a tag', ['home:sig'], ['home:sig', 'home:Referrers home:Oras home:att', 'home:FallbackTag']],
    ['an API', ['home:Referrers'], ['home:Referrers', 'home:Oras home:sig home:att', 'home:FallbackTag']],
    [
      'the fallback tag, which comes after the APIs whose absence makes it count',
      ['home:FallbackTag'],
      ['home:Referrers home:Oras', 'home:FallbackTag', 'home:sig home:att'],
    ],
    [
      'both tags',
      ['home:sig', 'home:att'],
      ['home:sig home:att', 'home:Referrers home:Oras', 'home:FallbackTag'],
    ],
  ])('begin with what last proved something: %s', (_, proved, expected) => {
    expect(wavesFor(['home'], ...proved)).toEqual(expected);
  });

  it('come to other repositories one later, or first where those proved something', () => {
    expect(wavesFor(['home', 'other'])).toEqual([
      'home:Referrers home:Oras',
      'home:FallbackTag home:sig home:att other:Referrers other:Oras',
      'other:FallbackTag other:sig other:att',
    ]);
    expect(wavesFor(['home', 'other'], 'other:sig')).toEqual([
      'other:sig',
      'home:Referrers home:Oras other:Referrers other:Oras other:att',
      'home:FallbackTag home:sig home:att other:FallbackTag',
    ]);
  });
});
