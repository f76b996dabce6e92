import { setImmediate } from 'node:timers/promises';
import { toFailure } from '../failures/failure.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import { acceptClaim } from './accept-claim.ts';
import type { ArtifactForm, ClaimOutcome } from './artifact-form.ts';
import type { BareFormat } from './bare-form.ts';
import { bareForms } from './bare-forms.ts';
import { ContentQuestions } from './content-questions.ts';
import { crossCheck } from './expression/cross-check.ts';
import { ExpressionEvaluator } from './expression/evaluator.ts';
import { createNotationForm } from './notation/notation-signature.ts';
import type { RevocationSource } from './revocation/revocation-source.ts';
import { maxSignaturesPerArtifact, selectLayers } from './select-layers.ts';
import type { SelectedLayers } from './select-layers.ts';
import { createSigstoreForms } from './sigstore/sigstore-forms.ts';
import type {
  ProvenEvidence,
  Rejection,
  VerificationOutcome,
  VerificationRequest,
  Verifier,
} from './verification.ts';
import { acceptVouchers } from './vouchers.ts';

/** Every form that a signature can come in: leaving one out does not compile. */
type SignedForms = Readonly<
  Record<Exclude<VerifiedEvidence['format'], BareFormat>, ArtifactForm<ResolvedIssuer>>
>;

export interface VerifierOptions {
  /** Asked about certificates that name revocation services; absent, that stays unknown. */
  readonly revocation?: RevocationSource;
}

/**
 * Turns artifacts into evidence: no I/O of its own, no clock, no environment. Compiled trust is kept between calls.
 * Every signature stands for itself: a bad one becomes a rejection and never spoils a good one.
 */
export function createVerifier(options: VerifierOptions = {}): Verifier {
  const signedForms: SignedForms = { ...createSigstoreForms(), NotationSignature: createNotationForm() };
  const evaluator = new ExpressionEvaluator();
  const selections = new WeakMap<Manifest, SelectedLayers>();
  const select = (manifest: Manifest): SelectedLayers => {
    const known =
      selections.get(manifest) ??
      selectLayers(manifest, Object.values(signedForms), Object.values(bareForms));
    selections.set(manifest, known);
    return known;
  };
  return {
    needs(manifest) {
      const { signed, bare, skipped } = select(manifest);
      return {
        layers: signed.map(({ layer }) => layer),
        vouched: bare.map(({ layer }) => layer),
        subjectDocument: signed.some(({ form }) => form.needsSubjectDocument(manifest)),
        skipped,
      };
    },
    verify: (request) => verifyArtifact(request, select(request.artifact.manifest), evaluator, options),
    crossCheck: (request) => Promise.resolve(crossCheck(request, evaluator)),
  };
}

async function verifyArtifact(
  request: VerificationRequest,
  { signed, bare, skipped }: SelectedLayers,
  evaluator: ExpressionEvaluator,
  options: VerifierOptions,
): Promise<VerificationOutcome> {
  if (signed.length === 0 && bare.length === 0 && skipped.length === 0) {
    return rejected({
      code: 'FormatUnsupported',
      message: 'The artifact holds no signature of a form that is verified.',
    });
  }
  const evidence: ProvenEvidence[] = [];
  const rejections: Rejection[] = [];
  const questions = new ContentQuestions(request, evaluator);
  let signatures = 0;
  for await (const outcome of verifyAll(request, signed, bare, options)) {
    if (++signatures > maxSignaturesPerArtifact) {
      const message = `The artifact holds more than ${maxSignaturesPerArtifact} signatures; the rest was not looked at.`;
      rejections.push({ code: 'ArtifactTooLarge', message });
      break;
    }
    evidence.push(...questions.ask(outcome));
    rejections.push(...outcome.rejections);
    // Each costs up to milliseconds an issuer: others get their turn in between.
    await setImmediate();
  }
  return { evidence, rejections };
}

/** Lazily: each signature is verified when the next outcome is asked for. */
async function* verifyAll(
  request: VerificationRequest,
  signed: SelectedLayers['signed'],
  bare: SelectedLayers['bare'],
  options: VerifierOptions,
): AsyncGenerator<ClaimOutcome> {
  yield* verifySignatures(request, signed, options);
  if (bare.length > 0) yield* verifyVouched(request, bare);
}

async function* verifySignatures(
  { layers, subjects, subjectDocument, issuers, nowMs }: VerificationRequest,
  signed: SelectedLayers['signed'],
  options: VerifierOptions,
): AsyncGenerator<ClaimOutcome> {
  for (const { form, layer } of signed) {
    const bytes = layers.get(layer.digest);
    if (bytes === undefined) {
      yield rejected(notGiven(layer));
      continue;
    }
    try {
      yield* form.verifyLayer(bytes, layer, {
        subjects,
        issuers: issuers.filter(({ kind }) => form.issuerKinds.includes(kind)),
        nowMs,
        ...options,
        ...(subjectDocument === undefined ? {} : { subjectDocument }),
      });
    } catch (thrown) {
      yield rejected(toFailure(thrown));
    }
  }
}

/** What carries no signature counts as what those who vouch for the artifact say. */
function* verifyVouched(request: VerificationRequest, bare: SelectedLayers['bare']): Generator<ClaimOutcome> {
  const { accepted, rejections } = acceptVouchers(request);
  if (rejections.length > 0) yield { evidence: [], rejections };
  if (accepted === undefined) return;
  const { artifact, layers, subjects } = request;
  for (const { form, layer } of bare) {
    const bytes = layers.get(layer.digest);
    const outcome: ClaimOutcome =
      bytes === undefined
        ? rejected(notGiven(layer))
        : acceptClaim(() => form.readClaim(bytes, layer, artifact.manifest), accepted, form.format, subjects);
    yield {
      ...outcome,
      rejections: outcome.rejections.map((rejection) => ({ ...rejection, about: 'attestation' })),
    };
  }
}

const rejected = (rejection: Rejection): VerificationOutcome => ({ evidence: [], rejections: [rejection] });

const notGiven = ({ digest }: Descriptor): Rejection => ({
  code: 'ArtifactMissing',
  message: `Layer ${digest} was not given.`,
});
