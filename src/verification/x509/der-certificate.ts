import { X509Certificate } from 'node:crypto';

/**
 * The certificate that these bytes are in DER, all of them. Left alone the parser looks for PEM first, anywhere in the
 * bytes: a DER certificate with a PEM one in its extensions would be one certificate here and another wherever DER is read.
 * @throws Error for anything else.
 */
export function readDerCertificate(der: Uint8Array): X509Certificate {
  const certificate = new X509Certificate(der);
  if (!certificate.raw.equals(der)) throw new Error('The bytes are not one certificate in DER.');
  return certificate;
}
