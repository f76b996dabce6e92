import { describe, expect, it } from 'vitest';
import { buildOcspRequest } from '../../../src/verification/revocation/ocsp-request.ts';
import { verifyOcspResponse } from '../../../src/verification/revocation/ocsp-response.ts';
import { verifyRevocationList } from '../../../src/verification/revocation/revocation-list.ts';
import { parseCertificate } from '../../../src/verification/x509/certificate.ts';
import type { Certificate } from '../../../src/verification/x509/certificate.ts';
import { pkiFixture } from '../../support/pki-fixture.ts';

const read = (name: string): Certificate =>
  parseCertificate(pkiFixture(`revocation/${name}.der`), `The certificate ${name}`);
const issuer = read('issuer');
const [good, revoked] = [read('good'), read('revoked')];
const nowMs = Date.parse('2026-12-01T00:00:00Z');

describe("answers of openssl's OCSP responder", () => {
  it.each(['good', 'revoked'])('asks for %s as openssl does', (name) => {
    const request = buildOcspRequest(read(name), issuer);
    expect(Buffer.from(request).toString('hex')).toBe(
      Buffer.from(pkiFixture(`revocation/${name}.ocsp-request`)).toString('hex'),
    );
  });

  it.each(['issuer', 'responder'])('are read when signed by the %s', (by) => {
    const answer = (name: string, certificate: Certificate) =>
      verifyOcspResponse(pkiFixture(`revocation/${name}-by-${by}.ocsp`), { certificate, issuer, nowMs });
    expect(answer('good', good)).toMatchObject({ status: { status: 'good' } });
    const { status, unprovenResponder } = answer('revoked', revoked);
    expect(status).toMatchObject({ status: 'revoked' });
    expect(unprovenResponder).toBeUndefined();
  });
});

describe('a list of openssl', () => {
  const question = { issuer, uris: [], nowMs };
  const list = pkiFixture('revocation/issuer.crl');

  it('tells which is revoked', async () => {
    expect(await verifyRevocationList(list, { ...question, certificate: good })).toMatchObject({
      status: 'good',
    });
    expect(await verifyRevocationList(list, { ...question, certificate: revoked })).toMatchObject({
      status: 'revoked',
      reason: 2,
      invalidFromMs: Date.parse('2026-06-01T12:00:00Z'),
    });
  });
});
