import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import {
  formatImageReference,
  maxReferenceLength,
  parseImageReference,
  repositoryName,
} from '../../src/image/reference.ts';

const sha256 = `sha256:${'ab'.repeat(32)}`;
const sha512 = `sha512:${'cd'.repeat(64)}`;

describe('parseImageReference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest', undefined],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', undefined],
    ['bitnami/redis', 'docker.io', 'bitnami/redis', 'latest', undefined],
    ['a/b/c', 'docker.io', 'a/b/c', 'latest', undefined],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io', 'pause', '3.10', undefined],
    ['ghcr.io/acme/app', 'ghcr.io', 'acme/app', 'latest', undefined],
    [`ghcr.io/acme/app@${sha256}`, 'ghcr.io', 'acme/app', undefined, sha256],
    [`ghcr.io/acme/app:1.4@${sha256}`, 'ghcr.io', 'acme/app', '1.4', sha256],
    [`nginx@${sha512}`, 'docker.io', 'library/nginx', undefined, sha512],
    ['localhost/app', 'localhost', 'app', 'latest', undefined],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000', undefined],
    ['localhost:5000/app:v1', 'localhost:5000', 'app', 'v1', undefined],
    ['registry:5000/app', 'registry:5000', 'app', 'latest', undefined],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'latest', undefined],
    ['[::1]:5000/app', '[::1]:5000', 'app', 'latest', undefined],
    ['[2001:db8::1]/app', '[2001:db8::1]', 'app', 'latest', undefined],
    ['GHCR.io/acme/app', 'ghcr.io', 'acme/app', 'latest', undefined],
    ['xn--bcher-kva.example/app', 'xn--bcher-kva.example', 'app', 'latest', undefined],
    ['ghcr.io/a__b/c-d.e/f---g:V_1.2-3', 'ghcr.io', 'a__b/c-d.e/f---g', 'V_1.2-3', undefined],
  ])('reads %s', (text, registry, repository, tag, digest) => {
    expect(parseImageReference(text)).toEqual({
      registry,
      repository,
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
    });
  });

  it.each([
    'nginx',
    'nginx:latest',
    'library/nginx',
    'docker.io/nginx',
    'docker.io/library/nginx',
    'DOCKER.IO/nginx',
    'docker.io:443/nginx',
    'index.docker.io/library/nginx:latest',
    'index.docker.io/nginx',
    'registry-1.docker.io/library/nginx',
    'registry.hub.docker.com/nginx:latest',
  ])('T07 T40 takes %s for docker.io/library/nginx:latest', (text) => {
    expect(formatImageReference(parseImageReference(text))).toBe('docker.io/library/nginx:latest');
  });

  it.each([
    ['ghcr.io:443/acme/app', 'ghcr.io/acme/app'],
    ['[::1]:443/acme/app', '[::1]/acme/app'],
    // Without its port a single label would read as a path on Docker Hub.
    ['registry:443/acme/app', 'registry:443/acme/app'],
    ['Registry/acme/app', 'registry:443/acme/app'],
    ['docker.io.attacker.example/acme/app', 'docker.io.attacker.example/acme/app'],
    ['ghcr.io:80/acme/app', 'ghcr.io:80/acme/app'],
  ])('T07 names %s as %s', (text, name) => {
    const image = parseImageReference(text);
    expect(repositoryName(image)).toBe(name);
    expect(parseImageReference(formatImageReference(image))).toEqual(image);
  });

  it.each([
    ['ｇｈｃｒ.io/acme/app', 'a character outside ASCII'],
    ['doc\u212aer.io/library/nginx', 'a character outside ASCII'],
    ['ghcr。io/acme/app', 'a character outside ASCII'],
    ['ghcr.іo/acme/app', 'a character outside ASCII'],
    ['ghcr.io/аcme/app', 'a character outside ASCII'],
    ['ghcr.io/acme/app\u200b', 'a character outside ASCII'],
    ['ghcr%2eio/acme/app', 'is no repository segment'],
    ['ghcr.io/acme%2fapp', 'is no repository segment'],
    ['ghcr.io%2facme/app', 'is no registry host'],
    ['user@ghcr.io/acme/app', 'is not sha256 or sha512'],
    ['0x7f.1/app', 'is no registry host'],
    ['[::ffff:7f00:1]/app', 'is no registry host'],
    ['[::ffff:a00:5]:5000/app', 'is no registry host'],
    ['0x7f000001:80/app', 'is no registry host'],
    ['127.1/app', 'is no registry host'],
    ['0177.0.0.1/app', 'is no registry host'],
    ['127.0.0.01/app', 'is no registry host'],
    ['127.0.0.256/app', 'is no registry host'],
    ['2130706433:5000/app', 'is no registry host'],
    ['[0:0::1]:5000/app', 'is no registry host'],
    ['[::FFFF:7f00:1%eth0]/app', 'is no registry host'],
    ['[::1/app', 'is no registry host'],
    ['::1/app', 'is no registry host'],
    ['ghcr.io:65536/acme/app', 'is no registry host'],
    ['[::1]:99999/app', 'is no registry host'],
    ['ghcr.io:0443/acme/app', 'is no registry host'],
    ['ghcr.io:00443/acme/app', 'is no registry host'],
    ['ghcr.io:/acme/app', 'is no registry host'],
    ['ghcr.io:x/acme/app', 'is no registry host'],
    ['ghcr.io:5000:5001/acme/app', 'is no registry host'],
    ['ghcr.io./acme/app', 'is no registry host'],
    ['.ghcr.io/acme/app', 'is no registry host'],
    ['-ghcr.io/acme/app', 'is no registry host'],
    ['https://ghcr.io/acme/app', 'is no registry host'],
  ])('T08 refuses %j before any URL is made of it', (text, why) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({
        code: text.startsWith('user@') ? 'DigestUnsupported' : 'ImageReferenceInvalid',
        message: expect.stringContaining(why) as string,
      }),
    );
  });

  it.each([
    ['', 'it is empty'],
    [' nginx', 'a space'],
    ['nginx ', 'a space'],
    ['nginx\n', 'a space'],
    ['nginx:', 'is no tag'],
    [':latest', 'is no repository segment'],
    ['nginx:-x', 'is no tag'],
    [`nginx:${'a'.repeat(129)}`, 'is no tag'],
    ['Nginx', 'is no repository segment'],
    ['ghcr.io/Acme/app', 'is no repository segment'],
    ['ghcr.io//app', 'is no repository segment'],
    ['ghcr.io/acme/', 'is no repository segment'],
    ['/acme/app', 'is no repository segment'],
    ['ghcr.io/../app', 'is no repository segment'],
    ['ghcr.io/./app', 'is no repository segment'],
    ['ghcr.io/a___b', 'is no repository segment'],
    ['ghcr.io/a..b', 'is no repository segment'],
    ['ghcr.io/acme/app?x', 'is no repository segment'],
    ['ghcr.io/acme/app#x', 'is no repository segment'],
    ['ghcr.io\\acme/app', 'is no registry host'],
    [`ghcr.io/${'a'.repeat(256)}`, 'the repository is longer than 255'],
    ['ab'.repeat(32), 'an image ID'],
    [sha256, 'an image ID'],
    ['sha256:abcdef', 'an image ID'],
  ])('refuses %j', (text, why) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({
        code: 'ImageReferenceInvalid',
        message: expect.stringContaining(why) as string,
      }),
    );
  });

  it.each([`nginx@${sha256}@${sha256}`, 'nginx@', 'nginx@md5:00', `nginx@${sha256.toUpperCase()}`])(
    'T14 refuses the digest of %s',
    (text) => {
      expect(() => parseImageReference(text)).toThrow(
        expect.objectContaining({
          code: 'DigestUnsupported',
          message: expect.stringContaining('Digest') as string,
        }),
      );
    },
  );

  it.each(['a', '/', 'a/', 'a.', 'a-', '-', '_', '[', ':', '@', '\u212a'])(
    'T11 refuses a megabyte of %j in a short message',
    (unit) => {
      const refusal = thrownBy(() => parseImageReference(unit.repeat(1_000_000)));
      expect(refusal.code).toBe('ImageReferenceInvalid');
      expect(refusal.message).toContain(`it is longer than ${maxReferenceLength} characters`);
      expect(refusal.message.length).toBeLessThan(1000);
    },
  );
});

