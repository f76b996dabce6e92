import { describe, expect, it } from 'vitest';
import { readSignedToken } from '../../../src/verification/timestamp/signed-token.ts';
import { readTimestampInfo } from '../../../src/verification/timestamp/timestamp-info.ts';
import { withChildren } from '../../support/changed-children.ts';
import {
  extension,
  generalizedTime,
  integer,
  nothing,
  octets,
  oid,
  primitive,
} from '../../support/der-values.ts';
import { sequence, tagged, truth } from '../../support/der-values.ts';
import { takenThoughExtended } from '../../support/extended-der.ts';
import { makeToken } from '../../support/make-token.ts';
import { certify } from '../../support/test-pki.ts';

const authority = certify('TSA');
const token = makeToken(authority, authority, { message: Buffer.from('m'), certificates: [] });
const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
const imprint = sequence(sha256, octets(Buffer.alloc(32)));
const beforeOptional = [integer(1), oid('1.2.3.4'), imprint, integer(7), generalizedTime('20261126110000Z')];

describe('readSignedToken', () => {
  it('takes nothing more than belongs there, but where it does not look', () => {
    expect(
      takenThoughExtended(token, readSignedToken, /more than (?:belongs there|one signer)|tag 5 instead of/),
    ).toEqual([
      '1', // after the SignedData
      '1.0.1', // the list of digest algorithms, and each
      '1.0.1.0',
      '1.0.3', // certificates: other forms of them may stand there
      '1.0.4.0.1.0', // the issuer's name, compared as a whole
      '1.0.4.0.1.0.0',
      '1.0.4.0.1.0.0.0',
      '1.0.4.0.3.2.1.0', // after the first certificate that is named
      '1.0.4.0.3.2.1.0.0',
      '1.0.4.0.3.2.1.0.0.0',
      '1.0.4.0.4', // signature algorithm: a NULL is its parameter
    ]);
  });

  it('takes revocation lists beside the certificates, and unsigned attributes', () => {
    const withLists = withChildren(token, ([type = nothing, data = nothing]) => [
      type,
      withChildren(data, ([signedData = nothing]) => [
        withChildren(signedData, (parts) => [
          ...parts.slice(0, -1),
          tagged(1, sequence()),
          ...parts.slice(-1),
        ]),
      ]),
    ]);
    expect(readSignedToken(withLists)).toEqual(readSignedToken(token));
    const withAttributes = withChildren(token, ([type = nothing, data = nothing]) => [
      type,
      withChildren(data, ([signedData = nothing]) => [
        withChildren(signedData, (parts) => [
          ...parts.slice(0, -1),
          withChildren(parts.at(-1) ?? nothing, ([signer = nothing]) => [
            withChildren(signer, (fields) => [...fields, tagged(1, sequence())]),
          ]),
        ]),
      ]),
    ]);
    expect(readSignedToken(withAttributes)).toEqual(readSignedToken(token));
  });

  it('leaves out what stands among the certificates and is none', () => {
    const certificates = [authority.der, tagged(2, authority.der)].map((der) => ({ ...authority, der }));
    const mixed = makeToken(authority, authority, { message: Buffer.from('m'), certificates });
    expect(readSignedToken(mixed).certificates.map((der) => Buffer.from(der))).toEqual([
      Buffer.from(authority.der),
    ]);
  });

  it('takes no content but SignedData', () => {
    const other = withChildren(token, ([, data = nothing]) => [oid('1.2.840.113549.1.7.1'), data]);
    expect(() => readSignedToken(other)).toThrow('content that is no SignedData');
  });
});

describe('readTimestampInfo', () => {
  const full = sequence(
    ...beforeOptional,
    sequence(integer(1), primitive(0, Buffer.of(2)), primitive(1, Buffer.of(3))),
    truth,
    integer(99),
    tagged(0, sequence()),
    tagged(1, extension('1.2.3', Buffer.of(5, 0))),
  );

  it('reads what may be there, and takes nothing more', () => {
    expect(readTimestampInfo(full)).toMatchObject({ accuracyMs: 1003 });
    expect(takenThoughExtended(full, readTimestampInfo, /more than belongs there|tag 5 instead of/)).toEqual([
      '2.0', // a NULL is the parameter of a hash
      '8', // the name of the authority is not looked at
      '8.0',
    ]);
  });

  it('takes extensions, but none that is critical', () => {
    const of = (isCritical: boolean): Uint8Array =>
      sequence(...beforeOptional, tagged(1, extension('1.2.3', Buffer.of(5, 0), isCritical)));
    expect(readTimestampInfo(of(false)).accuracyMs).toBe(0);
    expect(() => readTimestampInfo(of(true))).toThrow('the critical extension 1.2.3');
  });

  it('goes by the second that ETSI promises only where nothing is stated', () => {
    const accuracy = (...parts: Uint8Array[]): number =>
      readTimestampInfo(
        sequence(
          ...beforeOptional.with(1, oid('0.4.0.2023.1.1')),
          ...(parts.length === 0 ? [] : [sequence(...parts)]),
        ),
      ).accuracyMs;
    expect(accuracy()).toBe(1000);
    expect(accuracy(primitive(0, Buffer.of(5)))).toBe(5);
  });

  it('takes accuracies up to a day, 999 milliseconds and 999 microseconds', () => {
    const accuracy =
      (...parts: Uint8Array[]) =>
      () =>
        readTimestampInfo(sequence(...beforeOptional, sequence(...parts))).accuracyMs;
    const small = (number: number, value: number): Uint8Array =>
      primitive(number, Buffer.of(value >> 8, value & 0xff));
    expect(accuracy(integer(86_400))()).toBe(86_400_000);
    expect(accuracy(small(0, 999), small(1, 999))()).toBe(1000);
    for (const parts of [[integer(86_401)], [small(0, 1000)], [small(1, 1000)]]) {
      expect(accuracy(...parts)).toThrow('an accuracy out of range');
    }
  });
});
