import { describe, expect, it } from 'vitest';
import { newlyNotReady } from '../../src/policy/newly-not-ready.ts';
import { clusterPolicy, compile, keyIssuer, signedBy } from './sample-resources.ts';

const p = clusterPolicy('p', { require: [signedBy('acme')] });
const q = clusterPolicy('q', { require: [signedBy('other')] });

describe('newlyNotReady', () => {
  it('says of each requirement once why it is not ready', () => {
    const first = compile([p]);
    const ofP = 'Policy p (signed): There is no TrustedIssuer acme.';
    expect(newlyNotReady(undefined, first)).toEqual([ofP]);
    expect(newlyNotReady(first, first)).toEqual([]);
    const second = compile([p, q]);
    expect(newlyNotReady(first, second)).toEqual(['Policy q (signed): There is no TrustedIssuer other.']);
    const mended = compile([p, keyIssuer('acme')]);
    expect(newlyNotReady(second, mended)).toEqual([]);
    expect(newlyNotReady(mended, first)).toEqual([ofP]);
  });
});
