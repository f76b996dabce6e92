import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/verification/x509/certificate.ts';
import { DerReader } from '../../../src/verification/x509/der.ts';
import { withChildren } from '../../support/changed-children.ts';
import { primitive } from '../../support/der-values.ts';
import { takenThoughExtended } from '../../support/extended-der.ts';
import { failureOf } from '../../support/failure-of.ts';
import { certify, ofAuthority, signed } from '../../support/test-pki.ts';

const holder = certify('somebody', { extensions: ofAuthority });
const body = new DerReader(holder.der).open().read().whole;
/** With another body, signed anew. */
const around = (changed: Uint8Array): Uint8Array => signed(changed, holder.key);
const refusal = (der: Uint8Array): string => failureOf(() => parseCertificate(der, 'The certificate'));

describe('parseCertificate', () => {
  it('takes the unique identifiers that X.509 once had', () => {
    const identifiers = [primitive(1, Buffer.of(0, 1)), primitive(2, Buffer.of(0, 2))];
    const of = (...added: Uint8Array[]): Uint8Array =>
      around(withChildren(body, (parts) => [...parts.slice(0, -1), ...added, ...parts.slice(-1)]));
    const { extensions } = parseCertificate(of(), 'The certificate');
    for (const added of [identifiers, identifiers.slice(0, 1), identifiers.slice(1)]) {
      expect(parseCertificate(of(...added), 'The certificate').extensions).toEqual(extensions);
    }
  });

  it('takes nothing more than belongs there, but where it does not look', () => {
    const taken = takenThoughExtended(
      holder.der,
      (der) => parseCertificate(der, 'The certificate'),
      /^The certificate does not parse/,
    );
    expect(taken).toEqual(['0.2', '1']); // the algorithm, twice: a NULL is its parameter
  });

  it('T11 reads no certificate that is larger than 64 KiB', () => {
    const tooLarge = 'CertificateInvalid: The certificate is larger than 65536 bytes.';
    expect(refusal(new Uint8Array(65_536))).toBe('CertificateInvalid: The certificate does not parse.');
    expect(refusal(new Uint8Array(65_537))).toBe(tooLarge);
  });
});
