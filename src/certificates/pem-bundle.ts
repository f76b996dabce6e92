import { X509Certificate } from 'node:crypto';

/** Those of a bundle up to the first that does not parse; what else was written there is dropped. */
export function parseCertificates(pem: string): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (const [block] of pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)) {
    try {
      found.push(new X509Certificate(block));
    } catch {
      break;
    }
  }
  return found;
}

export const toPem = (certificates: readonly X509Certificate[]): string =>
  certificates.map((certificate) => certificate.toString()).join('');

/** @returns SHA-256 of each certificate, in hexadecimal, with commas between. */
export const fingerprintsOf = (pem: string): string =>
  parseCertificates(pem)
    .map(({ fingerprint256 }) => fingerprint256)
    .join(',');
