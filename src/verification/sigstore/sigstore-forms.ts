import type { VerifiedEvidence } from '../../policy/evidence.ts';
import type { ArtifactForm } from '../artifact-form.ts';
import { sigstoreBundle } from './bundle.ts';
import { CompiledTrust } from './compiled-trust.ts';
import { cosignAttestations } from './cosign-attestations.ts';
import type { SigstoreForm, SigstoreIssuer } from './sigstore-form.ts';
import { simpleSigning } from './simple-signing.ts';
import { verifyClaim } from './verify-claim.ts';

type SigstoreFormat = 'CosignSimpleSigning' | 'SigstoreBundle' | 'DsseEnvelope';

/** Every form of Sigstore's, with trust material compiled once between them. */
export function createSigstoreForms(): Readonly<Record<SigstoreFormat, ArtifactForm<SigstoreIssuer>>> {
  const trust = new CompiledTrust();
  const verifying = (
    format: VerifiedEvidence['format'],
    form: SigstoreForm,
  ): ArtifactForm<SigstoreIssuer> => ({
    issuerKinds: ['key', 'keyless'],
    layers: (manifest) => form.layers(manifest),
    needsSubjectDocument: (manifest) => form.needsSubjectDocument(manifest),
    maxLayerBytes: form.maxLayerBytes,
    *verifyLayer(bytes, layer, context) {
      const wanted = { digest: context.subjects[0], document: context.subjectDocument };
      for (const claim of form.parseLayer(bytes, layer, wanted)) {
        yield verifyClaim(claim, format, context, trust);
      }
    },
  });
  return {
    CosignSimpleSigning: verifying('CosignSimpleSigning', simpleSigning),
    SigstoreBundle: verifying('SigstoreBundle', sigstoreBundle),
    DsseEnvelope: verifying('DsseEnvelope', cosignAttestations),
  };
}
