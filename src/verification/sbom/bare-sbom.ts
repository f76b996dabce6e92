import type { Digest } from '../../image/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { parseStrictJson } from '../../oci/strict-json.ts';
import type { SbomFormat } from '../../policy/evidence.ts';
import type { BareForm } from '../bare-form.ts';
import type { Rejection } from '../verification.ts';
import { maxSbomValues, openDocument, sbomReaders } from './sbom-document.ts';
import { parseSbomMediaType } from './sbom-media-type.ts';
import { readableSboms } from './sbom-reader.ts';

/**
 * An SPDX or CycloneDX JSON file, as `oras attach` leaves it. An SBOM names no image by itself: the manifest that is
 * signed does, by its `subject` or `reference`.
 */
export const bareSbom: BareForm & { readonly format: 'BareSbom' } = {
  format: 'BareSbom',
  layers: (manifest) => jsonLayers(manifest).filter((layer) => namedImages(manifest, layer).length > 0),
  refusal(manifest) {
    if (jsonLayers(manifest).some((layer) => namedImages(manifest, layer).length === 0)) return nameless;
    for (const { mediaType } of [...manifest.layers, { mediaType: manifest.artifactType }]) {
      const encoding = parseSbomMediaType(mediaType)?.encoding ?? 'JSON';
      if (encoding !== 'JSON') return unread(encoding.unread);
    }
    return undefined;
  },
  maxLayerBytes: 32 * 1024 * 1024,
  readClaim(bytes, layer, manifest) {
    // The layers of the form are those whose format is known.
    const format = jsonFormat(layer.mediaType) ?? jsonFormat(manifest.artifactType) ?? 'SPDX';
    const reader = sbomReaders[format];
    const json = parseStrictJson(bytes, `The ${format} document`, 'PayloadInvalid', maxSbomValues);
    return {
      kind: 'attestation',
      predicateType: reader.predicateType,
      predicate: json,
      document: bytes,
      sbom: { format, version: reader.readVersion(openDocument(format, json)) },
      subjects: namedImages(manifest, layer),
    };
  },
};

/** By their own type, else by that of the artifact: `oras attach` types the files only when told to. */
function jsonLayers({ layers, artifactType }: Manifest): readonly Descriptor[] {
  const typed = layers.filter(({ mediaType }) => jsonFormat(mediaType) !== undefined);
  return typed.length === 0 && jsonFormat(artifactType) !== undefined ? layers : typed;
}

function jsonFormat(mediaType: string | undefined): SbomFormat | undefined {
  const parsed = parseSbomMediaType(mediaType);
  return parsed?.encoding === 'JSON' && parsed.format !== 'Syft' ? parsed.format : undefined;
}

/** The layer's own reference, else what the manifest as a whole refers to; never what another layer does. */
function namedImages({ subject, references, layers }: Manifest, layer: Descriptor): readonly Digest[] {
  if (layer.reference !== undefined) return [layer.reference.digest];
  const ofLayers = new Set(layers.flatMap(({ reference }) => reference?.digest ?? []));
  const ofManifest = references.map(({ digest }) => digest).filter((digest) => !ofLayers.has(digest));
  return subject === undefined ? ofManifest : [subject.digest, ...ofManifest];
}

const nameless: Rejection = {
  code: 'SubjectMissing',
  message:
    'The artifact holds an SBOM and names no image, as under cosign\'s ".sbom" tag: whoever signs it says nothing about an image. Attest the SBOM, or attach it with "oras attach" and sign what was attached.',
  about: 'attestation',
};
const unread = (what: string): Rejection => ({
  code: 'FormatUnsupported',
  message: `The SBOM is ${what}. Make it ${readableSboms}.`,
  about: 'attestation',
});
