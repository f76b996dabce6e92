import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compileIssuer } from '../../src/policy/compile-issuer.ts';
import { findAlike } from '../../src/policy/issuers-alike.ts';
import type { TrustedIssuer } from '../../src/policy/model/trusted-issuer.ts';
import type { ResolvedIssuer } from '../../src/policy/resolved-issuer.ts';
import { issuer, keyIssuer, parse, trusting } from './sample-resources.ts';
import type { Fields } from './sample-resources.ts';

function resolved(fields: Fields): ResolvedIssuer {
  const found = compileIssuer(parse(fields) as TrustedIssuer, trusting);
  if ('code' in found) throw new Error(found.message);
  return found;
}
const keyless = (...identities: Fields[]): ResolvedIssuer =>
  resolved(
    issuer('i', {
      keyless: { identities: identities.map((one) => ({ issuer: 'https://idp.example', ...one })) },
    }),
  );
const github = (refs: string[], repository = 'acme/app'): ResolvedIssuer =>
  resolved(issuer('g', { keyless: { github: { repository, workflow: 'release.yml', refs } } }));
const notation = (identity: string): ResolvedIssuer =>
  resolved(
    issuer('n', {
      notation: { trustStores: [{ type: 'ca', inline: 'pem' }], trustedIdentities: [identity] },
    }),
  );
const publicKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  .publicKey.export({ format: 'pem', type: 'spki' })
  .toString();
const extensions = (sourceRepositoryURI: string): Fields => ({ extensions: { sourceRepositoryURI } });

/** At once. */
function areAlike(one: ResolvedIssuer, other: ResolvedIssuer): boolean {
  const pieces = findAlike(one, [other]);
  let next = pieces.next();
  while (next.done !== true) next = pieces.next();
  return next.value !== undefined;
}

describe('findAlike', () => {
  it.each<[string, ResolvedIssuer, ResolvedIssuer]>([
    ['the same key', resolved(keyIssuer('a', 'pem')), resolved(keyIssuer('b', 'pem'))],
    [
      'the same key with other line breaks',
      resolved(keyIssuer('a', publicKey)),
      resolved(keyIssuer('b', publicKey.replaceAll('\n', '\r\n'))),
    ],
    ['the same subject', keyless({ subject: 'a' }, { subject: 'b' }), keyless({ subject: 'b' })],
    [
      'a subject that a pattern matches',
      keyless({ subject: 'me@acme.io' }),
      keyless({ subjectPattern: '.*@acme.io' }),
    ],
    ['the same pattern', keyless({ subjectPattern: 'a.*' }), keyless({ subjectPattern: 'a.*' })],
    [
      'one that asks for more',
      keyless({ subject: 'a', ...extensions('https://x') }),
      keyless({ subject: 'a' }),
    ],
    ['the same workflow', github(['refs/tags/v*']), github(['refs/tags/v*'])],
    [
      'the same identity of Notation',
      notation('x509.subject: C=US, ST=WA, O=A'),
      notation('x509.subject: C=US, ST=WA, O=A'),
    ],
  ])('says so of %s, whichever is asked of which', (_what, one, other) => {
    expect([areAlike(one, other), areAlike(other, one)]).toEqual([true, true]);
  });

  it.each<[string, ResolvedIssuer, ResolvedIssuer]>([
    ['another key', resolved(keyIssuer('a', 'pem')), resolved(keyIssuer('b', 'other'))],
    ['another subject', keyless({ subject: 'a' }), keyless({ subject: 'b' })],
    ['a pattern that does not match the whole', keyless({ subject: 'ab' }), keyless({ subjectPattern: 'a' })],
    ['different patterns', keyless({ subjectPattern: 'a.*' }), keyless({ subjectPattern: '.*a' })],
    [
      'another OIDC issuer',
      keyless({ subject: 'a' }),
      keyless({ issuer: 'https://other.example', subject: 'a' }),
    ],
    [
      'other extensions',
      keyless({ subject: 'a', ...extensions('https://x') }),
      keyless({ subject: 'a', ...extensions('https://y') }),
    ],
    ['parts that say nothing of each other', keyless({ subject: 'a' }), keyless(extensions('https://x'))],
    ['another repository', github(['refs/tags/v*']), github(['refs/tags/v*'], 'acme/other')],
    ['other refs', github(['refs/tags/v*']), github(['refs/heads/main'])],
    ['another kind', resolved(keyIssuer('a', 'pem')), keyless({ subject: 'a' })],
  ])('says nothing of %s', (_what, one, other) => {
    expect([areAlike(one, other), areAlike(other, one)]).toEqual([false, false]);
  });
});
