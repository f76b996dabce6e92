import { RefwardenError } from '../../failures/failure.ts';
import { isIssuedBy, parseCertificate } from '../x509/certificate.ts';
import type { Certificate } from '../x509/certificate.ts';
import { readDer } from '../x509/read-der.ts';
import { buildOcspRequest } from './ocsp-request.ts';
import { verifyOcspResponse } from './ocsp-response.ts';
import { verifyRevocationList } from './revocation-list.ts';
import { revocationServices } from './revocation-services.ts';
import type { RevocationServices } from './revocation-services.ts';
import { describeService } from './revocation-source.ts';
import type { RevocationAnswer, RevocationSource } from './revocation-source.ts';
import { describeReason, isStale, iso, unknown } from './revocation-status.ts';
import type { RevocationStatus } from './revocation-status.ts';

const maxChainLength = 16;

export interface RevocationOptions {
  /** Absent, a certificate that names a service is `unknown`. */
  readonly source: RevocationSource | undefined;
  /** The time of the decision, milliseconds since the epoch. */
  readonly nowMs: number;
  /**
   * The latest time at which the signature was made, milliseconds since the epoch, by a source that is trusted for it: a
   * verified timestamp with its accuracy added, or the signing authority's. Absent, a revoked certificate is revoked.
   */
  readonly atMs?: number;
  readonly signal?: AbortSignal;
}

export interface RevocationResult {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Sentences for people; empty when all is good. */
  readonly message: string;
  /** The result stops counting then, milliseconds since the epoch; absent when nothing was asked. */
  readonly validUntilMs?: number;
}

/**
 * Whether any certificate of a chain is revoked (Notary Project, trust-store-trust-policy.md, "Certificate Revocation
 * Evaluation"): for each but the root OCSP, and when that tells nothing the lists of revoked certificates. A certificate
 * that names neither is good. A revoked one is revoked whenever it signed, unless the authority states an invalidityDate
 * and {@link RevocationOptions.atMs} is before that; the date of revocation itself does not count.
 * @param chain DER certificates, from the leaf to the root, verified before.
 * @throws RefwardenError `DeadlineExceeded` when the signal aborts, `CertificateInvalid` for what is no chain.
 */
export async function checkRevocation(
  chain: readonly Uint8Array[],
  options: RevocationOptions,
): Promise<RevocationResult> {
  if (chain.length > maxChainLength) {
    throw new RefwardenError('CertificateInvalid', `The chain has more than ${maxChainLength} certificates.`);
  }
  const certificates = chain.map((der) => parseCertificate(der, 'A certificate of the chain'));
  const results = await Promise.all(
    certificates.slice(0, -1).map(async (certificate, index) => {
      const issuer = certificates[index + 1];
      if (issuer === undefined || !isIssuedBy(certificate, issuer)) {
        throw new RefwardenError(
          'CertificateInvalid',
          'The certificates are no chain from a leaf to its root.',
        );
      }
      return await checkCertificate(certificate, issuer, options);
    }),
  );
  return combine(results);
}

/** Revoked before unknown, unknown before good. */
function combine(results: readonly RevocationResult[]): RevocationResult {
  const worst = (['revoked', 'unknown'] as const).find((wanted) =>
    results.some(({ status }) => status === wanted),
  );
  const times = results.flatMap(({ validUntilMs }) => validUntilMs ?? []);
  return {
    status: worst ?? 'good',
    message: results
      .filter(({ status }) => status === worst)
      .map(({ message }) => message)
      .join(' '),
    ...(times.length === 0 ? {} : { validUntilMs: Math.min(...times) }),
  };
}

async function checkCertificate(
  certificate: Certificate,
  issuer: Certificate,
  options: RevocationOptions,
): Promise<RevocationResult> {
  const services = readDer('CertificateInvalid', `The certificate ${certificate.subjectText}`, () =>
    revocationServices(certificate),
  );
  if (!services.areNamed) return { status: 'good', message: '' };
  const link: Link = { certificate, issuer, options };
  const reasons: string[] = [];
  const status = (await askResponders(services, link, reasons)) ?? (await askLists(services, link, reasons));
  if (status !== undefined) return judge(status, certificate, options);
  const why = reasons.length === 0 ? 'It names no service that is asked over http.' : reasons.join(' ');
  return {
    status: 'unknown',
    message: `Whether ${certificate.subjectText} is revoked is unknown. ${why}`,
  };
}

/** A certificate, who issued it, and how it is looked up. */
interface Link {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly options: RevocationOptions;
}

