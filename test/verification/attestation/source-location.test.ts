import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSourceLocation } from '../../../src/verification/attestation/source-location.ts';

describe('parseSourceLocation', () => {
  const shop = 'https://github.com/acme/shop';
  it.each([
    ['git+https://github.com/acme/shop@refs/tags/v1.4.0', shop, 'refs/tags/v1.4.0'],
    ['git+https://github.com/acme/shop.git@refs/heads/main#src', shop, 'refs/heads/main'],
    ['git+https://github.com/acme/shop@refs/tags/@acme/ui@1.0.0', shop, 'refs/tags/@acme/ui@1.0.0'],
    ['git+https://github.com/acme/shop', shop, ''],
    ['https://github.com/acme/shop.git#refs/tags/v1.4.0', shop, 'refs/tags/v1.4.0'],
    ['https://github.com/acme/shop.git#main:docker/app', shop, 'main'],
    ['https://github.com/acme/shop/', shop, ''],
    ['git+ssh://git@github.com/acme/shop.git@main', 'ssh://git@github.com/acme/shop', 'main'],
    ['git@github.com:acme/shop.git', 'git@github.com:acme/shop', ''],
    ['https://gitlab.com/acme/shop', 'https://gitlab.com/acme/shop', ''],
    ['pkg:docker/alpine@3.21?platform=linux%2Famd64', 'pkg:docker/alpine@3.21?platform=linux%2Famd64', ''],
    ['', '', ''],
  ])('takes %j apart', (text, repository, ref) => {
    expect(parseSourceLocation(text)).toEqual({ repository, ref });
  });

  it.each([
    'git+https://evil.example/x@https://github.com/acme/shop',
    'https://evil.example/x#https://github.com/acme/shop',
    'git+https://github.com@evil.example/acme/shop',
    'git+https://github.com%2facme%2fshop@evil.example/x',
    'https://evil.example/?x=https://github.com/acme/shop',
  ])('T37 never takes %s for the repository that it only mentions', (text) => {
    expect(parseSourceLocation(text).repository).not.toBe(shop);
  });

  it('gives a prefix of what was written', () => {
    const text = fc.string({
      unit: fc.constantFrom(
        'g',
        'i',
        't',
        '+',
        ':',
        '/',
        '@',
        '#',
        '.',
        'a',
        '?',
        '//',
        'https://',
        'git+',
        '.git',
      ),
    });
    fc.assert(
      fc.property(text, (uri) => {
        const { repository } = parseSourceLocation(uri);
        expect(uri.startsWith(repository) || uri.startsWith(`git+${repository}`)).toBe(true);
      }),
    );
  });
});
