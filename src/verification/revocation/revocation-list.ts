import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../x509/certificate.ts';
import { contextTag, decodeBoolean, DerFault, DerReader, derTag, openDer, sameBytes } from '../x509/der.ts';
import { readTime } from '../x509/der-time.ts';
import { basicConstraints, extensionOid, keyUsage, keyUsageBit, readExtensions } from '../x509/extensions.ts';
import type { Extensions } from '../x509/extensions.ts';
import { readDerInTurns } from '../x509/read-der.ts';
import { readSignedFrame, verifyFrame } from '../x509/signed-by.ts';
import type { SignedFrame } from '../x509/signed-by.ts';
import { findRevoked } from './find-revoked.ts';
import { invalidityDate } from './ocsp-response.ts';
import { fullNameUris } from './revocation-services.ts';
import { maxCrlBytes } from './revocation-source.ts';
import { checkBegun, iso, isStale, revocationReason, unknown } from './revocation-status.ts';
import type { RevocationStatus } from './revocation-status.ts';

/** Most keys that one list is remembered under. */
const maxKnownKeys = 16;

export interface ListQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** URIs of the certificate's distribution point that led to the list. */
  readonly uris: readonly string[];
  readonly nowMs: number;
}

/**
 * Verifies a complete list of revoked certificates (RFC 5280, 5 and 6.3.3) and looks one up. Lists of changes (delta),
 * of other issuers' certificates (indirect) and of some reasons only are refused: nothing good follows from them alone.
 * Other work goes on meanwhile: a list may have a million entries.
 * @throws RefwardenError `RevocationUnknown` with why nothing follows from it.
 */
export async function verifyRevocationList(
  list: Uint8Array,
  question: ListQuestion,
): Promise<RevocationStatus> {
  if (list.length > maxCrlBytes) throw unknown(`The list is larger than ${maxCrlBytes} bytes`);
  return readDerInTurns('RevocationUnknown', 'The list', () => verify(list, question));
}

async function verify(list: Uint8Array, question: ListQuestion): Promise<RevocationStatus> {
  const { certificate, issuer, nowMs } = question;
  const outer = openDer(list);
  const frame = readSignedFrame(outer);
  outer.finish();
  const body = openDer(frame.body);
  body.optional(derTag.integer); // version
  body.read(derTag.sequence); // signature algorithm, again
  if (!sameBytes(body.read(derTag.sequence).whole, certificate.issuer)) {
    throw unknown('The list is of another authority than the one that issued the certificate');
  }
  if (keyUsage(issuer.extensions)?.has(keyUsageBit.cRLSign) === false) {
    throw unknown('The authority may not sign lists (keyUsage)');
  }
  if (!isSigned(list, frame, issuer.key)) throw unknown('The signature of the list does not verify');
  const thisUpdateMs = readTime(body);
  const isTime = body.peek() === derTag.utcTime || body.peek() === derTag.generalizedTime;
  if (!isTime) throw unknown('The list does not say until when it counts');
  const untilMs = readTime(body);
  const entries = body.optional(derTag.sequence)?.content ?? new Uint8Array();
  const extensions = body.openOptional(contextTag(0, 'constructed'));
  body.finish();
  checkExtensions(extensions === undefined ? new Map() : readExtensions(extensions.open()), question);
  checkBegun(thisUpdateMs, nowMs, 'The list');
  const entry = await findRevoked(entries, certificate.serial, (content) => void readEntry(content, untilMs));
  const status = entry === undefined ? ({ status: 'good', untilMs } as const) : readEntry(entry, untilMs);
  // "If the CRL is expired and the certificate is listed for any reason other than certificate hold, the certificate is
  // considered revoked" (Notary Project, trust-store-trust-policy.md).
  const isFinal = status.status === 'revoked' && status.reason !== revocationReason.certificateHold;
  if (isStale(untilMs, nowMs) && !isFinal) {
    throw unknown(`The list is stale: it counted until ${iso(untilMs)}`);
  }
  return status;
}

/** Of lists that are kept: hashing a large one takes as long as everything else, and each signature asks for it again. */
const known = new WeakMap<Uint8Array, Map<string, boolean>>();

function isSigned(list: Uint8Array, frame: SignedFrame, key: KeyObject): boolean {
  const byKey = known.get(list) ?? new Map<string, boolean>();
  known.set(list, byKey);
  const name = key.export({ type: 'spki', format: 'der' }).toString('base64');
  const verdict = byKey.get(name) ?? verifyFrame(frame, key);
  if (byKey.size < maxKnownKeys) byKey.set(name, verdict);
  return verdict;
}

function checkExtensions(extensions: Extensions, question: ListQuestion): void {
  if (extensions.has(extensionOid.deltaCrlIndicator))
    throw unknown('The list holds changes only (delta CRL)');
  if (extensions.has(extensionOid.freshestCrl)) {
    throw unknown('The list is to be read with a list of changes (delta CRL), which is not supported');
  }
  for (const [oid, { isCritical, value }] of extensions) {
    if (oid === extensionOid.issuingDistributionPoint) checkScope(openDer(value), question);
    else if (isCritical) throw unknown(`The list has the critical extension ${oid}, which is not supported`);
  }
}

/** IssuingDistributionPoint: an authority's list for other certificates says nothing of this one. */
function checkScope(scope: DerReader, { certificate, uris }: ListQuestion): void {
  const name = scope.openOptional(contextTag(0, 'constructed'));
  const flag = (number: number): boolean => {
    const element = scope.optional(contextTag(number, 'primitive'));
    return element !== undefined && decodeBoolean(element.content);
  };
  const [ofUsers, ofAuthorities] = [flag(1), flag(2)];
  const ofSomeReasons = scope.optional(contextTag(3, 'primitive')) !== undefined;
  const [isIndirect, ofAttributes] = [flag(4), flag(5)];
  scope.finish();
  const isAuthority = basicConstraints(certificate.extensions)?.isCa === true;
  if (isIndirect) throw unknown('The list is of several authorities (indirect CRL), which is not supported');
  if (ofSomeReasons) throw unknown('The list is for some reasons only, which is not supported');
  const isOther = ofAttributes || (isAuthority ? ofUsers : ofAuthorities);
  const isElsewhere = name !== undefined && !fullNameUris(name).some((uri) => uris.includes(uri));
  if (isOther || isElsewhere) throw unknown('The list is for other certificates of the authority');
}

/** @throws DerFault, and RefwardenError `RevocationUnknown` for a critical extension. */
function readEntry(content: Uint8Array, untilMs: number): RevocationStatus {
  const entry = new DerReader(content);
  entry.read(derTag.integer);
  const revokedAtMs = readTime(entry);
  const list = entry.openOptional(derTag.sequence);
  entry.finish();
  const extensions: Extensions = list === undefined ? new Map() : readExtensions(list);
  let reason: number | undefined;
  for (const [oid, { isCritical, value }] of extensions) {
    if (oid === extensionOid.reasonCode) reason = new DerReader(value).count(derTag.enumerated);
    else if (isCritical && oid !== extensionOid.invalidityDate) {
      throw unknown(`An entry of the list has the critical extension ${oid}, which is not supported`);
    }
  }
  if (reason === revocationReason.removeFromCRL)
    throw new DerFault('an entry that only a list of changes has');
  const invalidFromMs = invalidityDate(extensions);
  return {
    status: 'revoked',
    untilMs,
    revokedAtMs,
    ...(reason === undefined ? {} : { reason }),
    ...(invalidFromMs === undefined ? {} : { invalidFromMs }),
  };
}