/** The first answer that verifies; undefined when there is none. @param reasons is told why. */
async function askResponders(
  { ocspUrls }: RevocationServices,
  link: Link,
  reasons: string[],
): Promise<RevocationStatus | undefined> {
  const { certificate, issuer, options } = link;
  const request = buildOcspRequest(certificate, issuer);
  for (const url of ocspUrls) {
    const status = await attempt(describeService('ocsp', url), reasons, options, {
      ask: (source) => source.ocsp(url, request, options.signal),
      verify: async (response) => {
        const answer = verifyOcspResponse(response, { certificate, issuer, nowMs: options.nowMs });
        if (answer.unprovenResponder !== undefined) await checkResponder(answer.unprovenResponder, link);
        return answer.status;
      },
      answer: { url, request },
    });
    if (status !== undefined) return status;
  }
  return undefined;
}

/** "If id-pkix-ocsp-nocheck is not present on the OCSP signing certificate then revocation checking must be performed using CRLs". */
async function checkResponder(responder: Certificate, { issuer, options }: Link): Promise<void> {
  const services = readDer('RevocationUnknown', 'Its own certificate', () => revocationServices(responder));
  if (services.points.length === 0) return; // RFC 6960, 4.2.2.2.1: it is then left to us
  const reasons: string[] = [];
  const status = await askLists(services, { certificate: responder, issuer, options }, reasons);
  if (status?.status === 'good') return;
  if (status !== undefined) throw unknown('Its own certificate is revoked');
  throw new RefwardenError(
    'RevocationUnknown',
    `Whether its own certificate is revoked is unknown: ${reasons.join(' ')}`,
  );
}

async function askLists(
  { points, hasDeltas }: RevocationServices,
  { certificate, issuer, options }: Link,
  reasons: string[],
): Promise<RevocationStatus | undefined> {
  if (hasDeltas && points.length > 0) {
    reasons.push(
      'Its lists of revoked certificates come with lists of changes (delta CRL), which are not supported.',
    );
    return undefined;
  }
  for (const { urls, uris } of points) {
    for (const url of urls) {
      const status = await attempt(describeService('crl', url), reasons, options, {
        ask: (source) => source.crl(url, options.signal),
        verify: (list) => verifyRevocationList(list, { certificate, issuer, uris, nowMs: options.nowMs }),
        answer: { url },
      });
      if (status !== undefined) return status;
    }
  }
  return undefined;
}

/** One service that is asked. */
interface Attempt {
  readonly ask: (source: RevocationSource) => Promise<Uint8Array>;
  readonly verify: (bytes: Uint8Array) => Promise<RevocationStatus>;
  readonly answer: RevocationAnswer;
}

async function attempt(
  what: string,
  reasons: string[],
  { source, signal }: RevocationOptions,
  { ask, verify, answer }: Attempt,
): Promise<RevocationStatus | undefined> {
  if (source === undefined) {
    reasons.push(`${what}: revocation services are not asked here.`);
    return undefined;
  }
  let isFetched = false;
  try {
    const bytes = await ask(source);
    isFetched = true;
    const status = await verify(bytes);
    source.confirm(answer, status.untilMs);
    return status;
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    if (signal?.aborted === true) {
      throw new RefwardenError('DeadlineExceeded', `${what}: the time of the decision ended.`, thrown);
    }
    reasons.push(isFetched ? `${what}: ${thrown.message}` : thrown.message);
    return undefined;
  }
}

function judge(
  status: RevocationStatus,
  { subjectText }: Certificate,
  { atMs, nowMs }: RevocationOptions,
): RevocationResult {
  const { untilMs: validUntilMs } = status;
  if (status.status === 'good') return { status: 'good', message: '', validUntilMs };
  const { invalidFromMs, reason, revokedAtMs } = status;
  if (invalidFromMs !== undefined && atMs !== undefined && atMs < invalidFromMs) {
    // A newer list may have moved the date.
    return isStale(validUntilMs, nowMs)
      ? {
          status: 'unknown',
          message: `The certificate ${subjectText} was revoked at ${iso(revokedAtMs)}, and what says since when it is invalid counted until ${iso(validUntilMs)}.`,
        }
      : { status: 'good', message: '', validUntilMs };
  }
  const words = [
    describeReason(reason),
    invalidFromMs === undefined ? '' : `invalid from ${iso(invalidFromMs)}`,
  ];
  const more = words.filter((word) => word !== '').join(', ');
  return {
    status: 'revoked',
    message: `The certificate ${subjectText} was revoked at ${iso(revokedAtMs)}${more === '' ? '' : ` (${more})`}.`,
    validUntilMs,
  };
}
