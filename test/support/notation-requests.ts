import { computeDigest } from '../../src/image/digest.ts';
import { ociManifest } from '../../src/oci/media-types.ts';
import type { NotationIssuer } from '../../src/policy/resolved-issuer.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { signedAtMs } from './notation-certificates.ts';
import type { TestChain } from './notation-certificates.ts';
import type { EnvelopeOptions } from './notation-envelopes.ts';
import { coseBytes, jwsBytes } from './notation-envelopes.ts';
import { layerRequest } from './signed-layer.ts';

export const formats = { JWS: 'application/jose+json', COSE: 'application/cose' } as const;
export type Format = keyof typeof formats;

/** The image that is signed: its manifest says no media type, as some do. */
export const imageBytes = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: computeDigest(Buffer.from('{}')),
      size: 2,
    },
    layers: [],
  }),
);
export const imageDigest = computeDigest(imageBytes);
export const target = { mediaType: ociManifest, digest: imageDigest, size: imageBytes.length };

/** The envelope of a format over the image by a chain, changed as a test needs it. */
export function envelopeOf(
  format: Format,
  { leaf, certificates }: Pick<TestChain, 'leaf' | 'certificates'>,
  options: Partial<EnvelopeOptions> = {},
): Uint8Array {
  const all = { key: leaf.privateKey, certificates, target, ...options };
  return format === 'JWS' ? jwsBytes(all) : coseBytes(all);
}

/** An issuer that trusts a root, or as it is said. */
export function notationIssuer(
  root: { readonly pem: string },
  fields: Partial<NotationIssuer> = {},
): NotationIssuer {
  const issuer = {
    name: 'vendor',
    level: 'strict',
    override: {},
    trustStores: [{ type: 'ca', name: 'inline', certificates: root.pem }],
    trustedIdentities: ['x509.subject: C=US, ST=WA, O=Acme'],
    verifyTimestamp: 'always',
    ...fields,
  } as const;
  return { kind: 'notation', fingerprint: JSON.stringify(issuer), ...issuer };
}

/** A request about a Notation signature of the image, an hour after it was made. */
export function notationRequest(
  format: Format,
  envelope: Uint8Array,
  issuers: VerificationRequest['issuers'],
): VerificationRequest {
  const request = layerRequest(envelope, formats[format], imageDigest, issuers);
  const manifest = { ...request.artifact.manifest, artifactType: 'application/vnd.cncf.notary.signature' };
  return {
    ...request,
    artifact: { ...request.artifact, manifest },
    subjectDocument: imageBytes,
    nowMs: signedAtMs + 3_600_000,
  };
}
