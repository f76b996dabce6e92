import { isIssuedBy, parseCertificate } from '../x509/certificate.ts';
import type { Certificate } from '../x509/certificate.ts';
import { contextTag, DerFault, DerReader, derTag, openDer, sameBytes } from '../x509/der.ts';
import type { DerElement } from '../x509/der.ts';
import { readGeneralizedTime } from '../x509/der-time.ts';
import {
  extensionOid,
  keyUsage,
  keyUsageBit,
  purposeOid,
  purposes,
  readExtensions,
} from '../x509/extensions.ts';
import type { Extensions } from '../x509/extensions.ts';
import { readDer } from '../x509/read-der.ts';
import { readSignedFrame, verifyFrame } from '../x509/signed-by.ts';
import type { SignedFrame } from '../x509/signed-by.ts';
import { isCertIdOf, keyHash } from './ocsp-request.ts';
import { maxOcspBytes } from './revocation-source.ts';
import { checkBegun, iso, isStale, unknown } from './revocation-status.ts';
import type { RevocationStatus } from './revocation-status.ts';

const basicResponseOid = '1.3.6.1.5.5.7.48.1.1';
const maxCertificates = 8;
const maxSingleResponses = 64;
/** OCSPResponseStatus (RFC 6960, 4.2.1). */
const statuses: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};
const certStatus = {
  good: contextTag(0, 'primitive'),
  revoked: contextTag(1, 'constructed'),
  unknown: contextTag(2, 'primitive'),
} as const;

/** Of which certificate the answer must be, and when it must count. */
export interface OcspQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly nowMs: number;
}

export interface OcspAnswer {
  readonly status: RevocationStatus;
  /** The certificate of a responder that must be looked up itself: it lacks ocsp-nocheck. */
  readonly unprovenResponder?: Certificate;
}

/**
 * Verifies the answer of a responder (RFC 6960, 3.2 and 4.2.2.2): the issuer itself, or one whose certificate the issuer
 * signed for that.
 * @throws RefwardenError `RevocationUnknown` with why nothing follows from it.
 */
export function verifyOcspResponse(response: Uint8Array, question: OcspQuestion): OcspAnswer {
  if (response.length > maxOcspBytes) throw unknown(`The answer is larger than ${maxOcspBytes} bytes`);
  return readDer('RevocationUnknown', 'The answer', () => verify(response, question));
}

function verify(response: Uint8Array, question: OcspQuestion): OcspAnswer {
  const outer = openDer(response);
  const status = outer.count(derTag.enumerated);
  if (status !== 0) throw unknown(`The responder refused the question (${statuses[status] ?? status})`);
  const bytes = outer.open(contextTag(0, 'constructed')).open();
  if (bytes.oid() !== basicResponseOid) throw unknown('The answer is of an unknown type');
  const basic = openDer(bytes.read(derTag.octetString).content);
  const frame = readSignedFrame(basic);
  const certificates = basic.openOptional(contextTag(0, 'constructed'))?.open();
  basic.finish();
  const data = openDer(frame.body);
  data.optional(contextTag(0, 'constructed')); // version
  const responder = data.read();
  const delegate = verifySignature(frame, responder, certificates, question);
  readGeneralizedTime(data); // producedAt
  const singles = data.open();
  checkExtensions(data.openOptional(contextTag(1, 'constructed'))?.open());
  data.finish();
  const answer = { status: statusOf(singles, question) };
  if (delegate === undefined || delegate.extensions.has(extensionOid.ocspNoCheck)) return answer;
  return { ...answer, unprovenResponder: delegate };
}

/** @returns the certificate of the responder, unless the issuer signed itself. */
function verifySignature(
  frame: SignedFrame,
  responder: DerElement,
  certificates: DerReader | undefined,
  { issuer, nowMs }: OcspQuestion,
): Certificate | undefined {
  if (isNamed(responder, issuer) && verifyFrame(frame, issuer.key)) return undefined;
  const delegates: Certificate[] = [];
  for (const { whole } of certificates?.rest() ?? []) {
    if (delegates.length === maxCertificates)
      throw unknown(`The answer holds more than ${maxCertificates} certificates`);
    delegates.push(parseCertificate(whole, 'A certificate of the answer'));
  }
  const delegate = delegates.find(
    (certificate) => isNamed(responder, certificate) && verifyFrame(frame, certificate.key),
  );
  if (delegate === undefined) throw unknown('The signature of the answer does not verify');
  const problem = problemOf(delegate, issuer, nowMs);
  if (problem !== undefined) throw unknown(`The responder ${delegate.subjectText} ${problem}`);
  return delegate;
}

