import { describe, expect, it } from 'vitest';
import { revocationServices } from '../../../src/verification/revocation/revocation-services.ts';
import type { RevocationServices } from '../../../src/verification/revocation/revocation-services.ts';
import { parseCertificate } from '../../../src/verification/x509/certificate.ts';
import { extensionOid } from '../../../src/verification/x509/extensions.ts';
import { extension, nothing, oid, primitive, sequence, tagged, uri } from '../../support/der-values.ts';
import { certify, listsAt, ocspAt } from '../../support/test-pki.ts';

const of = (...extensions: Uint8Array[]): RevocationServices =>
  revocationServices(parseCertificate(certify('leaf', { extensions }).der, 'The leaf'));
const access = (...descriptions: Uint8Array[]): Uint8Array =>
  extension(extensionOid.authorityInformationAccess, sequence(...descriptions));
const points = (...all: Uint8Array[]): Uint8Array =>
  extension(extensionOid.crlDistributionPoints, sequence(...all));
const ocsp = '1.3.6.1.5.5.7.48.1';
const caIssuers = '1.3.6.1.5.5.7.48.2';
const url = 'http://ocsp.test/a';

describe('revocationServices', () => {
  it('names none where a certificate names none', () => {
    expect(of()).toEqual({ areNamed: false, ocspUrls: [], points: [], hasDeltas: false });
    expect(of(access(sequence(oid(caIssuers), uri(url))))).toMatchObject({ areNamed: false, ocspUrls: [] });
  });

  it('leaves out a responder that is not named by a URL, and remembers that one is named', () => {
    const byName = access(sequence(oid(ocsp), primitive(2, Buffer.from(url))));
    expect(of(byName)).toMatchObject({ areNamed: true, ocspUrls: [] });
    expect(
      of(access(sequence(oid(caIssuers), uri('http://other.test/')), sequence(oid(ocsp), uri(url)))),
    ).toMatchObject({
      ocspUrls: [url],
    });
  });

  it('takes nothing more than a method and a place', () => {
    expect(() => of(access(sequence(oid(ocsp), uri(url), nothing)))).toThrow('more than belongs there');
  });

  it.each([
    ['T10 with a user', 'http://me@ocsp.test/'],
    ['T10 with a password', 'http://:secret@ocsp.test/'],
    ['over TLS', 'https://ocsp.test/'],
    ['of a directory', 'ldap://ocsp.test/'],
    ['within another', 'ldap://x/http://ocsp.test/'],
    ['with a space', 'http://ocsp.test/a b'],
    ['that is none', 'http://['],
    ['of 2049 characters', `http://ocsp.test/${'a'.repeat(2049 - 17)}`],
  ])('asks nobody at a URL %s', (_what, asked) => {
    expect(of(ocspAt(asked))).toMatchObject({ areNamed: true, ocspUrls: [] });
    expect(of(listsAt(asked))).toMatchObject({ areNamed: true, points: [] });
  });

  it('asks at a URL of 2048 characters', () => {
    const long = `http://ocsp.test/${'a'.repeat(2048 - 17)}`;
    expect(of(ocspAt(long)).ocspUrls).toEqual([long]);
  });

  it('T11 asks three of each kind', () => {
    const urls = ['a', 'b', 'c', 'd'].map((name) => `http://${name}.test/`);
    expect(of(ocspAt(...urls)).ocspUrls).toEqual(urls.slice(0, 3));
    expect(of(listsAt(...urls)).points.flatMap((point) => point.urls)).toEqual(urls.slice(0, 3));
  });

  it('leaves out points that are for some reasons, of another issuer, or named relative to one', () => {
    const full = tagged(0, tagged(0, uri(url), primitive(2, Buffer.from('crl.test'))));
    expect(of(points(sequence(full))).points).toEqual([{ uris: [url], urls: [url] }]);
    for (const point of [
      sequence(full, primitive(1, Buffer.of(0, 0x80))),
      sequence(full, tagged(2, sequence())),
      sequence(tagged(0, tagged(1, sequence()))),
      sequence(),
    ]) {
      expect(of(points(point))).toMatchObject({ areNamed: true, points: [] });
    }
  });

  it('keeps all URIs of a point, and asks at those that are asked', () => {
    const both = sequence(tagged(0, tagged(0, uri('ldap://x/'), uri(url))));
    expect(of(points(both)).points).toEqual([{ uris: ['ldap://x/', url], urls: [url] }]);
  });
});
