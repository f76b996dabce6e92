import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { ArtifactForm, VerificationContext } from './artifact-form.ts';
import { CompiledTrust } from './sigstore/compiled-trust.ts';
import { cosignAttestations } from './sigstore/cosign-attestations.ts';
import { sigstoreBundle } from './sigstore/bundle.ts';
import { simpleSigning } from './sigstore/simple-signing.ts';
import type { VerificationOutcome, VerificationRequest, Verifier } from './verification.ts';

/** Every form that evidence can come in: leaving one out does not compile. */
const forms: Readonly<Record<VerifiedEvidence['format'], ArtifactForm>> = {
  CosignSimpleSigning: simpleSigning,
  SigstoreBundle: sigstoreBundle,
  DsseEnvelope: cosignAttestations,
};

/** Most signatures (layers) of one artifact that are looked at; an image signed at every build collects tens. */
export const maxSignaturesPerArtifact = 64;
/** Most bytes of all layers of one artifact together. */
const maxSignatureBytesPerArtifact = 64 * 1024 * 1024;

/**
 * Turns artifacts into evidence: no I/O, no clock, no environment. Compiled trust is kept between calls.
 * Every signature stands for itself: a bad one becomes a rejection and never spoils a good one.
 */
export function createVerifier(): Verifier {
  const trust = new CompiledTrust();
  return {
    needs(manifest) {
      const { usable, skipped } = selectLayers(manifest);
      return {
        layers: usable.map(({ layer }) => layer),
        subjectDocument: usable.some(({ form }) => form.needsSubjectDocument(manifest)),
        skipped,
      };
    },
    verify: (request) => Promise.resolve(verifyArtifact(request, trust)),
  };
}

function verifyArtifact(request: VerificationRequest, trust: CompiledTrust): VerificationOutcome {
  const { artifact, layers, subjects, subjectDocument, issuers, nowMs } = request;
  const context: VerificationContext = {
    subjects,
    issuers,
    trust,
    nowMs,
    ...(subjectDocument === undefined ? {} : { subjectDocument }),
  };
  const { usable, skipped } = selectLayers(artifact.manifest);
  if (usable.length === 0 && skipped.length === 0) {
    return {
      evidence: [],
      rejections: [
        { code: 'FormatUnsupported', message: 'The artifact holds no signature of a form that is verified.' },
      ],
    };
  }
  const outcomes = usable.map(({ form, layer }): VerificationOutcome => {
    const bytes = layers.get(layer.digest);
    if (bytes === undefined) {
      return {
        evidence: [],
        rejections: [{ code: 'ArtifactMissing', message: `Layer ${layer.digest} was not given.` }],
      };
    }
    try {
      return form.verifyLayer(bytes, layer, context);
    } catch (thrown) {
      return { evidence: [], rejections: [toFailure(thrown)] };
    }
  });
  return {
    evidence: outcomes.flatMap((outcome) => outcome.evidence),
    rejections: outcomes.flatMap((outcome) => outcome.rejections),
  };
}

interface SelectedLayers {
  readonly usable: readonly { readonly form: ArtifactForm; readonly layer: Descriptor }[];
  /** Why layers were left out. */
  readonly skipped: readonly Failure[];
}

/** By the manifest alone, so that what is too large or too much is never fetched. */
function selectLayers(manifest: Manifest): SelectedLayers {
  const found = Object.values(forms).flatMap((form) =>
    form.layers(manifest).map((layer) => ({ form, layer })),
  );
  const usable: SelectedLayers['usable'][number][] = [];
  const skipped: Failure[] = [];
  let totalBytes = 0;
  for (const entry of found.slice(0, maxSignaturesPerArtifact)) {
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
    const message = `The artifact holds ${found.length} signatures; the first ${maxSignaturesPerArtifact} were looked at.`;
    skipped.push(failure('ArtifactTooLarge', message));
  }
  return { usable, skipped };
}
