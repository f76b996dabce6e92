import { createHash } from 'node:crypto';
import type { Certificate } from '../x509/certificate.ts';
import type { DerReader } from '../x509/der.ts';
import { derTag, sameBytes } from '../x509/der.ts';
import { encodeDer } from '../x509/encode-der.ts';

/** AlgorithmIdentifier of SHA-1. */
const sha1 = Buffer.from('300906052b0e03021a0500', 'hex');
const sha1Oid = '1.3.14.3.2.26';

/**
 * DER OCSPRequest for one certificate (RFC 6960, 4.1). SHA-1 names the certificate, as RFC 5019 has it and most responders
 * know no other; nothing rests on it. It has no nonce, so that answers can be kept.
 */
export function buildOcspRequest(certificate: Certificate, issuer: Certificate): Uint8Array {
  const certId = encodeDer(
    derTag.sequence,
    sha1,
    encodeDer(derTag.octetString, nameHash(certificate)),
    encodeDer(derTag.octetString, keyHash(issuer)),
    encodeDer(derTag.integer, certificate.serial),
  );
  const request = encodeDer(derTag.sequence, certId);
  return encodeDer(derTag.sequence, encodeDer(derTag.sequence, encodeDer(derTag.sequence, request)));
}

/** Whether a CertID names the certificate as {@link buildOcspRequest} does. @throws DerFault */
export function isCertIdOf(certId: DerReader, certificate: Certificate, issuer: Certificate): boolean {
  const algorithm = certId.open();
  const isSha1 = algorithm.oid() === sha1Oid;
  const name = certId.read(derTag.octetString).content;
  const key = certId.read(derTag.octetString).content;
  const serial = certId.read(derTag.integer).content;
  certId.finish();
  return (
    isSha1 &&
    sameBytes(name, nameHash(certificate)) &&
    sameBytes(key, keyHash(issuer)) &&
    sameBytes(serial, certificate.serial)
  );
}

const nameHash = ({ issuer }: Certificate): Buffer => createHash('sha1').update(issuer).digest();

/** What a responder may be named by, too. */
export const keyHash = ({ keyBits }: Certificate): Buffer => createHash('sha1').update(keyBits).digest();
