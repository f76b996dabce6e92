import { RefwardenError, toFailure } from '../../failures/failure.ts';
import { describeSigner } from '../../policy/evidence.ts';
import type { Signer } from '../../policy/evidence.ts';
import type { KeyIssuer, KeylessIssuer } from '../../policy/resolved-issuer.ts';
import type { VerificationContext } from '../artifact-form.ts';
import { matchesIdentity } from '../identity.ts';
import { spkiHash } from '../keys.ts';
import { printable } from '../printable.ts';
import { verifyBytes } from '../signature-schemes.ts';
import { parseSigningCertificate } from '../signing-certificate.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import type { Rejection } from '../verification.ts';
import { nearestRefusal, refuse, refuseFor } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { checkBounds } from './signed-entity.ts';
import type { SignedEntity } from './signed-entity.ts';
import { verifyEntity } from './verify-entity.ts';

/** One issuer takes the signature for its own. What the signed content says is not looked at yet. */
interface Acceptance {
  readonly issuer: string;
  readonly signer: Signer;
  /** Earliest trusted time, milliseconds since the epoch. */
  readonly signedAtMs?: number;
}

export type VerifiedSigners =
  | { readonly accepted: readonly [Acceptance, ...Acceptance[]] }
  | { readonly accepted: readonly []; readonly rejection: Rejection };

/** Absent, unreadable, or read. */
type Certificate = SigningCertificate | RefwardenError | undefined;

/** Puts one signature before every issuer. Never throws for what the signature holds. */
export function verifySignature(entity: SignedEntity, context: VerificationContext): VerifiedSigners {
  let certificate: Certificate;
  try {
    checkBounds(entity);
    certificate = entity.certificate && readCertificate(entity.certificate);
  } catch (thrown) {
    return { accepted: [], rejection: toFailure(thrown) };
  }
  const prove = proveOnce(entity, context);
  const results = context.issuers.map((issuer) =>
    issuer.kind === 'key'
      ? verifyByKey(entity, issuer, context)
      : verifyByCertificate(certificate, issuer, context, prove),
  );
  const [first, ...rest] = results.filter((result) => 'issuer' in result);
  if (first !== undefined) return { accepted: [first, ...rest] };
  const refusals = results.filter((result) => 'nearness' in result);
  return {
    accepted: [],
    rejection: nearestRefusal(refusals, context.issuers, shownSigner(entity, certificate)),
  };
}

function verifyByKey(
  entity: SignedEntity,
  { name, pem, transparencyLog, trustedRoot }: KeyIssuer,
  { trust, nowMs }: VerificationContext,
): Acceptance | Refusal {
  let signer: Signer | undefined;
  try {
    const { key, fingerprint } = trust.key(pem);
    if (!verifyBytes(entity.signedBytes, key, entity.signature)) {
      return hintHash(entity)?.equals(spkiHash(key))
        ? refuse(
            'altered',
            'SignatureInvalid',
            `The signature names the key of ${name}, which does not verify it.`,
          )
        : refuse('otherSigner', 'SignerNotTrusted', 'No listed key verifies the signature.');
    }
    signer = { kind: 'key', keyFingerprint: fingerprint };
    if (transparencyLog === 'NotRequired') return { issuer: name, signer };
    if (trustedRoot === undefined) {
      throw new RefwardenError(
        'TrustMaterialMissing',
        `Issuer ${name} has no trusted root for the log it requires.`,
      );
    }
    const demands = {
      sct: 'NotRequired',
      transparencyLog: 'Required',
      signedTimestamp: 'NotRequired',
    } as const;
    return {
      issuer: name,
      signer,
      ...dated(verifyEntity(entity, { key }, trust.root(trustedRoot), demands, nowMs)),
    };
  } catch (thrown) {
    const refusal = refuseFor(signer === undefined ? 'unproven' : 'lacksMaterial', thrown);
    return signer === undefined ? refusal : { ...refusal, signer: describeSigner(signer) };
  }
}

function verifyByCertificate(
  certificate: Certificate,
  issuer: KeylessIssuer,
  { trust }: VerificationContext,
  prove: Prove,
): Acceptance | Refusal {
  if (certificate === undefined) {
    return refuse(
      'otherSigner',
      'SignerNotTrusted',
      'The signature was made by a key and carries no certificate.',
    );
  }
  if (certificate instanceof RefwardenError) return refuseFor('unproven', certificate);
  let matches = false;
  try {
    matches = matchesIdentity(certificate, issuer.identities, trust.pattern);
    const times = prove(certificate, issuer);
    const signer = signerOf(certificate);
    if (matches) return { issuer: issuer.name, signer, ...dated(times) };
    const shown = printable(describeSigner(signer));
    return { ...refuse('otherIdentity', 'SignerNotTrusted', `Signed by ${shown}.`), signer: shown };
  } catch (thrown) {
    return refuseFor(matches ? 'lacksMaterial' : 'unproven', thrown);
  }
}

/** Verifies the signature for the issuer's root and demands. @throws RefwardenError as {@link verifyEntity}. */
type Prove = (certificate: SigningCertificate, issuer: KeylessIssuer) => readonly number[];

/** Issuers mostly share root and demands: each combination is verified once, or a flood of signatures costs too much. */
function proveOnce(entity: SignedEntity, { trust, nowMs }: VerificationContext): Prove {
  const proofs = new Map<string, readonly number[] | RefwardenError>();
  return (certificate, issuer) => {
    const { trustedRoot, sct, transparencyLog, signedTimestamp } = issuer;
    const combination = JSON.stringify([trustedRoot.fingerprint, sct, transparencyLog, signedTimestamp]);
    let proof = proofs.get(combination);
    if (proof === undefined) {
      try {
        proof = verifyEntity(
          entity,
          { key: certificate.key, certificate },
          trust.root(trustedRoot),
          issuer,
          nowMs,
        );
      } catch (thrown) {
        if (!(thrown instanceof RefwardenError)) throw thrown;
        proof = thrown;
      }
      proofs.set(combination, proof);
    }
    if (proof instanceof RefwardenError) throw proof;
    return proof;
  };
}

/** All subjects, not the one that matched: one certificate is one signer, whichever issuer takes it. */
function signerOf({ issuer, subjects, fingerprint }: SigningCertificate): Signer {
  return { kind: 'keyless', issuer, subject: subjects.join(', '), certificateFingerprint: fingerprint };
}

/** A certificate that cannot be read is kept as such: a listed key may still have made the signature. */
function readCertificate(der: Uint8Array): SigningCertificate | RefwardenError {
  try {
    return parseSigningCertificate(der);
  } catch (thrown) {
    if (thrown instanceof RefwardenError) return thrown;
    throw thrown;
  }
}

/** cosign's hint is the base64 of the SHA-256 of the DER key. */
function hintHash({ keyHint }: SignedEntity): Buffer | undefined {
  return keyHint !== undefined && /^[A-Za-z0-9+/]{43}=$/.test(keyHint)
    ? Buffer.from(keyHint, 'base64')
    : undefined;
}

function shownSigner(entity: SignedEntity, certificate: Certificate): string | undefined {
  if (certificate !== undefined && !(certificate instanceof RefwardenError)) {
    return `claimed ${printable(describeSigner(signerOf(certificate)))}`;
  }
  const hash = hintHash(entity);
  return (
    hash && `claimed ${describeSigner({ kind: 'key', keyFingerprint: `sha256:${hash.toString('hex')}` })}`
  );
}

const dated = (timesMs: readonly number[]): { signedAtMs?: number } =>
  timesMs.length === 0 ? {} : { signedAtMs: Math.min(...timesMs) };
