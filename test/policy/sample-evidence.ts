import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Evidence, Signer } from '../../src/policy/evidence.ts';

export const digestOf = (name: string): Digest => computeDigest(new TextEncoder().encode(name));

export const image = digestOf('image');
export const artifact = digestOf('artifact');

export const key = (name: string): Signer => ({ kind: 'key', keyFingerprint: digestOf(name) });
export const identity = (subject: string, certificate = subject, issuer = 'https://idp.example'): Signer => ({
  kind: 'keyless',
  issuer,
  subject,
  certificateFingerprint: digestOf(certificate),
  keyFingerprint: digestOf(`key of ${certificate}`),
});

/** A cosign signature of the image by the issuer `acme`, changed as a test needs it. */
export const signature = (change: Partial<Evidence> = {}): Evidence => ({
  kind: 'signature',
  issuer: 'acme',
  signer: key(change.issuer ?? 'acme'),
  subject: image,
  format: 'CosignSimpleSigning',
  mechanism: 'CosignTag',
  artifact,
  indexes: [],
  path: [image, artifact],
  ...change,
});

export const spdxType = 'https://spdx.dev/Document';
export const attestation = (change: Partial<Evidence> = {}): Evidence =>
  signature({
    kind: 'attestation',
    format: 'DsseEnvelope',
    predicateType: spdxType,
    sbom: { format: 'SPDX', version: 'SPDX-2.3' },
    ...change,
  });
