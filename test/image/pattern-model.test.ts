import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileImagePattern } from '../../src/image/pattern.ts';
import { formatImageReference, parseImageReference } from '../../src/image/reference.ts';
import type { ImageReference } from '../../src/image/reference.ts';

// Small alphabets, so that patterns and images meet.
const digests = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const segments = fc.array(fc.constantFrom('a', 'b', 'ab', 'a-b', 'aab'), { minLength: 1, maxLength: 4 });
const images = fc
  .record({
    host: fc.constantFrom(
      'a.io',
      'b.a.io',
      'ab.io',
      'a.io:5000',
      'localhost',
      'localhost:5000',
      '[::1]:5000',
    ),
    path: segments,
    tag: maybe(fc.constantFrom('v1', 'v1.2', 'latest')),
    digest: maybe(fc.constantFrom(...digests)),
  })
  .map(({ host, path, tag, digest }) => written(host, path, tag, digest));

interface Parts {
  readonly host: string;
  readonly path: readonly string[];
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const patterns: fc.Arbitrary<Parts> = fc.record({
  host: fc.constantFrom(
    'a.io',
    '*',
    '*.io',
    '*.a.io',
    'a*.io',
    'b.*.io',
    '*a.io',
    'a.io:*',
    '*:5000',
    'a.io:5*0',
    '*:443',
    'localhost',
    'localhost:*',
    '[::1]:5000',
    '*.*.*',
  ),
  path: fc.array(fc.constantFrom('a', 'b', '*', '**', 'a*', '*b', 'a*b', '*a*', '*-*'), {
    minLength: 1,
    maxLength: 4,
  }),
  tag: maybe(fc.constantFrom('v1', 'v*', '*', '*.*', 'v1*2')),
  digest: maybe(fc.constantFrom(...digests, 'sha256:*', 'sha256:a*a', 'sha*:b*')),
});

const written = (host: string, path: readonly string[], tag?: string, digest?: string): string =>
  `${[host, ...path].join('/')}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;

const escape = (text: string): string => text.replace(/[.[\]()+?^$|\\{}-]/g, '\\$&');
const fits = (pattern: string, text: string, star: string): boolean =>
  new RegExp(`^${pattern.split('*').map(escape).join(star)}$`).test(text);

/** The grammar that `ImagePattern` documents, a second time: as regular expressions. */
function model({ host, path, tag, digest }: Parts, image: ImageReference): { name: boolean; tag: boolean } {
  const [, hostName = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(image.registry) ?? [];
  const [, wantedName = '', wantedPort] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(host) ?? [];
  const portFits =
    wantedPort === undefined || wantedPort === '443'
      ? port === undefined
      : fits(wantedPort, port ?? '443', '.*');
  // A lone * is any host on any port.
  const hostFits = host === '*' || (portFits && (wantedName === '*' || fits(wantedName, hostName, '[^.]*')));
  const steps = path.map((segment) =>
    segment === '**' ? '(?:/[^/]+)*' : `/${segment.split('*').map(escape).join('[^/]*')}`,
  );
  const pathFits = new RegExp(`^${steps.join('')}$`).test(`/${image.repository}`);
  const digestFits = digest === undefined || (image.digest !== undefined && fits(digest, image.digest, '.*'));
  return {
    name: hostFits && pathFits && digestFits,
    tag: tag === undefined || (image.tag !== undefined && fits(tag, image.tag, '.*')),
  };
}

describe('image patterns as properties', () => {
  it('T06 select what a regular expression of the same grammar selects', () => {
    let selected = 0;
    fc.assert(
      fc.property(patterns, images, (parts, text) => {
        const image = parseImageReference(text);
        const pattern = compileImagePattern(written(parts.host, parts.path, parts.tag, parts.digest));
        const expected = model(parts, image);
        expect(pattern.matches(image), `${pattern.text} on ${text}`).toBe(expected.name && expected.tag);
        expect(pattern.mayMean(image), `${pattern.text} may mean ${text}`).toBe(
          expected.name && (expected.tag || image.digest !== undefined),
        );
        if (expected.name) selected++;
        if (pattern.registry !== undefined && expected.name) expect(image.registry).toBe(pattern.registry);
      }),
      { seed: 6, numRuns: 20_000 },
    );
    expect(selected).toBeGreaterThan(300);
  });

  it('T06 select the very image that they spell out, under every name of it', () => {
    fc.assert(
      fc.property(images, (text) => {
        const image = parseImageReference(text);
        expect(compileImagePattern(text).matches(image)).toBe(true);
        expect(compileImagePattern(formatImageReference(image)).matches(image)).toBe(true);
        expect(compileImagePattern('**').matches(image)).toBe(true);
        expect(compileImagePattern('*/**').mayMean(image)).toBe(true);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });
});
