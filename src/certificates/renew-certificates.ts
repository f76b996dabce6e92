import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createAuthority, issueServingCertificate } from './issue-certificates.ts';
import type { KeyPair } from './issue-certificates.ts';
import { parseCertificates, toPem } from './pem-bundle.ts';

/** What is kept of a serving certificate and its authority; each PEM, empty when missing. */
export interface KeptCertificates {
  /** Everyone who is trusted, the newest first: what the API server is told. */
  readonly authorities: string;
  /** Key of the newest authority. */
  readonly authorityKey: string;
  readonly certificate: string;
  readonly key: string;
}

/** Milliseconds each. */
export interface CertificateTimes {
  readonly authorityLifetimeMs: number;
  readonly certificateLifetimeMs: number;
  /** A new authority signs nothing for so long: everyone is to trust it first. */
  readonly settleMs: number;
}

export const defaultCertificateTimes: CertificateTimes = {
  authorityLifetimeMs: 365 * 24 * 3_600_000,
  certificateLifetimeMs: 90 * 24 * 3_600_000,
  settleMs: 3_600_000,
};

export const noCertificates: KeptCertificates = {
  authorities: '',
  authorityKey: '',
  certificate: '',
  key: '',
};

export interface Renewal {
  readonly kept: KeptCertificates;
  /** What was done and why, a sentence. */
  readonly reason: string;
}

/** Most authorities that are trusted at a time: each rotation leaves one behind until it expires. */
const maxAuthorities = 4;

/**
 * Renews at two thirds of life. Whoever trusted the certificates before trusts those after: a new authority is first
 * only added, and signs when it had time to be known.
 * @param hosts DNS names and IP addresses that the certificate has to be for.
 * @returns undefined when there is nothing to do.
 */
export async function renewCertificates(
  current: KeptCertificates,
  hosts: readonly string[],
  nowMs: number,
  times: CertificateTimes = defaultCertificateTimes,
): Promise<Renewal | undefined> {
  const listed = parseCertificates(current.authorities);
  const trusted = listed.filter(({ validToDate }) => validToDate.getTime() > nowMs);
  // A clock that was ahead may have dated some in the future: they count when their time comes.
  const begun = trusted.filter(({ validFromDate }) => validFromDate.getTime() <= nowMs);
  const fault = certificateFault(current, begun, hosts, nowMs);
  const [newest] = begun;
  const lacksAuthority = newest === undefined || !isKeyOf(current.authorityKey, newest);

  if (lacksAuthority || isDue(newest, nowMs)) {
    const added = await createAuthority(`Refwarden authority ${randomBytes(4).toString('hex')}`, {
      fromMs: nowMs,
      lifetimeMs: times.authorityLifetimeMs,
    });
    const authorities = added.certPem + toPem(trusted.slice(0, maxAuthorities - 1));
    const kept = { ...current, authorities, authorityKey: added.keyPem };
    if (listed.length === 0 && current.certificate === '') {
      return { kept: await issue(kept, added), reason: 'The first authority and certificate were made.' };
    }
    const why = lacksAuthority
      ? 'there was none whose key is known'
      : 'the last is past two thirds of its life';
    // One that still works goes on until the new authority is known everywhere.
    return fault === undefined
      ? { kept, reason: `A new authority was added: ${why}.` }
      : { kept: await issue(kept, added), reason: `A new authority signed a certificate: ${why}; ${fault}.` };
  }
  const authority = { certPem: toPem([newest]), keyPem: current.authorityKey };
  const kept = { ...current, authorities: toPem(trusted) };
  if (fault !== undefined) {
    return { kept: await issue(kept, authority), reason: `A new certificate was issued: ${fault}.` };
  }
  const isSettled = nowMs - newest.validFromDate.getTime() >= times.settleMs;
  if (isSettled && isDue(new X509Certificate(current.certificate), nowMs)) {
    return {
      kept: await issue(kept, authority),
      reason: 'A new certificate was issued: the last is past two thirds of its life.',
    };
  }
  return trusted.length < listed.length
    ? { kept, reason: 'An authority that has expired was removed.' }
    : undefined;

  async function issue(into: KeptCertificates, by: KeyPair): Promise<KeptCertificates> {
    const term = { fromMs: nowMs, lifetimeMs: times.certificateLifetimeMs };
    const { certPem, keyPem } = await issueServingCertificate(by, hosts, term);
    return { ...into, certificate: certPem, key: keyPem };
  }
}

/** Why the certificate cannot be served; undefined when it can. */
function certificateFault(
  { certificate: pem, key }: KeptCertificates,
  trusted: readonly X509Certificate[],
  hosts: readonly string[],
  nowMs: number,
): string | undefined {
  const [certificate] = parseCertificates(pem);
  if (certificate === undefined) return 'there was none';
  if (!isKeyOf(key, certificate)) return 'its key is another';
  if (certificate.validToDate.getTime() <= nowMs) return 'it has expired';
  if (certificate.validFromDate.getTime() > nowMs) return 'it is not valid yet';
  if (!trusted.some((authority) => isSignedBy(certificate, authority)))
    return 'nobody who is trusted signed it';
  const missing = hosts.find((host) => !isFor(certificate, host));
  return missing === undefined ? undefined : `it is not for ${missing}`;
}

const isSignedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

const isFor = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) === 0
    ? certificate.checkHost(host, { subject: 'never', wildcards: false })
    : certificate.checkIP(host)) !== undefined;

function isDue({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  const from = validFromDate.getTime();
  return nowMs >= from + ((validToDate.getTime() - from) * 2) / 3;
}

function isKeyOf(pem: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}
