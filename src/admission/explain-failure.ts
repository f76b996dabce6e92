import { failureCatalogue } from '../failures/catalogue.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { failure, failureKind } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { isOfContent } from '../policy/assertions.ts';
import { describeSigner } from '../policy/evidence.ts';
import type { EvidenceRequirement } from '../policy/snapshot.ts';
import { isWaivable } from './checks.ts';
import type { Findings } from './findings-ledger.ts';
import type { Miss } from './verdict.ts';

/** What was found beats "nothing was found": the closest miss names the failure. */
export function explainFailure(
  requirement: EvidenceRequirement,
  found: Failure,
  misses: readonly Miss[],
): Failure {
  const asks = `${describeRequirement(requirement)} by ${requirement.issuers.map(({ name }) => name).join(' or ')}`;
  const closest = misses[0];
  const nothing =
    found.code === 'SignatureMissing' || found.code === 'SbomMissing' || found.code === 'AttestationMissing';
  if (!nothing || closest === undefined) return failure(found.code, `asks for ${asks}: ${found.message}`);
  const unnamed = misses.flatMap(({ signer }) =>
    signer === undefined || closest.message.includes(signer) ? [] : [signer],
  );
  const shown = [...[...new Set(unnamed)].slice(0, 3), closest.message].join('. ');
  return failure(closest.code, `asks for ${asks}. Found ${misses.length}: ${shown}`);
}

function describeRequirement(requirement: EvidenceRequirement): string {
  switch (requirement.kind) {
    case 'signature':
      return 'a signature';
    case 'sbom':
      return `an SBOM (${requirement.formats.join(' or ')})`;
    case 'attestation':
      return `an attestation ${requirement.predicateType}`;
  }
}

/** From almost right to not readable at all. */
const closeness: readonly FailureCode[] = [
  'EvidenceTooOld',
  'TransparencyLogMissing',
  'CertificateTransparencyMissing',
  'TrustedTimeMissing',
  'SignerNotTrusted',
  'SubjectMismatch',
  'SignatureInvalid',
  'CertificateInvalid',
  'PayloadInvalid',
  'VoucherMissing',
];

/** Of several ways of which none was gone: the code of the nearest, and what each lacks. */
export function noneOf(failures: readonly Failure[]): Failure {
  const [nearest] = failures.toSorted((a, b) => rankOf(a.code) - rankOf(b.code));
  if (nearest === undefined) return failure('InternalError', failureCatalogue.InternalError.summary);
  const each = failures.map(({ code, message }) => `${code}: ${message}`).join('; or ');
  return failures.length === 1
    ? nearest
    : failure(nearest.code, `none of ${failures.length} ways is met: ${each}`);
}

/** What was found for this kind of requirement, evidence of issuers that it does not list included. */
export function missesFor({ evidence, misses }: Findings, requirement: EvidenceRequirement): readonly Miss[] {
  const about = requirement.kind === 'signature' ? 'signature' : 'attestation';
  const names = new Set(requirement.issuers.map(({ name }) => name));
  const byOthers = evidence
    .filter(({ issuer }) => !names.has(issuer))
    .filter((item) =>
      requirement.kind === 'signature' ? item.kind === 'signature' : isOfContent(requirement, item),
    )
    .map(({ artifact, mechanism, signer }): Miss => ({
      code: 'SignerNotTrusted',
      message: failureCatalogue.SignerNotTrusted.summary,
      about,
      artifact,
      mechanism,
      signer: describeSigner(signer),
    }));
  return [...misses.filter((miss) => miss.about === undefined || miss.about === about), ...byOthers].toSorted(
    (a, b) => rankOf(a.code) - rankOf(b.code),
  );
}

function rankOf(code: FailureCode): number {
  const at = closeness.indexOf(code);
  return at === -1 ? closeness.length : at;
}

/** The gap that an answer names: a defect of ours first, then what may not be waived, then what a registry failed to do. */
export function worstGap(gaps: readonly Failure[]): Failure | undefined {
  return (
    gaps.find(({ code }) => failureKind(code) !== 'inconclusive') ??
    gaps.find((gap) => !isWaivable(gap)) ??
    gaps[0]
  );
}
