import { RefwardenError, toFailure } from '../../failures/failure.ts';
import { describeSigner } from '../../policy/evidence.ts';
import type { Signer, TrustedTime } from '../../policy/evidence.ts';
import type { KeyIssuer, KeylessIssuer } from '../../policy/resolved-issuer.ts';
import type { Acceptance } from '../accept-claim.ts';
import { matchesIdentity } from '../identity.ts';
import { canonicalKey, keyFingerprint } from '../keys.ts';
import type { PublicKey } from '../keys.ts';
import { excerpt } from '../excerpt.ts';
import { parseSigningCertificate } from '../signing-certificate.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import type { Rejection } from '../verification.ts';
import type { CompiledTrust } from './compiled-trust.ts';
import { demandsOf } from './demands.ts';
import { checkKeyValidity } from './key-validity.ts';
import { nearestRefusal, refuse, refuseFor } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { checkBounds, isSignedBy } from './signed-entity.ts';
import type { SignedEntity } from './signed-entity.ts';
import type { SigstoreContext } from './sigstore-form.ts';
import { verifyEntity } from './verify-entity.ts';

export type VerifiedSigners =
  | { readonly accepted: readonly [Acceptance, ...Acceptance[]] }
  | { readonly accepted: readonly []; readonly rejection: Rejection };

/** Absent, unreadable, or read. */
type Certificate = SigningCertificate | RefwardenError | undefined;

/** One signature before the issuers. */
interface Attempt {
  readonly entity: SignedEntity;
  readonly certificate: Certificate;
  readonly trust: CompiledTrust;
  readonly nowMs: number;
}

/** Puts one signature before every issuer. Never throws for what the signature holds. */
export function verifySignature(
  entity: SignedEntity,
  { issuers, nowMs }: SigstoreContext,
  trust: CompiledTrust,
): VerifiedSigners {
  let certificate: Certificate;
  try {
    checkBounds(entity);
    certificate = entity.certificate && readCertificate(entity.certificate);
  } catch (thrown) {
    return { accepted: [], rejection: toFailure(thrown) };
  }
  const attempt: Attempt = { entity, certificate, trust, nowMs };
  const madeBy = tryKeysOnce(attempt, issuers);
  const prove = proveOnce(attempt);
  const results = issuers.map((issuer) => {
    switch (issuer.kind) {
      case 'key':
        return verifyByKey(attempt, issuer, madeBy);
      case 'keyless':
        return verifyByCertificate(attempt, issuer, prove);
    }
  });
  const [first, ...rest] = results.filter((result) => 'issuer' in result);
  if (first !== undefined) return { accepted: [first, ...rest] };
  const refusals = results.filter((result) => 'nearness' in result);
  return {
    accepted: [],
    rejection: nearestRefusal(refusals, issuers, shownSigner(attempt)),
  };
}

function verifyByKey(
  { entity, trust, nowMs }: Attempt,
  issuer: KeyIssuer,
  madeBy: MadeBy,
): Acceptance | Refusal {
  const { name, trustedRoot } = issuer;
  let signer: Signer | undefined;
  try {
    const listed = trust.key(issuer.pem);
    const { key, fingerprint } = listed;
    if (!madeBy(listed)) {
      return hintedFingerprint(entity) === fingerprint
        ? refuse(
            'altered',
            'SignatureInvalid',
            `The signature names the key of ${name}, which does not verify it.`,
          )
        : refuse('otherSigner', 'SignerNotTrusted', 'No listed key verifies the signature.');
    }
    signer = { kind: 'key', keyFingerprint: fingerprint };
    const demands = demandsOf(issuer);
    if (trustedRoot === undefined && demands.transparencyLog + demands.signedTimestamp > 0) {
      throw new RefwardenError(
        'TrustMaterialMissing',
        `Issuer ${name} has no trusted root for the log or timestamp it requires.`,
      );
    }
    const times =
      trustedRoot === undefined
        ? []
        : verifyEntity(entity, { signer: { key }, root: trust.root(trustedRoot), demands, nowMs });
    return { issuer: name, signer, ...dated(times), ...checkKeyValidity(issuer, signer, times, nowMs) };
  } catch (thrown) {
    const refusal = refuseFor(signer === undefined ? 'unproven' : 'lacksMaterial', thrown);
    return signer === undefined ? refusal : { ...refusal, signer: describeSigner(signer) };
  }
}

