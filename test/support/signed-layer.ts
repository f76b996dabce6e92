import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { computeDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { KeyIssuer } from '../../src/policy/resolved-issuer.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';

/** A key of its own and the issuer that trusts it. */
export function createKeyIssuer(name: string): {
  readonly privateKey: KeyObject;
  readonly issuer: KeyIssuer;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    privateKey,
    issuer: { kind: 'key', name, fingerprint: name, pem, transparencyLog: 'NotRequired' },
  };
}

/** A request about an artifact of one layer. */
export function layerRequest(
  content: Uint8Array,
  mediaType: string,
  subject: Digest,
  issuers: VerificationRequest['issuers'],
  annotations: Record<string, string> = {},
): VerificationRequest {
  const layer = { mediaType, digest: computeDigest(content), size: content.length, annotations };
  const empty = Buffer.from('{}');
  const config = {
    mediaType: 'application/vnd.oci.empty.v1+json',
    digest: computeDigest(empty),
    size: empty.length,
    annotations: {},
  };
  return {
    artifact: {
      digest: computeDigest(Buffer.from('manifest')),
      manifest: {
        kind: 'manifest',
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        annotations: {},
        references: [],
        config,
        layers: [layer],
      },
    },
    layers: new Map([[layer.digest, content]]),
    subjects: [subject],
    issuers,
    nowMs: Date.UTC(2030, 0, 1),
  };
}
