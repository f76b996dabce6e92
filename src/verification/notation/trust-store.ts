import { RefwardenError } from '../../failures/failure.ts';
import type { TrustStoreMaterial } from '../../policy/resolved-issuer.ts';
import { isIssuedBy } from '../x509/certificate.ts';
import { nameOf } from './certificate-rules.ts';
import { parseNotationCertificate } from './notation-certificate.ts';
import type { NotationCertificate } from './notation-certificate.ts';

/** Longest PEM of one store, in characters: what a ConfigMap or file holds. */
const maxStoreLength = 1024 * 1024;
/** Most certificates of one store. */
const maxStoreCertificates = 200;

const block = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/**
 * Certificates of a trust store (trust-store-trust-policy.md "Trust Store"). None of them is taken for another's issuer:
 * a signature's chain must lead to one of them.
 * @throws RefwardenError `TrustMaterialInvalid`: the store, and what is wrong with it.
 */
export function parseTrustStore({
  type,
  name,
  certificates,
}: TrustStoreMaterial): readonly NotationCertificate[] {
  const refuse = (what: string, cause?: unknown): never => {
    throw new RefwardenError('TrustMaterialInvalid', `The ${type} trust store (${name}) ${what}.`, cause);
  };
  if (certificates.length > maxStoreLength) return refuse(`is longer than ${maxStoreLength} characters`);
  const blocks = [...certificates.matchAll(block)];
  if (blocks.some(([, label = '']) => label.includes('PRIVATE KEY'))) {
    return refuse('holds a private key: take it for leaked');
  }
  // One that is cut short would silently be trusted no more.
  if (certificates.split('-----BEGIN ').length - 1 !== blocks.length)
    return refuse('holds a damaged PEM block');
  if (blocks.length === 0) return refuse('holds no certificate in PEM');
  if (blocks.length > maxStoreCertificates)
    return refuse(`holds more than ${maxStoreCertificates} certificates`);
  return blocks.map(([, label, text = ''], index) => {
    const which = `certificate ${index + 1}`;
    if (label !== 'CERTIFICATE') return refuse(`holds something else than certificates`);
    let certificate: NotationCertificate;
    try {
      certificate = parseNotationCertificate(Buffer.from(text, 'base64'));
    } catch (cause) {
      return refuse(`has a ${which} that does not parse`, cause);
    }
    // The certificate of a mere signer that some authority issued is never the end of a chain.
    return certificate.basicConstraints?.isCa === true || isIssuedBy(certificate, certificate)
      ? certificate
      : refuse(`has a ${which}, ${nameOf(certificate)}, that is neither of an authority nor self-signed`);
  });
}
