import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { RefwardenError } from '../failures/failure.ts';
import type { ServingTls } from './webhook-server.ts';

/** Where the pair is mounted. */
export interface CertificateFiles {
  /** PEM: the serving certificate, then its chain. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ServingCertificate extends ServingTls {
  /** Milliseconds since the epoch. One that is past is still served: the caller warns. */
  readonly expiresAtMs: number;
}

/** Largest certificate or key file, bytes. */
const maxFileBytes = 1024 * 1024;

/** @throws RefwardenError `ConfigurationInvalid`: a file that is missing or does not parse, a key of another certificate. */
export async function loadServingCertificate({
  certFile,
  keyFile,
}: CertificateFiles): Promise<ServingCertificate> {
  return readServingCertificate(await readPem(certFile), await readPem(keyFile), { certFile, keyFile });
}

/**
 * @param cert PEM. @param key PEM. @param names what to call them in an error.
 * @throws RefwardenError `ConfigurationInvalid`: what does not parse, a key of another certificate.
 */
export function readServingCertificate(
  cert: string,
  key: string,
  { certFile, keyFile }: CertificateFiles = { certFile: 'tls.crt', keyFile: 'tls.key' },
): ServingCertificate {
  const certificate = parsed(`${certFile} holds no PEM certificate.`, () => new X509Certificate(cert));
  const privateKey = parsed(`${keyFile} holds no PEM private key.`, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      `The key in ${keyFile} does not belong to the certificate in ${certFile}.`,
    );
  }
  return { cert, key, expiresAtMs: certificate.validToDate.getTime() };
}

async function readPem(file: string): Promise<string> {
  try {
    if ((await stat(file)).size <= maxFileBytes) return await readFile(file, 'utf8');
  } catch (cause) {
    throw new RefwardenError('ConfigurationInvalid', `${file} cannot be read${reasonOf(cause)}.`, cause);
  }
  throw new RefwardenError('ConfigurationInvalid', `${file} is larger than ${maxFileBytes} bytes.`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? ` (${cause.code})`
    : '';
}

function parsed<Value>(complaint: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new RefwardenError('ConfigurationInvalid', complaint, cause);
  }
}

/** @throws RefwardenError `ConfigurationInvalid`: without a usable authority every client would be turned away. */
export async function loadAuthority(file: string): Promise<string> {
  const pem = await readPem(file);
  const complaint = `${file} must hold PEM certificates of authorities, BEGIN CERTIFICATE blocks that parse, and no other blocks.`;
  const begun = pem.match(/^-----BEGIN /gm) ?? [];
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0 || certificates.length !== begun.length) {
    throw new RefwardenError('ConfigurationInvalid', complaint);
  }
  parsed(complaint, () => certificates.map((each) => new X509Certificate(each)));
  return pem;
}
