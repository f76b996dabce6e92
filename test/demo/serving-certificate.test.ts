import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createServingCertificate } from '../../src/demo/serving-certificate.ts';

const { caPem, certPem, keyPem } = await createServingCertificate(['127.0.0.1', 'refwarden.test']);

/** Serves with the certificate and connects as a client that expects `servername`; resolves to the error's code. */
async function handshake(host: string, servername: string | undefined, ca: string): Promise<string> {
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect({ host, port, ca, ...(servername === undefined ? {} : { servername }) }, () => {
      socket.end();
      resolve('trusted');
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code ?? '');
    });
  });
}

describe('createServingCertificate', () => {
  it('is trusted by its authority for its IP address and its DNS name, and for no other', async () => {
    expect(await handshake('127.0.0.1', undefined, caPem)).toBe('trusted');
    expect(await handshake('127.0.0.1', 'refwarden.test', caPem)).toBe('trusted');
    expect(await handshake('127.0.0.1', 'other.test', caPem)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is trusted by no other authority', async () => {
    const other = await createServingCertificate(['127.0.0.1']);
    expect(await handshake('127.0.0.1', undefined, other.caPem)).not.toBe('trusted');
  });

  it('is an ECDSA P-256 leaf for servers only, valid for about a week', () => {
    const certificate = new X509Certificate(certPem);
    expect(certificate.ca).toBe(false);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const lifetimeDays =
      (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 86_400_000;
    expect(lifetimeDays).toBeCloseTo(7, 1);
    expect(new X509Certificate(caPem).ca).toBe(true);
  });
});
