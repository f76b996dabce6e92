import { expect } from 'vitest';
import { parseDigest } from '../../src/image/digest.ts';
import type { KeylessIssuer } from '../../src/policy/resolved-issuer.ts';
import type { VerificationOutcome, VerificationRequest } from '../../src/verification/verification.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { createSigstoreAuthority, signBundle } from './sigstore-authority.ts';
import type { BundleJson, BundleOptions, SignedBundle } from './sigstore-authority.ts';
import { layerRequest } from './signed-layer.ts';

// Bundles of a Sigstore of our own: what its CA, CT log, Rekor and timestamp authority vouch for, and a stranger's do not.

export const authority = await createSigstoreAuthority();
export const stranger = await createSigstoreAuthority();
const verifier = createVerifier();
export const image = parseDigest(`sha256:${'a1'.repeat(32)}`);
export const oidcIssuer = 'https://accounts.example';
export const subject = 'https://acme.example/release';
export const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ digest: { sha256: 'a1'.repeat(32) } }],
  predicateType: 'https://sigstore.dev/cosign/sign/v1',
  predicate: {},
};

export const keyless = (change: Partial<KeylessIssuer> = {}): KeylessIssuer => ({
  kind: 'keyless',
  name: 'acme',
  fingerprint: 'acme',
  identities: [{ issuer: oidcIssuer, subject: { exact: subject }, extensions: [] }],
  trustedRoot: authority.trustedRoot,
  sct: 'Required',
  transparencyLog: 'Required',
  signedTimestamp: 'NotRequired',
  ...change,
});
export const timestampOnly = { transparencyLog: 'NotRequired', signedTimestamp: 'Required' } as const;
export const nothingRequired = {
  sct: 'NotRequired',
  transparencyLog: 'NotRequired',
  signedTimestamp: 'NotRequired',
} as const;

export const signed = (options: Partial<BundleOptions> = {}): Promise<SignedBundle> =>
  signBundle(authority, { statement, certificate: { subject, issuer: oidcIssuer }, ...options });

export const verifyText = (text: string, ...issuers: VerificationRequest['issuers']) =>
  verifier.verify(
    layerRequest(Buffer.from(text), 'application/vnd.dev.sigstore.bundle.v0.3+json', image, issuers),
  );
export const verify = (bundle: BundleJson, ...issuers: VerificationRequest['issuers']) =>
  verifyText(JSON.stringify(bundle), ...issuers);
export const edited = ({ bundle }: SignedBundle, edit: (bundle: BundleJson) => void): BundleJson => {
  const copy = structuredClone(bundle);
  edit(copy);
  return copy;
};
export const refused = (outcome: VerificationOutcome, code: string, message?: string) => {
  expect(outcome.evidence).toEqual([]);
  expect(outcome.rejections).toMatchObject([message === undefined ? { code } : { code, message }]);
};
export const rootWithout = (...fields: string[]) => {
  const root = JSON.parse(authority.trustedRoot.json) as Record<string, unknown>;
  for (const field of fields) root[field] = [];
  return { json: JSON.stringify(root), fingerprint: `without ${fields.join(' ')}` };
};

export const both = await signed({ timestamp: true });
export const logged = await signed();
export const stamped = await signed({ log: false, timestamp: true });
export const bare = await signed({ log: false });
