import type { Digest } from '../../image/digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { parseStrictJson } from '../../oci/strict-json.ts';
import type { BareForm } from '../bare-form.ts';
import type { Rejection } from '../verification.ts';
import { parseSpdxDocument, spdxPredicateType } from './spdx.ts';

/** Most JSON values of a document: 20,000 packages have some 600,000. */
const maxSbomValues = 2_000_000;

const jsonTypes: ReadonlySet<string | undefined> = new Set(['application/spdx+json', 'text/spdx+json']);
/** SPDX that is no JSON, as cosign names it. */
const otherTypes: ReadonlySet<string | undefined> = new Set(['text/spdx', 'text/spdx+xml']);

/**
 * An SPDX JSON file, as `oras attach` leaves it. An SBOM names no image by itself: the manifest that is signed does, by
 * its `subject` or `reference`.
 */
export const bareSbom: BareForm & { readonly format: 'BareSbom' } = {
  format: 'BareSbom',
  layers: (manifest) => jsonLayers(manifest).filter((layer) => namedImages(manifest, layer).length > 0),
  refusal(manifest) {
    if (jsonLayers(manifest).some((layer) => namedImages(manifest, layer).length === 0)) return nameless;
    const { artifactType, layers } = manifest;
    return [artifactType, ...layers.map(({ mediaType }) => mediaType)].some((type) => otherTypes.has(type))
      ? notJson
      : undefined;
  },
  maxLayerBytes: 32 * 1024 * 1024,
  readClaim(bytes, layer, manifest) {
    const json = parseStrictJson(bytes, 'The SPDX document', 'PayloadInvalid', maxSbomValues);
    return {
      kind: 'attestation',
      predicateType: spdxPredicateType,
      predicate: json,
      sbom: parseSpdxDocument(json),
      subjects: namedImages(manifest, layer),
    };
  },
};

/** By their own type, else by that of the artifact: `oras attach` types the files only when told to. */
function jsonLayers({ layers, artifactType }: Manifest): readonly Descriptor[] {
  const typed = layers.filter(({ mediaType }) => jsonTypes.has(mediaType));
  return typed.length === 0 && jsonTypes.has(artifactType) ? layers : typed;
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
const notJson: Rejection = {
  code: 'FormatUnsupported',
  message: 'The SBOM is SPDX as tag-value text or XML. Make it SPDX 2.2 or 2.3 JSON.',
  about: 'attestation',
};