/** Whether a key made the signature. */
type MadeBy = (key: PublicKey) => boolean;

/**
 * Each distinct key is tried once, whatever number of issuers lists it. The key that the signature names comes first, and
 * when it made the signature no other did.
 */
function tryKeysOnce({ entity, trust }: Attempt, issuers: SigstoreContext['issuers']): MadeBy {
  const tried = new Map<string, boolean>();
  const madeBy: MadeBy = ({ key, fingerprint }) => {
    const known = tried.get(fingerprint);
    if (known !== undefined) return known;
    const made = isSignedBy(entity, key);
    tried.set(fingerprint, made);
    return made;
  };
  const hinted = hintedFingerprint(entity);
  const named =
    hinted === undefined ? undefined : listedKeys(issuers, trust).find((key) => key.fingerprint === hinted);
  if (named === undefined || !madeBy(named)) return madeBy;
  return ({ fingerprint }) => fingerprint === hinted;
}

/** A key that does not parse is named when its issuer's turn comes. */
function listedKeys(issuers: SigstoreContext['issuers'], trust: CompiledTrust): PublicKey[] {
  return issuers.flatMap((issuer) => {
    try {
      return issuer.kind === 'key' ? [trust.key(issuer.pem)] : [];
    } catch {
      return [];
    }
  });
}

function verifyByCertificate(
  { certificate, trust }: Attempt,
  issuer: KeylessIssuer,
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
    const shown = excerpt(describeSigner(signer));
    return { ...refuse('otherIdentity', 'SignerNotTrusted', `Signed by ${shown}.`), signer: shown };
  } catch (thrown) {
    return refuseFor(matches ? 'lacksMaterial' : 'unproven', thrown);
  }
}

/** Verifies the signature for the issuer's root and demands. @throws RefwardenError as {@link verifyEntity}. */
type Prove = (certificate: SigningCertificate, issuer: KeylessIssuer) => readonly TrustedTime[];

/** Issuers mostly share root and demands: each combination is verified once, or a flood of signatures costs too much. */
function proveOnce({ entity, trust, nowMs }: Attempt): Prove {
  const proofs = new Map<string, readonly TrustedTime[] | RefwardenError>();
  return (certificate, issuer) => {
    const { trustedRoot } = issuer;
    const demands = demandsOf(issuer);
    const combination = JSON.stringify([trustedRoot.fingerprint, demands]);
    let proof = proofs.get(combination);
    if (proof === undefined) {
      try {
        const signer = { key: certificate.key, certificate };
        proof = verifyEntity(entity, { signer, root: trust.root(trustedRoot), demands, nowMs });
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
function signerOf({ issuer, subjects, fingerprint, key }: SigningCertificate): Signer {
  return {
    kind: 'keyless',
    issuer,
    subject: subjects.join(', '),
    certificateFingerprint: fingerprint,
    keyFingerprint: keyFingerprint(canonicalKey(key)),
  };
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
export function hintedFingerprint({ keyHint }: Pick<SignedEntity, 'keyHint'>): string | undefined {
  return keyHint !== undefined && /^[A-Za-z0-9+/]{43}=$/.test(keyHint)
    ? `sha256:${Buffer.from(keyHint, 'base64').toString('hex')}`
    : undefined;
}

function shownSigner({ entity, certificate }: Attempt): string | undefined {
  if (certificate !== undefined && !(certificate instanceof RefwardenError)) {
    return `claimed ${excerpt(describeSigner(signerOf(certificate)))}`;
  }
  const keyFingerprint = hintedFingerprint(entity);
  return keyFingerprint && `claimed ${describeSigner({ kind: 'key', keyFingerprint })}`;
}

const dated = ([earliest]: readonly TrustedTime[]): Pick<Acceptance, 'signedAtMs' | 'timeSource'> =>
  earliest === undefined ? {} : { signedAtMs: earliest.timeMs, timeSource: earliest.source };
