import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Json } from '../../src/oci/strict-json.ts';
import { assertionSet } from '../../src/policy/assertions.ts';
import type {
  AskedContent,
  Assertion,
  AssertionSet,
  ExpressionContext,
} from '../../src/policy/assertions.ts';
import type { VerificationRequest } from '../../src/verification/verification.ts';
import { createKeyIssuer, layerRequest } from './signed-layer.ts';

export const attestedImage = parseDigest(`sha256:${'a1'.repeat(32)}`);
export const attester = createKeyIssuer('acme');
export const testedType = 'https://example.com/tested/v1';
const payloadType = 'application/vnd.in-toto+json';

/** What a decision about the attested image knows. */
export const attestedContext: ExpressionContext = {
  image: {
    reference: 'ghcr.io/acme/app:1.4',
    registry: 'ghcr.io',
    repository: 'acme/app',
    tag: '1.4',
    digest: attestedImage,
  },
  workload: { kind: 'Pod', namespace: 'shop', name: 'app' },
  namespaceObject: { metadata: { name: 'shop', labels: { env: 'prod' } } },
};

/** The bytes of a statement about an image. */
export function statementOf(
  predicate: Json | undefined,
  predicateType = testedType,
  image: Digest = attestedImage,
): Buffer {
  const [algorithm = '', hex] = image.split(':');
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'app', digest: { [algorithm]: hex } }],
      predicateType,
      predicate,
    }),
  );
}

/** A DSSE envelope around it. */
export function envelopeOf(statement: Buffer, keys: readonly KeyObject[]): Buffer {
  const signatures = keys.map((key) => ({
    keyid: '',
    sig: sign('sha256', dsse.preAuthEncoding(payloadType, statement), key).toString('base64'),
  }));
  return Buffer.from(JSON.stringify({ payloadType, payload: statement.toString('base64'), signatures }));
}

/** A request about an attestation of the attested image, as `cosign attest --key` leaves it. */
export function attestationRequest(
  statement: Buffer,
  change: Partial<VerificationRequest> = {},
  signers: readonly (typeof attester)[] = [attester],
): VerificationRequest {
  return {
    ...layerRequest(
      envelopeOf(
        statement,
        signers.map(({ privateKey }) => privateKey),
      ),
      'application/vnd.dsse.envelope.v1+json',
      attestedImage,
      signers.map(({ issuer }) => issuer),
    ),
    context: attestedContext,
    ...change,
  };
}

/** What is asked of attestations of one type. */
export const asking = (
  expressions: readonly string[],
  of: AskedContent = { kind: 'attestation', predicateType: testedType },
  uses: AssertionSet['uses'] = ['predicate'],
): AssertionSet =>
  assertionSet(
    of,
    expressions.map((expression): Assertion & Pick<AssertionSet, 'uses'> => ({
      expression,
      message: 'It must hold.',
      uses,
    })),
  );
