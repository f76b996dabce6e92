import { computeDigest } from '../../image/digest.ts';
import { parseCertificate } from '../x509/certificate.ts';
import type { Certificate } from '../x509/certificate.ts';
import { basicConstraints, extensionOid, keyUsage, purposes } from '../x509/extensions.ts';
import type { BasicConstraints } from '../x509/extensions.ts';
import { readDer } from '../x509/read-der.ts';
import { maxCertificateBytes } from './signed-envelope.ts';
import { RefwardenError } from '../../failures/failure.ts';

/** A certificate with the three extensions that are honoured (signature-specification.md "Other requirements"). */
export interface NotationCertificate extends Certificate {
  /** `sha256:<hex>` of the DER. */
  readonly fingerprint: string;
  readonly basicConstraints?: BasicConstraints;
  /** Bits by their number in RFC 5280 (4.2.1.3). */
  readonly keyUsage?: { readonly isCritical: boolean; readonly bits: ReadonlySet<number> };
  /** OIDs. */
  readonly purposes?: readonly string[];
}

const whose = 'A certificate of the signature';

/** @throws RefwardenError `CertificateInvalid` for what is not one certificate of DER. */
export function parseNotationCertificate(der: Uint8Array): NotationCertificate {
  if (der.length > maxCertificateBytes) {
    throw new RefwardenError('CertificateInvalid', `${whose} is larger than ${maxCertificateBytes} bytes.`);
  }
  const certificate = parseCertificate(der, whose);
  const { extensions } = certificate;
  return readDer('CertificateInvalid', whose, () => {
    const [constraints, bits, oids] = [
      basicConstraints(extensions),
      keyUsage(extensions),
      purposes(extensions),
    ];
    const isCritical = extensions.get(extensionOid.keyUsage)?.isCritical === true;
    return {
      ...certificate,
      fingerprint: computeDigest(der),
      ...(constraints === undefined ? {} : { basicConstraints: constraints }),
      ...(bits === undefined ? {} : { keyUsage: { isCritical, bits } }),
      ...(oids === undefined ? {} : { purposes: oids }),
    };
  });
}
