import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
} from '@peculiar/x509';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority, issueServingCertificate } from '../../src/certificates/issue-certificates.ts';

const dayMs = 86_400_000;
const term = { fromMs: Date.now(), lifetimeMs: 7 * dayMs };
const authority = await createAuthority('Test, "authority" = 1', term);
const { certPem, keyPem } = await issueServingCertificate(authority, ['127.0.0.1', 'refwarden.test'], term);

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

describe('issueServingCertificate', () => {
  it('is trusted by its authority for its IP address and its DNS name, and for no other', async () => {
    const ca = authority.certPem;
    expect(await handshake('127.0.0.1', undefined, ca)).toBe('trusted');
    expect(await handshake('127.0.0.1', 'refwarden.test', ca)).toBe('trusted');
    expect(await handshake('127.0.0.1', 'other.test', ca)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is trusted by no other authority, even of the same name', async () => {
    const other = await createAuthority('Test, "authority" = 1', term);
    expect(await handshake('127.0.0.1', undefined, other.certPem)).not.toBe('trusted');
    expect(await handshake('127.0.0.1', undefined, other.certPem + authority.certPem)).toBe('trusted');
  });

  it('makes an ECDSA P-256 leaf for servers only, valid for as long as was asked', () => {
    const certificate = new X509Certificate(certPem);
    expect(certificate.ca).toBe(false);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const lifetimeMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
    expect(lifetimeMs / dayMs).toBeCloseTo(7, 1);
    const usages = new ParsedCertificate(certPem).getExtension(KeyUsagesExtension)?.usages;
    expect(usages).toBe(KeyUsageFlags.digitalSignature);
  });

  it('dates it back by five minutes: the clocks of a cluster differ', () => {
    for (const pem of [certPem, authority.certPem]) {
      const fromMs = new X509Certificate(pem).validFromDate.getTime();
      expect((term.fromMs - fromMs) / 60_000).toBeCloseTo(5, 1);
    }
  });
});

describe('createAuthority', () => {
  it('makes one that signs leaves, and no other authority', () => {
    expect(new X509Certificate(authority.certPem).ca).toBe(true);
    const parsed = new ParsedCertificate(authority.certPem);
    expect(parsed.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: true, pathLength: 0 });
    expect(parsed.getExtension(KeyUsagesExtension)?.usages).toBe(KeyUsageFlags.keyCertSign);
  });
});
