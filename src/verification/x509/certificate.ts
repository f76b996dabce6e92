import type { KeyObject } from 'node:crypto';
import { RefwardenError } from '../../failures/failure.ts';
import { printable } from '../../failures/printable.ts';
import { excerpt } from '../excerpt.ts';
import type { DerReader } from './der.ts';
import { contextTag, DerFault, derTag, openDer, sameBytes } from './der.ts';
import { readDerCertificate } from './der-certificate.ts';
import { readTime } from './der-time.ts';
import { readExtensions } from './extensions.ts';
import type { Extensions } from './extensions.ts';
import { readSignedFrame, verifyFrame } from './signed-by.ts';
import type { SignedFrame } from './signed-by.ts';

/** Largest certificate looked at, bytes. */
const maxCertificateBytes = 64 * 1024;

/** A certificate as RFC 5280 reads it. Nothing about it is trusted yet. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly key: KeyObject;
  /** Content of the INTEGER. */
  readonly serial: Uint8Array;
  /** DER of the names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** The subject for people. */
  readonly subjectText: string;
  /** Bits of the SubjectPublicKeyInfo without its algorithm: what OCSP hashes. */
  readonly keyBits: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: Extensions;
  readonly frame: SignedFrame;
}

/**
 * @param whose names the certificate in messages: `The certificate of the timestamp authority`.
 * @throws RefwardenError `CertificateInvalid`.
 */
export function parseCertificate(der: Uint8Array, whose: string): Certificate {
  if (der.length > maxCertificateBytes) {
    throw new RefwardenError('CertificateInvalid', `${whose} is larger than ${maxCertificateBytes} bytes.`);
  }
  try {
    const { publicKey, subject } = readDerCertificate(der);
    const outer = openDer(der);
    const frame = readSignedFrame(outer);
    outer.finish();
    return {
      der,
      key: publicKey,
      subjectText: excerpt(printable(subject.split('\n').join(', '))),
      frame,
      ...readBody(openDer(frame.body)),
    };
  } catch (cause) {
    const why = cause instanceof DerFault ? `: it has ${cause.message}` : '';
    throw new RefwardenError('CertificateInvalid', `${whose} does not parse${why}.`, cause);
  }
}

function readBody(body: DerReader): Omit<Certificate, 'der' | 'key' | 'subjectText' | 'frame'> {
  body.optional(contextTag(0, 'constructed')); // version
  const serial = body.read(derTag.integer).content;
  body.read(derTag.sequence); // signature algorithm, again
  const issuer = body.read(derTag.sequence).whole;
  const validity = body.open();
  const notBeforeMs = readTime(validity);
  const notAfterMs = readTime(validity);
  const subject = body.read(derTag.sequence).whole;
  const keyInfo = body.open();
  keyInfo.read(derTag.sequence);
  const keyBits = keyInfo.bitString();
  body.optional(contextTag(1, 'primitive')); // unique identifiers
  body.optional(contextTag(2, 'primitive'));
  const extensions = body.openOptional(contextTag(3, 'constructed'));
  body.finish();
  return {
    serial,
    issuer,
    subject,
    keyBits,
    notBeforeMs,
    notAfterMs,
    extensions: extensions === undefined ? new Map() : readExtensions(extensions.open()),
  };
}

/** Whether the issuer's key signed the certificate, and it names that issuer. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return sameBytes(certificate.issuer, issuer.subject) && verifyFrame(certificate.frame, issuer.key);
}
