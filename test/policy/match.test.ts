import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../src/image/reference.ts';
import { needsNamespaceLabels, policiesInScope, selectsImage } from '../../src/policy/match.ts';
import type { CompiledPolicy } from '../../src/policy/snapshot.ts';
import { clusterPolicy, compile, keyIssuer, namespacedPolicy, signedBy } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

const require = [signedBy('acme')];
const names = (policies: readonly CompiledPolicy[]): string[] => policies.map(({ name }) => name);
const pod = { namespace: 'shop', isTemplate: false };
const template = { namespace: 'shop', isTemplate: true };

describe('policiesInScope', () => {
  const snapshot = compile([
    keyIssuer('acme'),
    clusterPolicy('everywhere', { require }),
    clusterPolicy('prod', { require, namespaces: { matchLabels: { env: 'prod' } } }),
    clusterPolicy('pods', { require, workloads: 'Pods' }),
    namespacedPolicy('shop', 'own', { require }),
    namespacedPolicy('other', 'foreign', { require }),
  ]);

  it('T24 holds a namespaced policy to its namespace, beside the cluster policies', () => {
    expect(names(policiesInScope(snapshot, pod, { env: 'prod' }))).toEqual([
      'everywhere',
      'prod',
      'pods',
      'own',
    ]);
    expect(names(policiesInScope(snapshot, pod, {}))).toEqual(['everywhere', 'pods', 'own']);
  });

  it('T03 judges templates unless a policy asks for Pods alone', () => {
    expect(names(policiesInScope(snapshot, template, {}))).toEqual(['everywhere', 'own']);
  });

  it('asks for labels only where a policy in question selects by them', () => {
    expect(needsNamespaceLabels(snapshot, pod)).toBe(true);
    expect(needsNamespaceLabels(compile([keyIssuer('acme'), clusterPolicy('a', { require })]), pod)).toBe(
      false,
    );
    const podsOnly = compile([
      keyIssuer('acme'),
      clusterPolicy('a', { require, workloads: 'Pods', namespaces: {} }),
    ]);
    expect(needsNamespaceLabels(podsOnly, template)).toBe(false);
    expect(needsNamespaceLabels(podsOnly, pod)).toBe(true);
  });
});

describe('an image of a registry', () => {
  const snapshot = compile([
    keyIssuer('acme'),
    clusterPolicy('all', { require }),
    clusterPolicy('any-host', { require, images: ['*/acme/**'] }),
    clusterPolicy('hub', { require, images: ['nginx', 'acme/*'] }),
    clusterPolicy('two', { require, images: ['ghcr.io/a/**', 'index.docker.io/library/*'] }),
    clusterPolicy('mixed', { require, images: ['ghcr.io/a/**', '*.example.com/**'] }),
    clusterPolicy('port', { require, images: ['GHCR.io:443/**', 'r.example.com:5000/**'] }),
    namespacedPolicy('shop', 'own', { require, images: ['ghcr.io/**'] }),
    namespacedPolicy('shop', 'own-all', { require }),
    namespacedPolicy('other', 'foreign', { require, images: ['ghcr.io/**'] }),
  ]);
  const candidates = (registry?: string): string[] =>
    names(policiesInScope(snapshot, { ...pod, registry }, {})).toSorted();

  it('brings up the policies that may select it, and no others', () => {
    expect(candidates('ghcr.io')).toEqual(['all', 'any-host', 'mixed', 'own', 'own-all', 'port', 'two']);
    expect(candidates('docker.io')).toEqual(['all', 'any-host', 'hub', 'mixed', 'own-all', 'two']);
    expect(candidates('r.example.com:5000')).toEqual(['all', 'any-host', 'mixed', 'own-all', 'port']);
    expect(candidates('elsewhere.example')).toEqual(['all', 'any-host', 'mixed', 'own-all']);
    expect(candidates()).toHaveLength(8);
  });

  it.each([
    'nginx',
    'docker.io/acme/x',
    'registry-1.docker.io/library/redis',
    'ghcr.io/a/b',
    'GHCR.IO:443/acme/x',
    'r.example.com/x',
    'r.example.com:5000/acme/x',
    'localhost:5000/x',
    '[::1]:5000/x',
  ])('T22 %s: nothing that selects it is passed over', (text) => {
    const image = parseImageReference(text);
    const selecting = (policies: readonly CompiledPolicy[]): string[] =>
      names(policies.filter((policy) => selectsImage(policy, image))).toSorted();
    const narrowed = policiesInScope(snapshot, { ...pod, registry: image.registry }, {});
    expect(selecting(narrowed)).toEqual(selecting(policiesInScope(snapshot, pod, {})));
    expect(selecting(narrowed)).toContain('all');
  });
});

describe('selectsImage', () => {
  const selects = (spec: Fields, image: string): boolean =>
    compile([keyIssuer('acme'), clusterPolicy('p', { require, ...spec })]).policies.every((policy) =>
      selectsImage(policy, parseImageReference(image)),
    );

  it('selects by any pattern and leaves out by any exclusion', () => {
    const spec = {
      images: ['ghcr.io/acme/**', 'nginx'],
      excludeImages: ['ghcr.io/acme/tools/**', 'ghcr.io/acme/debug'],
    };
    expect(selects(spec, 'ghcr.io/acme/app')).toBe(true);
    expect(selects(spec, 'index.docker.io/library/nginx:1')).toBe(true);
    expect(selects(spec, 'ghcr.io/acme/tools/x')).toBe(false);
    expect(selects(spec, 'ghcr.io/acme/debug:1')).toBe(false);
    expect(selects(spec, 'ghcr.io/other/app')).toBe(false);
  });

  it('T06 leaves out nothing that only looks like an exclusion', () => {
    const spec = { excludeImages: ['registry.k8s.io/**'] };
    expect(selects(spec, 'registry.k8s.io/pause')).toBe(false);
    expect(selects(spec, 'attacker.example/registry.k8s.io/pause')).toBe(true);
    expect(selects(spec, 'registry.k8s.io.attacker.example/pause')).toBe(true);
  });

  it('T06 a tag beside a digest selects, and leaves nothing out', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const byTag = { images: ['ghcr.io/acme/app:1'], excludeImages: ['ghcr.io/acme/app:debug'] };
    expect(selects(byTag, `ghcr.io/acme/app:1@${digest}`)).toBe(true);
    const all = { images: ['**'], excludeImages: ['ghcr.io/acme/app:debug'] };
    expect(selects(all, 'ghcr.io/acme/app:debug')).toBe(false);
    expect(selects(all, `ghcr.io/acme/app:debug@${digest}`)).toBe(true);
  });
});
