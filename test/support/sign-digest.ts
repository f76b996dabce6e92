import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Digest } from '../../src/image/digest.ts';
import type { VerifiedEvidence } from '../../src/policy/evidence.ts';
import type { KeyIssuer } from '../../src/policy/resolved-issuer.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { layerRequest } from './signed-layer.ts';

/** A cosign signature of the digest, made and verified. */
export async function signDigest(
  subject: Digest,
  { privateKey, issuer }: { readonly privateKey: KeyObject; readonly issuer: KeyIssuer },
): Promise<VerifiedEvidence> {
  const critical = {
    identity: {},
    image: { 'docker-manifest-digest': subject },
    type: 'cosign container image signature',
  };
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }));
  const { evidence } = await createVerifier().verify(
    layerRequest(payload, 'application/vnd.dev.cosign.simplesigning.v1+json', subject, [issuer], {
      'dev.cosignproject.cosign/signature': sign('sha256', payload, privateKey).toString('base64'),
    }),
  );
  const [signature] = evidence;
  if (signature === undefined) throw new Error('the signature does not count');
  return signature;
}
