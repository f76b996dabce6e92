import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  keyless,
  logged,
  nothingRequired,
  oidcIssuer,
  refused,
  rootWithout,
  signed,
  subject,
  verify,
} from '../../support/own-sigstore.ts';

// verify-entity.ts tells what the library found by its error's code, and for certificates by the word SCT in its message.

const directory = new URL('.', import.meta.resolve('@sigstore/verify'));
const source = readdirSync(fileURLToPath(directory), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js'))
  .map((file) => readFileSync(new URL(file, directory), 'utf8'))
  .join('\n');
/** Every code and message that the library throws, as written in its source. */
const thrown = [...source.matchAll(/code: '([A-Z0-9_]+)',\s*message: ['`](.*)['`],?\n/g)].map(
  ([, code = '', message = '']) => ({ code, message }),
);

describe('the errors of @sigstore/verify', () => {
  it('have the codes that are told apart', () => {
    expect([...new Set(thrown.map(({ code }) => code))].sort()).toEqual([
      'CERTIFICATE_ERROR',
      'PUBLIC_KEY_ERROR',
      'SIGNATURE_ERROR',
      'TIMESTAMP_ERROR',
      'TLOG_BODY_ERROR',
      'TLOG_ERROR',
      'TLOG_INCLUSION_PROMISE_ERROR',
      'TLOG_INCLUSION_PROOF_ERROR',
      'TLOG_MISSING_INCLUSION_ERROR',
      'UNTRUSTED_SIGNER_ERROR', // of a policy, and none is given
    ]);
  });

  it('name the SCT in a message about one, and in no other about a certificate', () => {
    const certificate = thrown
      .filter(({ code }) => code === 'CERTIFICATE_ERROR')
      .map(({ message }) => message);
    expect(certificate.filter((message) => message.includes('SCT')).sort()).toEqual([
      'SCT verification failed',
      'duplicate SCT',
      'expected ${this.options.ctlogThreshold} SCTs, got ${result.scts.length}',
    ]);
    expect(certificate.filter((message) => !message.includes('SCT')).sort()).toEqual([
      'Failed to verify certificate chain',
      'certificate chain must contain at least one certificate',
      'certificate is not valid or expired at the specified date',
      'incorrect certificate name chaining',
      'intermediate certificate is not a CA',
      'no trusted certificate path found',
      'no valid certificate path found',
      'path length constraint exceeded',
    ]);
  });

  const required = { ...nothingRequired, sct: 'Required' } as const;
  it('become: no SCT, although one is expected', async () => {
    const silent = await signed({ certificate: { subject, issuer: oidcIssuer, sct: false } });
    refused(await verify(silent.bundle, keyless(required)), 'CertificateTransparencyMissing');
  });

  it('become: an SCT that no trusted log verifies', async () => {
    const trustedRoot = rootWithout('ctlogs');
    refused(
      await verify(logged.bundle, keyless({ ...required, trustedRoot })),
      'CertificateTransparencyMissing',
    );
  });

  it('become: a certificate of no trusted authority', async () => {
    const trustedRoot = rootWithout('certificateAuthorities');
    refused(
      await verify(logged.bundle, keyless({ ...required, trustedRoot })),
      'CertificateInvalid',
      'The signing certificate does not chain to the trusted root, or was not valid when it signed.',
    );
  });
});
