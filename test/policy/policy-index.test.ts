import { describe, expect, it } from 'vitest';
import { candidatePolicies } from '../../src/policy/policy-index.ts';
import { clusterPolicy, compile, keyIssuer, namespacedPolicy, signedBy } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

const require = [signedBy('a')];
const of = (name: string, images: readonly string[], more: Fields = {}): Fields =>
  clusterPolicy(name, { require, images, ...more });
const { index } = compile([
  keyIssuer('a'),
  of('any', ['**']),
  of('one', ['ghcr.io/acme/*']),
  of('another', ['ghcr.io/other/*', 'ghcr.io/acme/*']),
  of('two', ['quay.io/**', 'gcr.io/**']),
  of('mixed', ['quay.io/**', '*.example.com/**']),
  namespacedPolicy('shop', 'own', { require, images: ['ghcr.io/**'] }),
  namespacedPolicy('shop', 'all', { require, images: ['**'] }),
  namespacedPolicy('bank', 'own', { require, images: ['**'] }),
]);
const names = (namespace: string, registry: string | undefined): string[] =>
  candidatePolicies(index, namespace, registry)
    .map((policy) => `${policy.namespace ?? ''}/${policy.name}`)
    .toSorted();

describe('candidatePolicies', () => {
  it('are those that name the registry and those that may name any, each once', () => {
    expect(names('web', 'ghcr.io')).toEqual(['/another', '/any', '/mixed', '/one']);
    expect(names('web', 'quay.io')).toEqual(['/any', '/mixed', '/two']);
    expect(names('web', 'gcr.io')).toEqual(['/any', '/mixed', '/two']);
    expect(names('web', 'docker.io')).toEqual(['/any', '/mixed']);
  });

  it('are all where the registry is not known', () => {
    expect(names('web', undefined)).toEqual(['/another', '/any', '/mixed', '/one', '/two']);
  });

  it('T24 are those of the namespace too, and of no other', () => {
    expect(names('shop', 'ghcr.io')).toEqual(['/another', '/any', '/mixed', '/one', 'shop/all', 'shop/own']);
    expect(names('shop', 'quay.io')).toContain('shop/all');
    expect(names('shop', 'quay.io')).not.toContain('shop/own');
    expect(names('bank', 'ghcr.io')).toEqual(['/another', '/any', '/mixed', '/one', 'bank/own']);
  });
});

describe('what needs the labels of a namespace', () => {
  const needs = (...policies: Fields[]) => compile([keyIssuer('a'), ...policies]).index.needsLabels;
  const namespaces = { matchLabels: { env: 'prod' } };

  it('is a policy that selects by them, for templates only if it judges these', () => {
    expect(needs(of('p', ['**']))).toEqual({ ofPods: false, ofTemplates: false });
    expect(needs(of('p', ['**'], { namespaces, workloads: 'Pods' }))).toEqual({
      ofPods: true,
      ofTemplates: false,
    });
    const pods = of('p', ['**'], { namespaces, workloads: 'Pods' });
    expect(needs(pods, of('q', ['**'], { namespaces, workloads: 'All' }))).toEqual({
      ofPods: true,
      ofTemplates: true,
    });
    expect(needs(pods, of('q', ['**'], { workloads: 'All' }))).toEqual({ ofPods: true, ofTemplates: false });
  });
});
