import type { FailureCode } from '../../failures/catalogue.ts';
import { timeText } from '../../failures/time-text.ts';
import type { NotationValidation } from '../../policy/resolved-issuer.ts';
import { excerpt } from '../excerpt.ts';
import {
  criticalListProblem,
  expiryOrderProblem,
  pluginProblem,
  schemeProblem,
  signingTimeProblem,
  unknownCriticalProblem,
} from './attribute-rules.ts';
import {
  authorityProblem,
  hashProblem,
  keyProblem,
  leafProblem,
  nameOf,
  orderProblem,
} from './certificate-rules.ts';
import { readName } from './certificate-name.ts';
import type { Examination, Signed } from './examination.ts';
import { algorithmOfKey, verifyRawSignature } from './signature-algorithms.ts';
import { parsePayload, payloadType, targetProblem } from './target-artifact.ts';
import { isTrustedSubject } from './trusted-identities.ts';

/** One thing that must hold. */
export interface Check<Examined> {
  readonly name: string;
  readonly code: FailureCode;
  /** It applies always when absent. */
  readonly when?: (examined: Examined) => boolean;
  /** What is wrong, for people; undefined when it holds. What it throws as a RefwardenError is wrong as well. */
  readonly problem: (examined: Examined) => string | undefined | Promise<string | undefined>;
}

/**
 * Integrity: the signature is whole, well-made and over this very artifact, by the certificate that it brings. No issuer
 * can lift any of it. Envelope and certificates have been parsed by now, or there is nothing to check.
 */
export const integrityChecks: readonly Check<Signed>[] = [
  {
    name: 'contentType',
    code: 'PayloadInvalid',
    problem: ({ envelope: { contentType } }) =>
      contentType === payloadType
        ? undefined
        : `The content type is ${excerpt(contentType)}, not ${payloadType}.`,
  },
  { name: 'signingScheme', code: 'PayloadInvalid', problem: ofAttributes(schemeProblem) },
  { name: 'timeOfScheme', code: 'PayloadInvalid', problem: ofAttributes(signingTimeProblem) },
  { name: 'expiryAfterSigning', code: 'PayloadInvalid', problem: ofAttributes(expiryOrderProblem) },
  { name: 'criticalList', code: 'PayloadInvalid', problem: ofAttributes(criticalListProblem) },
  { name: 'noPlugin', code: 'FormatUnsupported', problem: ofAttributes(pluginProblem) },
  { name: 'criticalUnderstood', code: 'FormatUnsupported', problem: ofAttributes(unknownCriticalProblem) },
  { name: 'signingKey', code: 'CertificateInvalid', problem: ({ chain }) => keyProblem(chain) },
  {
    name: 'algorithmOfKey',
    code: 'SignatureInvalid',
    problem: ({ envelope: { algorithm }, chain: [leaf] }) => {
      const wanted = algorithmOfKey(leaf.key);
      return algorithm === wanted
        ? undefined
        : `The signature states the algorithm ${excerpt(algorithm)}; the signing key takes ${wanted ?? 'none'}.`;
    },
  },
  {
    name: 'signature',
    code: 'SignatureInvalid',
    problem: ({ envelope: { signedBytes, signature }, chain: [leaf] }) => {
      const algorithm = algorithmOfKey(leaf.key);
      return algorithm !== undefined && verifyRawSignature(algorithm, leaf.key, signedBytes, signature)
        ? undefined
        : 'The signature does not verify over payload and attributes by the certificate that it brings.';
    },
  },
  { name: 'chainHashes', code: 'CertificateInvalid', problem: ({ chain }) => hashProblem(chain) },
  { name: 'chainOrder', code: 'CertificateInvalid', problem: ({ chain }) => orderProblem(chain) },
  { name: 'authorities', code: 'CertificateInvalid', problem: ({ chain }) => authorityProblem(chain) },
  { name: 'signingCertificate', code: 'CertificateInvalid', problem: ({ chain }) => leafProblem(chain) },
  {
    name: 'payload',
    code: 'PayloadInvalid',
    problem: ({ envelope }) => void parsePayload(envelope.payload),
  },
  {
    name: 'targetArtifact',
    code: 'SubjectMismatch',
    problem: ({ envelope, subject, document }) =>
      targetProblem(parsePayload(envelope.payload), subject, document),
  },
];

/**
 * What an issuer asks beyond that, in this order (trust-store-trust-policy.md "Steps"). The first check of a validation
 * that fails ends it; whether that refuses the signature is the issuer's level and overrides.
 */
