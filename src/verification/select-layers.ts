import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { ArtifactForm } from './artifact-form.ts';
import type { BareForm } from './bare-form.ts';
import type { Rejection } from './verification.ts';

/** Most signatures and statements of one artifact that are looked at; an image signed at every build collects tens. */
export const maxSignaturesPerArtifact = 64;
/** Most bytes of all layers of one artifact together. */
const maxSignatureBytesPerArtifact = 64 * 1024 * 1024;

interface Selected<Form> {
  readonly form: Form;
  readonly layer: Descriptor;
}

export interface SelectedLayers {
  readonly signed: readonly Selected<ArtifactForm<ResolvedIssuer>>[];
  readonly bare: readonly Selected<BareForm>[];
  /** Why layers were left out. */
  readonly skipped: readonly Rejection[];
}

/**
 * By the manifest alone, so that what is too large or too much is never fetched. The bounds hold for all forms together;
 * what is signed comes first.
 */
export function selectLayers(
  manifest: Manifest,
  signedForms: readonly ArtifactForm<ResolvedIssuer>[],
  bareForms: readonly BareForm[],
): SelectedLayers {
  const signed = layersOf(signedForms, manifest);
  const bare = layersOf(bareForms, manifest);
  const skipped = [...signedForms, ...bareForms].flatMap((form) => form.refusal?.(manifest) ?? []);
  let totalBytes = 0;
  const fits = ({ form, layer: { digest, size } }: Selected<{ readonly maxLayerBytes: number }>): boolean => {
    // What is left out is not fetched, and takes nothing from the others.
    if (size <= form.maxLayerBytes && totalBytes + size <= maxSignatureBytesPerArtifact) {
      totalBytes += size;
      return true;
    }
    const message = `Layer ${digest} takes ${size} bytes, more than is read.`;
    skipped.push({ code: 'ArtifactTooLarge', message });
    return false;
  };
  // The newest: cosign appends to what it finds.
  const newest = signed.slice(-maxSignaturesPerArtifact);
  const room = maxSignaturesPerArtifact - newest.length;
  const selected = { signed: newest.filter(fits), bare: bare.slice(0, room).filter(fits) };
  const found = signed.length + bare.length;
  if (found > maxSignaturesPerArtifact) {
    const message = `The artifact holds ${found} signatures and statements; ${maxSignaturesPerArtifact} were looked at.`;
    skipped.push({ code: 'ArtifactTooLarge', message });
  }
  return { ...selected, skipped };
}

const layersOf = <Form extends Pick<BareForm, 'layers'>>(
  forms: readonly Form[],
  manifest: Manifest,
): Selected<Form>[] => forms.flatMap((form) => form.layers(manifest).map((layer) => ({ form, layer })));
