import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { isOfContent } from './assertions.ts';
import { describeSigner } from './evidence.ts';
import type { AssertionResult, Evidence } from './evidence.ts';
import { signerGroups } from './signer-groups.ts';
import type {
  EvidenceRequirement,
  SbomRequirement,
  AttestationRequirement,
  SignatureRequirement,
} from './snapshot.ts';

/** `satisfied` with the evidence that counts, or why what was found does not suffice. */
export type Evaluation =
  | { readonly satisfied: true; readonly evidence: readonly Evidence[] }
  | { readonly satisfied: false; readonly failure: Failure };

/**
 * Judges one requirement on verified evidence only. Pure; `nowMs` is milliseconds since the epoch.
 * An empty list of evidence never satisfies.
 */
export function evaluateRequirement(
  requirement: EvidenceRequirement,
  evidence: readonly Evidence[],
  image: Digest,
  nowMs: number,
): Evaluation {
  const names = new Set(requirement.issuers.map(({ name }) => name));
  const trusted = evidence.filter(
    (item) => names.has(item.issuer) && (item.validUntilMs === undefined || nowMs < item.validUntilMs),
  );
  return requirement.kind === 'signature'
    ? evaluateSignature(requirement, trusted, image)
    : evaluateAttestation(requirement, trusted, image, nowMs);
}

/** A signature of the image itself, or, where policy lets it, of an index proven to contain it. */
function evaluateSignature(
  requirement: SignatureRequirement,
  trusted: readonly Evidence[],
  image: Digest,
): Evaluation {
  const counting = trusted.filter(
    ({ kind, subject, indexes }) =>
      kind === 'signature' &&
      (subject === image || (requirement.inheritFromIndex && indexes.includes(subject))),
  );
  const distinct = distinctSigners(counting);
  if (distinct.length > 0 && distinct.length >= requirement.minimumIssuers)
    return { satisfied: true, evidence: distinct };
  if (counting.length > 0) {
    const signers = [
      ...new Set(counting.map(({ issuer, signer }) => `${issuer} as ${describeSigner(signer)}`)),
    ];
    return {
      satisfied: false,
      failure: failure(
        'TooFewIssuers',
        `${requirement.minimumIssuers} distinct issuers must sign, each with a key or identity of its own; found ${distinct.length}: ${signers.join(', ')}`,
      ),
    };
  }
  return { satisfied: false, failure: failure('SignatureMissing', 'no signature was found') };
}

/** The statement must name the image itself: an SBOM of an index does not describe its child. */
function evaluateAttestation(
  requirement: SbomRequirement | AttestationRequirement,
  trusted: readonly Evidence[],
  image: Digest,
  nowMs: number,
): Evaluation {
  const isSbom = requirement.kind === 'sbom';
  const attestations = trusted.filter(({ kind, subject }) => kind === 'attestation' && subject === image);
  const ofType = attestations.filter((item) => isOfContent(requirement, item));
  const fresh = ofType.filter((item) => isFresh(item, requirement.maxAgeMs, nowMs));
  const holding = fresh.filter((item) => resultOf(requirement, item).holds);
  if (holding.length > 0) return { satisfied: true, evidence: holding };
  const [nearest] = fresh.map((item) => resultOf(requirement, item)).filter((result) => !result.holds);
  if (nearest !== undefined) return { satisfied: false, failure: nearest.failure };
  const dated = ofType.flatMap((item) => madeAtMs(item) ?? []);
  if (dated.length > 0) {
    const newest = Math.max(...dated);
    const message = `the newest was signed ${new Date(newest).toISOString()}, policy allows ${formatAge(requirement.maxAgeMs ?? 0)}`;
    return { satisfied: false, failure: failure('EvidenceTooOld', message) };
  }
  if (ofType.length > 0) {
    return {
      satisfied: false,
      failure: failure('EvidenceUndated', 'nothing trusted says when it was made'),
    };
  }
  if (attestations.length > 0) {
    const found = [...new Set(attestations.map(({ predicateType }) => predicateType ?? 'an unknown type'))];
    return {
      satisfied: false,
      failure: failure('PredicateTypeMismatch', `found only attestations of ${found.slice(0, 4).join(', ')}`),
    };
  }
  return isSbom
    ? { satisfied: false, failure: failure('SbomMissing', 'no SBOM attestation was found') }
    : { satisfied: false, failure: failure('AttestationMissing', 'no attestation was found') };
}

/** What was not evaluated does not hold. */
function resultOf(
  { assertions: asked }: SbomRequirement | AttestationRequirement,
  item: Evidence,
): AssertionResult {
  if (asked === undefined) return { holds: true };
  const { assertions: results = {} } = item;
  const result = Object.hasOwn(results, asked.fingerprint) ? results[asked.fingerprint] : undefined;
  return result ?? notEvaluated;
}

const notEvaluated: AssertionResult = {
  holds: false,
  failure: failure('InternalError', 'its expressions were not evaluated'),
};

function isFresh(item: Evidence, maxAgeMs: number | undefined, nowMs: number): boolean {
  const atMs = madeAtMs(item);
  return maxAgeMs === undefined || (atMs !== undefined && nowMs - atMs <= maxAgeMs);
}

/**
 * A log entry or a timestamp proves that a signature existed then, and anybody can have one made of an old signature.
 * Only a short-lived certificate says that it was not made long before.
 */
function madeAtMs({ signer, signedAtMs }: Evidence): number | undefined {
  return signer.kind === 'keyless' ? signedAtMs : undefined;
}

/**
 * The largest set of evidence in which both issuers and signers are distinct: one key behind two issuer names
 * counts once, and so do two keys behind one name. Maximum bipartite matching by augmenting paths.
 */
function distinctSigners(evidence: readonly Evidence[]): Evidence[] {
  const byIssuer = Map.groupBy(evidence, ({ issuer }) => issuer);
  const groupOf = signerGroups(evidence.map(({ signer }) => signer));
  const takenBy = new Map<string, Evidence>();
  const assign = (issuer: string, seen: Set<string>): boolean => {
    for (const item of byIssuer.get(issuer) ?? []) {
      const signer = groupOf(item.signer);
      if (seen.has(signer)) continue;
      seen.add(signer);
      const holder = takenBy.get(signer);
      if (holder === undefined || assign(holder.issuer, seen)) {
        takenBy.set(signer, item);
        return true;
      }
    }
    return false;
  };
  for (const issuer of byIssuer.keys()) assign(issuer, new Set());
  return [...takenBy.values()];
}

function formatAge(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 48
    ? `${Math.floor(hours / 24)} days`
    : hours >= 1
      ? `${Math.floor(hours)} hours`
      : `${Math.floor(ms / 1000)} seconds`;
}
