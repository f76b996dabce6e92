import { describe, expect, it } from 'vitest';
import { compileImagePattern, maxPatternLength } from '../../src/image/pattern.ts';
import { parseImageReference } from '../../src/image/reference.ts';

const matches = (pattern: string, image: string): boolean =>
  compileImagePattern(pattern).matches(parseImageReference(image));
const digest = `sha256:${'ab'.repeat(32)}`;

describe('compileImagePattern', () => {
  it.each([
    ['**', 'nginx'],
    ['**', 'attacker.example:5000/a/b/c'],
    ['*/**', 'nginx'],
    ['*/**', '[::1]:5000/a/b'],
    ['*/app', 'ghcr.io/app'],
    ['registry.k8s.io/**', 'registry.k8s.io/pause:3.10'],
    ['registry.k8s.io/**', 'registry.k8s.io/a/b/c'],
    ['REGISTRY.K8S.IO/**', 'registry.k8s.io/pause'],
    ['registry.k8s.io:443/**', 'registry.k8s.io/pause'],
    ['registry.k8s.io/**', 'registry.k8s.io:443/pause'],
    ['*.example.com/**', 'a.example.com/x'],
    ['registry.example.*/**', 'registry.example.com/x'],
    ['icr*.io/*', 'icr.io/x'],
    ['localhost:5000/**', 'localhost:5000/app:v1'],
    ['localhost:*/**', 'localhost:5001/app'],
    ['localhost:*/**', 'localhost/x'],
    ['*:*/**', 'ghcr.io/a'],
    ['*.example.com:443/**', 'x.example.com/a'],
    ['[::1]:5000/**', '[::1]:5000/app'],
    ['nginx', 'docker.io/library/nginx:1'],
    ['docker.io/nginx', 'nginx'],
    ['docker.io/*', 'nginx'],
    ['docker.io/**', 'nginx'],
    ['docker.io/**', 'attacker/evil'],
    ['index.docker.io/**', 'attacker/evil'],
    ['docker.io/library/**', 'nginx'],
    ['bitnami/*', 'docker.io/bitnami/redis'],
    ['ghcr.io/acme/app', 'ghcr.io/acme/app:1.4'],
    ['ghcr.io/acme/app', `ghcr.io/acme/app@${digest}`],
    ['ghcr.io/acme/app:1.*', 'ghcr.io/acme/app:1.4'],
    [`ghcr.io/acme/app@${digest}`, `ghcr.io/acme/app:1.4@${digest}`],
    ['ghcr.io/acme/app@sha256:*', `ghcr.io/acme/app@${digest}`],
    ['ghcr.io/**/app', 'ghcr.io/app'],
    ['ghcr.io/**/app', 'ghcr.io/a/b/app'],
    ['ghcr.io/a/**/b/**/c', 'ghcr.io/a/b/x/b/c'],
    ['ghcr.io/acme-*/app', 'ghcr.io/acme-shop/app'],
  ])('T06 %s selects %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(true);
  });

  it.each([
    ['registry.k8s.io/**', 'attacker.example/registry.k8s.io/x'],
    ['registry.k8s.io/**', 'registry.k8s.io.attacker.example/x'],
    ['registry.k8s.io/**', 'attacker-registry.k8s.io/x'],
    ['registry.k8s.io/**', 'registry.k8s.io:5000/x'],
    ['registry.k8s.io/**', 'registryxk8s.io/x'],
    ['icr*/*', 'icr.attacker.example/x'],
    ['icr*/*', 'icr.io/x'],
    ['icr*.io/*', 'icr.attacker.io/x'],
    ['*.io/**', 'a.b.io/x'],
    ['*.example.com/**', 'example.com/x'],
    ['*.example.com/**', 'attacker.example/a.example.com/x'],
    ['*.example.com/**', 'a.example.com:5000/x'],
    ['localhost:5000/**', 'localhost/x'],
    ['ghcr.io/acme', 'ghcr.io/acme/app'],
    ['ghcr.io/acme*', 'ghcr.io/acme/app'],
    ['ghcr.io/acme*', 'ghcr.io/acme-evil/app'],
    ['ghcr.io/acme/*', 'ghcr.io/acme/a/b'],
    ['ghcr.io/acme/**', 'ghcr.io/acme-evil/app'],
    ['ghcr.io/acme/**', 'attacker.example/ghcr.io/acme/app'],
    ['ghcr.io/acme/app:1.4', 'ghcr.io/acme/app:1.40'],
    ['ghcr.io/acme/app:1.4', `ghcr.io/acme/app@${digest}`],
    ['ghcr.io/acme/app:*', `ghcr.io/acme/app@${digest}`],
    [`ghcr.io/acme/app@${digest}`, 'ghcr.io/acme/app:1.4'],
    [`ghcr.io/acme/app@${digest}`, `ghcr.io/acme/app@sha256:${'cd'.repeat(32)}`],
    ['docker.io/*', 'attacker/evil'],
    ['nginx', 'attacker/nginx'],
    ['nginx', 'ghcr.io/library/nginx'],
    // A dot is a dot.
    ['ghcr.io/acme/a.p', 'ghcr.io/acme/app'],
  ])('T06 %s does not select %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(false);
  });

  it.each([
    ['', 'it is empty'],
    ['ghcr.io/ acme', 'a space'],
    ['ｇｈｃｒ.io/**', 'a character outside ASCII'],
    ['ghcr%2eio/**', 'a character that no repository has'],
    ['ghcr.io/{a,b}', 'a character that no repository has'],
    ['ghcr.io/Acme/app', 'a character that no repository has'],
    ['!ghcr.io/**', 'no registry host'],
    ['ghcr.io/acme/', 'an empty segment'],
    ['ghcr.io//app', 'an empty segment'],
    ['https://ghcr.io/**', 'an empty segment'],
    ['ghcr.io/a**', '** stands alone in a segment'],
    ['ghcr.io/***', '** stands alone in a segment'],
    ['gh**.io/x', 'the host takes * for one label'],
    ['**/nginx', '** stands for no host'],
    ['**:latest', '** stands for no host'],
    ['*', '** alone is every image'],
    ['ghcr.io', 'a host selects nothing without a path'],
    ['ghcr.io:5000', 'a host selects nothing without a path'],
    ['localhost:5000', 'a host selects nothing without a path'],
    ['ghcr.io:x/**', 'no registry host'],
    ['ghcr.io:65536/**', 'no registry host'],
    ['ghcr.io:0443/**', 'no registry host'],
    ['0x7f.1/**', 'no registry host'],
    ['ghcr.io/acme/app:', 'no tag'],
    ['ghcr.io/acme/app:a/b', 'a character that no repository has'],
    ['ghcr.io/acme/app@latest', 'no whole digest'],
    ['ghcr.io/acme/app@', 'no whole digest'],
    ['ghcr.io/acme/app@sha256:aa', 'no whole digest'],
    ['ghcr.io/acme/app@sha256:...', 'no whole digest'],
    [`ghcr.io/acme/app@sha256:${'a'.repeat(63)}`, 'no whole digest'],
    [`ghcr.io/acme/app@sha512:${'a'.repeat(64)}`, 'no whole digest'],
    [`ghcr.io/acme/app@md5:${'a'.repeat(32)}`, 'no whole digest'],
    ['a'.repeat(maxPatternLength + 1), `longer than ${maxPatternLength}`],
  ])('T06 refuses %j: %s', (pattern, why) => {
    expect(() => compileImagePattern(pattern)).toThrow(
      expect.objectContaining({
        code: 'ImagePatternInvalid',
        message: expect.stringContaining(why) as string,
      }),
    );
  });

  it.each([
    ['stars in a segment', `ghcr.io/${'*a'.repeat(250)}b`, `ghcr.io/${'a'.repeat(240)}`],
    ['stars in a tag', `ghcr.io/x*:${'*a'.repeat(240)}b`, `ghcr.io/x:${'a'.repeat(128)}`],
    [
      'a run of segments between double stars',
      `ghcr.io/**/${'*a*/'.repeat(50)}b*/**`,
      `ghcr.io/${'a/'.repeat(100)}c`,
    ],
    ['double stars', `ghcr.io/${'**/a*/'.repeat(80)}b*`, `ghcr.io/${'a/'.repeat(120)}c`],
    [
      'stars within double stars',
      `ghcr.io/${'**/*a*a*a*b/'.repeat(40)}c`,
      `ghcr.io/${'aaaaaaa/'.repeat(30)}c`,
    ],
  ])('T30 reads each character of a hostile image a bounded number of times: %s', (_, pattern, image) => {
    const reads = { count: 0 };
    const reference = parseImageReference(image);
    const compiled = compileImagePattern(pattern);
    const counted = {
      ...reference,
      repository: countingText(reference.repository, reads),
      ...(reference.tag === undefined ? {} : { tag: countingText(reference.tag, reads) }),
    };
    expect(compiled.matches(counted)).toBe(false);
    expect(reads.count).toBeGreaterThan(0);
    expect(reads.count).toBeLessThanOrEqual(pattern.length * image.length);
  });
});

/** Text that counts how many of its characters are looked at, at most. */
function countingText(text: string, reads: { count: number }): string {
  const proxy: unknown = new Proxy(Object(text) as object, {
    get(_target, key) {
      if (key === 'split') return (by: string) => text.split(by).map((part) => countingText(part, reads));
      if (['startsWith', 'endsWith', 'indexOf'].includes(String(key))) reads.count += text.length;
      const value: unknown = Reflect.get(Object(text) as object, key);
      return typeof value === 'function' ? (value as (...rest: unknown[]) => unknown).bind(text) : value;
    },
  });
  return proxy as string;
}

describe('mayMean', () => {
  const pattern = compileImagePattern('ghcr.io/acme/app:v*');
  const digest = `sha256:${'a'.repeat(64)}`;

  it.each([
    ['ghcr.io/acme/app:v1', true],
    ['ghcr.io/acme/app:x', false],
    [`ghcr.io/acme/app@${digest}`, true],
    [`ghcr.io/acme/app:x@${digest}`, true],
    [`ghcr.io/acme/other@${digest}`, false],
  ])('T06 %s: %s', (image, expected) => {
    expect(pattern.mayMean(parseImageReference(image))).toBe(expected);
  });
});