function thrownBy(act: () => unknown): RefwardenError {
  try {
    act();
  } catch (error) {
    if (error instanceof RefwardenError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

// The grammar of distribution/reference as its documentation states it, written anew for the test.
const label = '(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])';
const grammar = new RegExp(
  `^(?:(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?/)?` +
    '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*)*' +
    '(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128}))?$',
);

const hosts = fc.oneof(
  fc.domain(),
  fc.domain().map((domain) => domain.toUpperCase()),
  fc.tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 })).map(([domain, port]) => `${domain}:${port}`),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,9}$/), fc.integer({ min: 1, max: 65_535 }))
    .map(([name, port]) => `${name}:${port}`),
  fc.stringMatching(/^[A-Z][a-z]{0,9}$/),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const segment = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
const references = fc
  .record(
    {
      host: hosts,
      path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/')),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      digest: fc.stringMatching(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/),
    },
    { requiredKeys: ['path'] },
  )
  .map(
    ({ host, path, tag, digest }) =>
      `${host === undefined ? '' : `${host}/`}${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`,
  );

/** One character of a good reference replaced by another that matters somewhere. */
const mangled = fc
  .tuple(references, fc.nat(), fc.constantFrom(...Array.from('/:@.-_[]% \n*K0Aa\u212a\uff47')))
  .map(([text, at, character]) => {
    const i = at % text.length;
    return text.slice(0, i) + character + text.slice(i + 1);
  });

