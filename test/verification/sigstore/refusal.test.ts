import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import type { KeyIssuer } from '../../../src/policy/resolved-issuer.ts';
import { nearestRefusal, refuse, refuseFor } from '../../../src/verification/sigstore/refusal.ts';
import { hintedFingerprint } from '../../../src/verification/sigstore/verify-signature.ts';
import { keyless } from '../../support/own-sigstore.ts';

const key = (name: string): KeyIssuer => ({
  kind: 'key',
  name,
  fingerprint: name,
  pem: '',
  transparencyLog: 'NotRequired',
});
const inOrder = [
  refuse('otherSigner', 'SignerNotTrusted', 'other signer'),
  refuse('unproven', 'CertificateInvalid', 'unproven'),
  refuse('brokenIssuer', 'IssuerInvalid', 'broken'),
  refuse('altered', 'SignatureInvalid', 'altered'),
  refuse('otherIdentity', 'SubjectMismatch', 'other identity'),
  refuse('lacksMaterial', 'TransparencyLogMissing', 'lacks'),
];

describe('nearestRefusal', () => {
  it('tells the nearest of any two, in whatever order they come', () => {
    for (const [far, refusal] of inOrder.entries()) {
      for (const nearer of inOrder.slice(far + 1)) {
        for (const refusals of [
          [refusal, nearer],
          [nearer, refusal],
        ]) {
          expect(nearestRefusal(refusals, [key('a')], undefined).message).toBe(nearer.message);
        }
      }
    }
  });

  it('names three issuers that would be trusted, and how many more', () => {
    const message = (...names: string[]): string =>
      nearestRefusal(inOrder.slice(0, 1), names.map(key), undefined).message;
    expect(message('a')).toBe('other signer Policy trusts a (a key).');
    expect(message('a', 'b', 'c')).toBe('other signer Policy trusts a (a key); b (a key); c (a key).');
    expect(message('a', 'b', 'c', 'd', 'e')).toMatch(/c \(a key\) and 2 more\.$/);
    const nobody = keyless({ name: 'nobody', identities: [] });
    expect(nearestRefusal(inOrder.slice(0, 1), [nobody], undefined).message).toBe(
      'other signer Policy trusts nobody.',
    );
  });

  it('shows who the artifact says signed it, unless somebody was proven', () => {
    const [refusal] = inOrder;
    if (refusal === undefined) throw new Error('none');
    expect(nearestRefusal([refusal], [], 'claimed')).toStrictEqual({
      code: 'SignerNotTrusted',
      message: 'other signer Policy trusts .',
      signer: 'claimed',
    });
    expect(nearestRefusal([{ ...refusal, signer: 'proven' }], [], 'claimed').signer).toBe('proven');
    expect('signer' in nearestRefusal([refusal], [], undefined)).toBe(false);
  });

  it('says that nobody is trusted where there are no issuers', () => {
    expect(nearestRefusal([], [], undefined)).toEqual({
      code: 'SignerNotTrusted',
      message: 'No issuer is trusted here.',
    });
  });
});

describe('refuseFor', () => {
  it('tells faults of the operator from those of the artifact', () => {
    for (const code of ['IssuerInvalid', 'TrustMaterialInvalid', 'TrustMaterialMissing'] as const) {
      expect(refuseFor('unproven', new RefwardenError(code, 'x')).nearness).toBe('brokenIssuer');
    }
    expect(refuseFor('unproven', new RefwardenError('CertificateInvalid', 'x')).nearness).toBe('unproven');
    expect(refuseFor('unproven', new TypeError('x'))).toMatchObject({ code: 'InternalError' });
  });
});

describe('hintedFingerprint', () => {
  it('is the base64 of a SHA-256 and nothing else', () => {
    const base64 = Buffer.alloc(32, 7).toString('base64');
    expect(hintedFingerprint({ keyHint: base64 })).toBe(`sha256:${'07'.repeat(32)}`);
    for (const keyHint of ['', 'x', `${base64}A`, `A${base64}`, base64.slice(1), `${base64}\n`]) {
      expect(hintedFingerprint({ keyHint }), keyHint).toBeUndefined();
    }
    expect(hintedFingerprint({})).toBeUndefined();
  });
});
