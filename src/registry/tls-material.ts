import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { RefwardenError } from '../failures/failure.ts';
import { readBounded } from './bounded-file.ts';
import type { RegistryEntry, RegistrySettings } from './registry-settings.ts';

/** Largest PEM file, bytes: all public authorities together are a quarter of it. */
const maxPemBytes = 1024 * 1024;

/**
 * The settings of an entry with what its files hold.
 * @param directory that relative paths start from.
 * @throws RefwardenError `ConfigurationInvalid`, naming host and file.
 */
export async function loadTlsMaterial(
  { caFile, clientCertificate, ...settings }: RegistryEntry,
  directory: string,
): Promise<RegistrySettings> {
  const read = async (field: string, path: string): Promise<string> => {
    const file = resolve(directory, path);
    const bytes = await readBounded(file, maxPemBytes, `${field} of registry ${settings.host} (${file})`);
    return bytes.toString('utf8');
  };
  return {
    ...settings,
    ...(caFile === undefined
      ? {}
      : { ca: checkAuthorities(await read('caFile', caFile), settings.host, caFile) }),
    ...(clientCertificate === undefined
      ? {}
      : {
          clientCertificate: checkPair(
            await read('clientCertificate.certFile', clientCertificate.certFile),
            await read('clientCertificate.keyFile', clientCertificate.keyFile),
            settings.host,
          ),
        }),
  };
}

function checkAuthorities(pem: string, host: string, path: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
    if (blocks.length > 0) return pem;
  } catch (cause) {
    throw invalid(`caFile of registry ${host} (${path}) holds a certificate that does not parse.`, cause);
  }
  throw invalid(
    `caFile of registry ${host} (${path}) holds no certificate: give those of authorities as PEM.`,
  );
}

function checkPair(cert: string, key: string, host: string): { cert: string; key: string } {
  const where = `of registry ${host}`;
  const certificate = parsed(
    `clientCertificate.certFile ${where} holds no PEM certificate.`,
    () => new X509Certificate(cert),
  );
  const privateKey = parsed(
    `clientCertificate.keyFile ${where} holds no PEM private key without a passphrase.`,
    () => createPrivateKey(key),
  );
  if (certificate.checkPrivateKey(privateKey)) return { cert, key };
  throw invalid(
    `clientCertificate ${where}: the key in keyFile does not belong to the certificate in certFile.`,
  );
}

function parsed<Value>(complaint: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw invalid(complaint, cause);
  }
}

function invalid(message: string, cause?: unknown): RefwardenError {
  return new RefwardenError('ConfigurationInvalid', message, cause);
}
