import { describe, expect, it } from 'vitest';
import { direct } from '../../src/network/connection.ts';
import { RegistryEndpoints } from '../../src/registry/registry-endpoints.ts';

const endpoints = new RegistryEndpoints([
  {
    host: 'ocsp.internal',
    ca: 'PEM',
    clientCertificate: { cert: 'CERT', key: 'KEY' },
    proxy: 'http://proxy.internal:3128',
  },
  { host: 'docker.io', ca: 'HUB' },
]);

describe('RegistryEndpoints, of what is no registry', () => {
  it('T09 connects as the settings of the host say, without the certificate that says who we are', () => {
    expect(endpoints.guestConnection(new URL('http://ocsp.internal/path'))).toEqual({
      ca: 'PEM',
      proxy: new URL('http://proxy.internal:3128'),
    });
  });

  it('connects directly to a host that has no settings, or at another port', () => {
    expect(endpoints.guestConnection(new URL('http://ocsp.example/'))).toBe(direct);
    expect(endpoints.guestConnection(new URL('http://ocsp.internal:8080/'))).toBe(direct);
  });

  it('knows the API of Docker Hub by its other name', () => {
    expect(endpoints.guestConnection(new URL('https://registry-1.docker.io/'))).toEqual({ ca: 'HUB' });
  });
});