function problemOf(delegate: Certificate, issuer: Certificate, nowMs: number): string | undefined {
  const { extensions, notBeforeMs, notAfterMs } = delegate;
  if (!isIssuedBy(delegate, issuer)) return 'is not authorised: another authority issued its certificate';
  if (purposes(extensions)?.includes(purposeOid.ocspSigning) !== true) {
    return 'is not authorised: its certificate is not for signing answers (extendedKeyUsage)';
  }
  if (keyUsage(extensions)?.has(keyUsageBit.digitalSignature) === false) {
    return 'has a certificate that is not for digital signatures (keyUsage)';
  }
  if (nowMs < notBeforeMs || nowMs > notAfterMs) {
    return `has a certificate that is valid from ${iso(notBeforeMs)} to ${iso(notAfterMs)}`;
  }
  return undefined;
}

/** ResponderID: by name, or by the hash of the key. */
function isNamed({ tag, content }: DerElement, certificate: Certificate): boolean {
  const reader = new DerReader(content);
  if (tag === contextTag(1, 'constructed')) {
    return sameBytes(reader.read(derTag.sequence).whole, certificate.subject);
  }
  if (tag !== contextTag(2, 'constructed')) throw new DerFault('a malformed name of the responder');
  return sameBytes(reader.read(derTag.octetString).content, keyHash(certificate));
}

function checkExtensions(list: DerReader | undefined): void {
  if (list === undefined) return;
  const extensions = readExtensions(list);
  if (extensions.has(extensionOid.ocspNonce)) {
    throw unknown('The answer was made for another question: it has a nonce, and none was sent');
  }
  refuseCritical(extensions);
}

function refuseCritical(extensions: Extensions): void {
  for (const [oid, { isCritical }] of extensions) {
    if (isCritical) throw unknown(`The answer has the critical extension ${oid}, which is not supported`);
  }
}

/** The first answer for the certificate counts; others may stand beside it. */
function statusOf(singles: DerReader, question: OcspQuestion): RevocationStatus {
  const { certificate, issuer, nowMs } = question;
  for (let count = 0; !singles.isAtEnd && count < maxSingleResponses; count++) {
    const single = singles.open();
    if (!isCertIdOf(single.open(), certificate, issuer)) continue;
    const status = single.read();
    const thisUpdateMs = readGeneralizedTime(single);
    const next = single.openOptional(contextTag(0, 'constructed'));
    const extensions = single.openOptional(contextTag(1, 'constructed'));
    single.finish();
    const known = extensions === undefined ? new Map() : readExtensions(extensions.open());
    refuseCritical(known);
    if (next === undefined) throw unknown('The answer does not say until when it counts');
    const untilMs = readGeneralizedTime(next);
    checkBegun(thisUpdateMs, nowMs, 'The answer');
    if (isStale(untilMs, nowMs)) throw unknown(`The answer is stale: it counted until ${iso(untilMs)}`);
    return readStatus(status, known, untilMs);
  }
  throw unknown('The answer is about another certificate');
}

function readStatus({ tag, content }: DerElement, extensions: Extensions, untilMs: number): RevocationStatus {
  if (tag === certStatus.good && content.length === 0) return { status: 'good', untilMs };
  if (tag === certStatus.unknown) throw unknown('The responder does not know the certificate');
  if (tag !== certStatus.revoked) throw new DerFault('a malformed status');
  const info = new DerReader(content);
  const revokedAtMs = readGeneralizedTime(info);
  const reason = info.openOptional(contextTag(0, 'constructed'))?.count(derTag.enumerated);
  info.finish();
  const invalidFromMs = invalidityDate(extensions);
  return {
    status: 'revoked',
    untilMs,
    revokedAtMs,
    ...(reason === undefined ? {} : { reason }),
    ...(invalidFromMs === undefined ? {} : { invalidFromMs }),
  };
}

/** Of an entry of a list, and of an answer about one. @throws DerFault */
export function invalidityDate(extensions: Extensions): number | undefined {
  const extension = extensions.get(extensionOid.invalidityDate);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value);
  const timeMs = readGeneralizedTime(reader);
  reader.finish();
  return timeMs;
}
