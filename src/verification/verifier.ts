import { setImmediate } from 'node:timers/promises';
import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { ArtifactForm } from './artifact-form.ts';
import { createSigstoreForms } from './sigstore/sigstore-forms.ts';
import type { Rejection, VerificationOutcome, VerificationRequest, Verifier } from './verification.ts';

/** Most signatures of one artifact that are looked at; an image signed at every build collects tens. */
export const maxSignaturesPerArtifact = 64;
/** Most bytes of all layers of one artifact together. */
const maxSignatureBytesPerArtifact = 64 * 1024 * 1024;

/** Every form that evidence can come in: leaving one out does not compile. */
type Forms = Readonly<Record<VerifiedEvidence['format'], ArtifactForm<ResolvedIssuer>>>;

/**
 * Turns artifacts into evidence: no I/O, no clock, no environment. Compiled trust is kept between calls.
 * Every signature stands for itself: a bad one becomes a rejection and never spoils a good one.
 */
export function createVerifier(): Verifier {
  const forms: Forms = createSigstoreForms();
  const selections = new WeakMap<Manifest, SelectedLayers>();
  const select = (manifest: Manifest): SelectedLayers => {
    const known = selections.get(manifest) ?? selectLayers(manifest, forms);
    selections.set(manifest, known);
    return known;
  };
  return {
    needs(manifest) {
      const { usable, skipped } = select(manifest);
      return {
        layers: usable.map(({ layer }) => layer),
        vouched: [],
        subjectDocument: usable.some(({ form }) => form.needsSubjectDocument(manifest)),
        skipped,
      };
    },
    verify: (request) => verifyArtifact(request, select(request.artifact.manifest)),
  };
}

async function verifyArtifact(
  request: VerificationRequest,
  { usable, skipped }: SelectedLayers,
): Promise<VerificationOutcome> {
  if (usable.length === 0 && skipped.length === 0) {
    return {
      evidence: [],
      rejections: [
        { code: 'FormatUnsupported', message: 'The artifact holds no signature of a form that is verified.' },
      ],
    };
  }
  const evidence: VerifiedEvidence[] = [];
  const rejections: Rejection[] = [];
  let signatures = 0;
  for (const outcome of verifySignatures(request, usable)) {
    if (++signatures > maxSignaturesPerArtifact) {
      const message = `The artifact holds more than ${maxSignaturesPerArtifact} signatures; the rest was not looked at.`;
      rejections.push({ code: 'ArtifactTooLarge', message });
      break;
    }
    evidence.push(...outcome.evidence);
    rejections.push(...outcome.rejections);
    // Each costs up to milliseconds an issuer: others get their turn in between.
    await setImmediate();
  }
  return { evidence, rejections };
}

/** Lazily: each signature is verified when the next outcome is asked for. */
function* verifySignatures(
  { layers, subjects, subjectDocument, issuers, nowMs }: VerificationRequest,
  usable: SelectedLayers['usable'],
): Generator<VerificationOutcome> {
  for (const { form, layer } of usable) {
    const bytes = layers.get(layer.digest);
    if (bytes === undefined) {
      yield rejected({ code: 'ArtifactMissing', message: `Layer ${layer.digest} was not given.` });
      continue;
    }
    try {
      yield* form.verifyLayer(bytes, layer, {
        subjects,
        issuers: issuers.filter(({ kind }) => form.issuerKinds.includes(kind)),
        nowMs,
        ...(subjectDocument === undefined ? {} : { subjectDocument }),
      });
    } catch (thrown) {
      yield rejected(toFailure(thrown));
    }
  }
}

const rejected = (rejection: Rejection): VerificationOutcome => ({ evidence: [], rejections: [rejection] });

interface SelectedLayers {
  readonly usable: readonly { readonly form: ArtifactForm<ResolvedIssuer>; readonly layer: Descriptor }[];
  /** Why layers were left out. */
  readonly skipped: readonly Failure[];
}

/** By the manifest alone, so that what is too large or too much is never fetched. */
function selectLayers(manifest: Manifest, forms: Forms): SelectedLayers {
  const found = Object.values(forms).flatMap((form) =>
    form.layers(manifest).map((layer) => ({ form, layer })),
  );
  const usable: SelectedLayers['usable'][number][] = [];
  const skipped: Failure[] = [];
  let totalBytes = 0;
  // The newest: cosign appends to what it finds.
  for (const entry of found.slice(-maxSignaturesPerArtifact)) {
    const { digest, size } = entry.layer;
    // What is left out is not fetched, and takes nothing from the others.
    if (size <= entry.form.maxLayerBytes && totalBytes + size <= maxSignatureBytesPerArtifact) {
      totalBytes += size;
      usable.push(entry);
    } else {
      skipped.push(failure('ArtifactTooLarge', `Layer ${digest} takes ${size} bytes, more than is read.`));
    }
  }
  if (found.length > maxSignaturesPerArtifact) {
    const message = `The artifact holds ${found.length} signatures; the last ${maxSignaturesPerArtifact} were looked at.`;
    skipped.push(failure('ArtifactTooLarge', message));
  }
  return { usable, skipped };
}
