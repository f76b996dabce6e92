import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import { ResourceSet } from '../../src/policy/resource-set.ts';
import { clusterPolicy, keyIssuer, parse, signedBy } from './sample-resources.ts';

const strict = parse(clusterPolicy('strict', { require: [signedBy('acme')] }));
const acme = parse(keyIssuer('acme'));
const broken = (): never => {
  throw new RefwardenError('PolicyInvalid', 'spec.mode: is wrong.');
};

describe('ResourceSet', () => {
  it('T22 keeps the last good version of what no longer parses, and says so', () => {
    const set = new ResourceSet();
    set.apply('a.yaml', () => [acme, strict]);
    set.apply('a.yaml', broken);
    expect(set.resources()).toEqual([acme, strict]);
    expect(set.stale()).toEqual([
      { origin: 'a.yaml', failure: { code: 'PolicyInvalid', message: 'spec.mode: is wrong.' } },
    ]);
    expect(set.unusable()).toEqual([]);
    set.apply('a.yaml', broken);
    expect(set.resources()).toEqual([acme, strict]);
  });

  it('T22 T28 is not usable while something never parsed, whatever else did', () => {
    const set = new ResourceSet();
    set.apply('good.yaml', () => [acme]);
    set.apply('bad.yaml', broken);
    expect(set.unusable()).toEqual([
      { origin: 'bad.yaml', failure: { code: 'PolicyInvalid', message: 'spec.mode: is wrong.' } },
    ]);
    expect(set.stale()).toEqual([]);
    set.apply('bad.yaml', () => [strict]);
    expect(set.unusable()).toEqual([]);
    expect(set.resources()).toEqual([acme, strict]);
  });

  it('T22 names any error, also one that is not ours, and drops nothing for it', () => {
    const set = new ResourceSet();
    set.apply('a.yaml', () => [strict]);
    set.apply('a.yaml', () => {
      throw new TypeError('secret');
    });
    expect(set.resources()).toEqual([strict]);
    expect(set.stale()).toMatchObject([
      { failure: { code: 'InternalError', message: expect.not.stringContaining('secret') as string } },
    ]);
  });

  it('forgets a failure that was mended and an origin that was removed', () => {
    const set = new ResourceSet();
    set.apply('a.yaml', () => [strict]);
    set.apply('a.yaml', broken);
    set.apply('a.yaml', () => [acme]);
    expect(set.stale()).toEqual([]);
    expect(set.resources()).toEqual([acme]);
    set.remove('a.yaml');
    expect(set.origins()).toEqual([]);
    expect(set.resources()).toEqual([]);
  });
});
