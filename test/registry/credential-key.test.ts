import { describe, expect, it } from 'vitest';
import {
  compareCredentialKeys,
  matchesCredentialKey,
  parseCredentialKey,
} from '../../src/registry/credential-key.ts';

const matches = (key: string, registry: string, repository = 'acme/app'): boolean =>
  matchesCredentialKey(parseCredentialKey(key), { registry, repository });

describe('matchesCredentialKey', () => {
  // Cases of kubernetes pkg/credentialprovider/keyring_test.go, and the segment boundary that it lacks.
  it.each([
    ['kubernetes.io', 'kubernetes.io'],
    ['https://kubernetes.io', 'kubernetes.io'],
    ['http://kubernetes.io', 'kubernetes.io'],
    ['kubernetes.io:443', 'kubernetes.io'],
    ['*.kubernetes.io', 'foo.kubernetes.io'],
    ['*.*.kubernetes.io', 'foo.bar.kubernetes.io'],
    ['prefix.*.io', 'prefix.kubernetes.io'],
    ['prefix*.kubernetes.io', 'prefix-good.kubernetes.io'],
    ['*.kubernetes.io:5000', 'foo.kubernetes.io:5000'],
    ['kubernetes.io/acme', 'kubernetes.io'],
    ['kubernetes.io/acme/app', 'kubernetes.io'],
    ['kubernetes.io/v1/', 'kubernetes.io'],
    ['https://kubernetes.io/v2/', 'kubernetes.io'],
    ['kubernetes.io/v2/acme', 'kubernetes.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['[::1]:5000', '[::1]:5000'],
  ])('T09 %s stands for %s/acme/app', (key, registry) => {
    expect(matches(key, registry)).toBe(true);
  });

  it.each([
    ['kubernetes.io', 'kubernetes.com'],
    ['kubernetes.io', 'kubernetes.io:5000'],
    ['kubernetes.io:5000', 'kubernetes.io'],
    ['kubernetes.io', 'evilkubernetes.io'],
    ['kubernetes.io', 'kubernetes.io.evil.example'],
    ['*.kubernetes.io', 'kubernetes.io'],
    ['*.kubernetes.io', 'a.b.kubernetes.io'],
    ['*kubernetes.io', 'evil.kubernetes.io'],
    ['*', 'kubernetes.io'],
    ['*.kubernetes.io:5000', 'foo.kubernetes.io'],
    ['*.kubernetes.io', 'foo.kubernetes.io:5000'],
    ['kubernetes.i?', 'kubernetes.io'],
    ['kubernetes.io/acm', 'kubernetes.io'],
    ['kubernetes.io/acme/app/x', 'kubernetes.io'],
    ['kubernetes.io/app', 'kubernetes.io'],
    ['kubernetes.io/*', 'kubernetes.io'],
    ['user@kubernetes.io', 'kubernetes.io'],
    ['', 'kubernetes.io'],
    ['https://', 'kubernetes.io'],
  ])('T09 %j does not stand for %s/acme/app', (key, registry) => {
    expect(matches(key, registry)).toBe(false);
  });

  it('T30 many wildcards cost no time to speak of', () => {
    expect(matches(`${'*a'.repeat(2_000)}.io`, `${'a'.repeat(63)}.io`)).toBe(false);
  });
});

describe('compareCredentialKeys', () => {
  it("puts the most specific first, and Docker's own key before another for its Hub", () => {
    const sorted = [
      'https://index.docker.io/v1/',
      'docker.io',
      'https://docker.io',
      'docker.io/acme',
      '*.io/acme/deep',
      '*.io',
      '*.*',
    ];
    const keys = sorted.toReversed().map(parseCredentialKey);
    expect(keys.sort(compareCredentialKeys).map(({ text }) => text)).toEqual([
      'docker.io/acme',
      'https://index.docker.io/v1/',
      'docker.io',
      'https://docker.io',
      '*.io/acme/deep',
      '*.io',
      '*.*',
    ]);
  });
});
