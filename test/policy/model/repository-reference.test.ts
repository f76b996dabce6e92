import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainHost, normalizeRegistry, parseRepository } from '../../../src/image/reference.ts';
import { repositoryReferenceRules } from '../../../src/policy/model/repository-reference.ts';
import { celRules } from './cel-rules.ts';

const apiServerTakes = celRules(repositoryReferenceRules);

function parses(text: string): boolean {
  try {
    parseRepository(text);
    return true;
  } catch {
    return false;
  }
}

describe('repositoryReference', () => {
  it.each([
    'ghcr.io/acme/signatures',
    'localhost/a',
    'registry:5000/a/b',
    'docker.io/a__b',
    '10.0.0.255:5000/a',
    '[::1]:5000/a',
  ])('the API server takes %s', (text) => {
    expect([apiServerTakes(text), parses(text)]).toEqual([true, true]);
  });

  it.each([
    'acme/signatures',
    'signatures',
    'ghcr.io',
    'ghcr.io/a:1',
    'ghcr.io/a@sha256:0a',
    'ghcr.io/*',
    '10.1/a',
    '10.0.0.256:1/a',
    '7:5000/a',
  ])('T22 the API server refuses %s', (text) => {
    expect([apiServerTakes(text), parses(text)]).toEqual([false, false]);
  });

  it('T22 the rules of the API server take what parses, and nothing else', () => {
    const parts =
      'ghcr.io localhost docker.io [::1] 127. 0x1f 256 a b c. _ __ - . / / / * : @ :05 :5000 A sha256:0a é'
        .split(' ')
        .concat(' ');
    assert(
      property(array(constantFrom(...parts), { minLength: 1, maxLength: 7 }), (chosen) => {
        const text = chosen.join('');
        const [first = ''] = text.split('/', 1);
        // Only a URL parser knows of these: they are left to the check here.
        if (/^\[|xn--/.test(first) && !isPlainHost(normalizeRegistry(first))) return true;
        return apiServerTakes(text) === parses(text);
      }),
      { numRuns: 20_000, seed: 22 },
    );
  });
});