const run = { seed: 20_261, numRuns: 3000 };

describe('the grammar as properties', () => {
  it('T07 gives the same value again from the name that it formats', () => {
    let parsed = 0;
    fc.assert(
      fc.property(fc.oneof(references, mangled), (text) => {
        const image = tryParse(text);
        if (image === undefined) return;
        parsed++;
        expect(parseImageReference(formatImageReference(image))).toEqual(image);
      }),
      run,
    );
    expect(parsed).toBeGreaterThan(run.numRuns / 2);
  });

  it('T08 accepts nothing that distribution/reference refuses', () => {
    fc.assert(
      fc.property(fc.oneof(references, mangled, fc.string({ unit: 'binary', maxLength: 40 })), (text) => {
        if (tryParse(text) !== undefined) expect(text).toMatch(grammar);
      }),
      run,
    );
  });

  it('accepts what distribution/reference accepts, but for hosts that fold and image IDs', () => {
    fc.assert(
      fc.property(references, (text) => {
        if (!grammar.test(text) || tryParse(text) !== undefined) return;
        const host = text.slice(0, text.indexOf('/')).toLowerCase();
        const folds =
          !URL.canParse(`https://${host}`) || !host.startsWith(new URL(`https://${host}`).hostname);
        // A first segment with a dot is a host, and no host has an underscore.
        expect(folds || host.includes('_'), text).toBe(true);
      }),
      run,
    );
  });

  it('T08 names a host that a URL parser reads as the same host', () => {
    fc.assert(
      fc.property(fc.oneof(references, mangled), (text) => {
        const image = tryParse(text);
        if (image === undefined) return;
        const { host } = new URL(`http://${image.registry}/`);
        expect([image.registry, image.registry.replace(/:80$/, '')]).toContain(host);
      }),
      run,
    );
  });
});

function tryParse(text: string): ReturnType<typeof parseImageReference> | undefined {
  try {
    return parseImageReference(text);
  } catch (error) {
    expect(error).toBeInstanceOf(RefwardenError);
    return undefined;
  }
}
