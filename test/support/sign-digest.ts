import { sign } from 'node:crypto';
import type { Digest } from '../../src/image/digest.ts';
import type { VerifiedEvidence } from '../../src/policy/evidence.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { layerRequest } from './signed-layer.ts';
import type { createKeyIssuer } from './signed-layer.ts';

type KeyIssuerWithKey = ReturnType<typeof createKeyIssuer>;

export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** cosign's layer for a signature of the digest: its payload, and the annotations that sign it. */
export function signatureLayer(subject: Digest, { privateKey }: Pick<KeyIssuerWithKey, 'privateKey'>) {
  const image = { 'docker-manifest-digest': subject };
  const critical = { identity: {}, image, type: 'cosign container image signature' };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const signature = sign('sha256', payload, privateKey).toString('base64');
  return { payload, annotations: { 'dev.cosignproject.cosign/signature': signature } };
}

/** A cosign signature of the digest, made and verified. */
export async function signDigest(subject: Digest, by: KeyIssuerWithKey): Promise<VerifiedEvidence> {
  const { payload, annotations } = signatureLayer(subject, by);
  const { evidence } = await createVerifier().verify(
    layerRequest(payload, simpleSigningType, subject, [by.issuer], annotations),
  );
  const [signature] = evidence;
  if (signature === undefined) throw new Error('the signature does not count');
  return signature;
}