export const trustChecks: Readonly<Record<NotationValidation, readonly Check<Examination>[]>> = {
  authenticity: [
    {
      name: 'trustStore',
      code: 'SignerNotTrusted',
      problem: ({ chain, trusted, isOfAuthority }) => {
        const fingerprints = new Set(trusted.map(({ fingerprint }) => fingerprint));
        return chain.some(({ fingerprint }) => fingerprints.has(fingerprint))
          ? undefined
          : `The certificates of ${nameOf(chain[0])} lead to none of a ${isOfAuthority ? 'signingAuthority' : 'ca'} trust store.`;
      },
    },
    {
      name: 'trustedIdentity',
      code: 'SignerNotTrusted',
      problem: ({ chain: [leaf], issuer }) =>
        isTrustedSubject(issuer.identities, readName(leaf.subject))
          ? undefined
          : `Signed by ${nameOf(leaf)}.`,
    },
  ],
  expiry: [
    {
      name: 'notExpired',
      code: 'SignatureExpired',
      problem: ({ envelope, nowMs }) => {
        const { expiryMs = Infinity } = envelope.attributes;
        return nowMs >= expiryMs ? `The signature expired ${timeText(expiryMs)}.` : undefined;
      },
    },
  ],
  authenticTimestamp: [
    {
      name: 'authorityTime',
      code: 'CertificateInvalid',
      when: ({ isOfAuthority }) => isOfAuthority,
      problem: ({ envelope, chain }) => {
        const { authenticSigningTimeMs: signedMs = NaN } = envelope.attributes;
        return validityProblem(chain, signedMs, signedMs, 'when it was signed');
      },
    },
    {
      name: 'timestampPresent',
      code: 'TrustedTimeMissing',
      when: ({ isTimestampDue }) => isTimestampDue,
      problem: ({ envelope }) =>
        envelope.timestampToken === undefined ? 'The signature has no timestamp.' : undefined,
    },
    {
      name: 'timestampVerified',
      code: 'TrustedTimeMissing',
      when: ({ isTimestampDue }) => isTimestampDue,
      problem: (examined) => void examined.timestamp(),
    },
    {
      name: 'timestampWithinValidity',
      code: 'CertificateInvalid',
      when: ({ isTimestampDue }) => isTimestampDue,
      problem: (examined) => {
        const { genTimeMs, accuracyMs } = examined.timestamp();
        return validityProblem(
          examined.chain,
          genTimeMs - accuracyMs,
          genTimeMs + accuracyMs,
          'at the time of the timestamp',
        );
      },
    },
    {
      name: 'timestampAuthorityNotRevoked',
      code: 'CertificateRevoked',
      when: ({ isTimestampDue }) => isTimestampDue,
      problem: async (examined) => revocationProblem(await examined.timestampRevocation(), 'revoked'),
    },
    {
      name: 'timestampAuthorityRevocationKnown',
      code: 'RevocationUnknown',
      when: ({ isTimestampDue }) => isTimestampDue,
      problem: async (examined) => revocationProblem(await examined.timestampRevocation(), 'unknown'),
    },
    {
      name: 'validNow',
      code: 'CertificateInvalid',
      when: ({ isOfAuthority, isTimestampDue }) => !isOfAuthority && !isTimestampDue,
      problem: ({ chain, nowMs }) => validityProblem(chain, nowMs, nowMs, 'now, and no timestamp is trusted'),
    },
  ],
  revocation: [
    {
      name: 'notRevoked',
      code: 'CertificateRevoked',
      problem: async (examined) => revocationProblem(await examined.revocation(), 'revoked'),
    },
    {
      name: 'revocationKnown',
      code: 'RevocationUnknown',
      problem: async (examined) => revocationProblem(await examined.revocation(), 'unknown'),
    },
  ],
};

function ofAttributes(
  rule: (attributes: Signed['envelope']['attributes']) => string | undefined,
): Check<Signed>['problem'] {
  return ({ envelope }) => rule(envelope.attributes);
}

/** Both ends of the time, and of every certificate's validity, are within. */
function validityProblem(
  chain: Signed['chain'],
  fromMs: number,
  toMs: number,
  when: string,
): string | undefined {
  const invalid = chain.find(({ notBeforeMs, notAfterMs }) => !(notBeforeMs <= fromMs && toMs <= notAfterMs));
  return (
    invalid &&
    `The certificate ${nameOf(invalid)} was not valid ${when}: it is from ${timeText(invalid.notBeforeMs)} to ${timeText(invalid.notAfterMs)}.`
  );
}

/** Everything but `good` is a problem, of one check or the other. */
function revocationProblem(
  { status, message }: Awaited<ReturnType<Examination['revocation']>>,
  of: 'revoked' | 'unknown',
): string | undefined {
  if (status === 'good') return undefined;
  return (status === 'revoked') === (of === 'revoked') ? message : undefined;
}
