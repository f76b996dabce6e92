import type { Manifest } from '../oci/manifest.ts';
import { excerpt } from '../verification/excerpt.ts';
import { notationLayout } from '../verification/notation/notation-signature.ts';
import { signatureLayers } from '../verification/claimed-signatures.ts';
import type { ClaimedSignature, SignedFormat } from '../verification/claimed-signatures.ts';
import { parseSbomMediaType } from '../verification/sbom/sbom-media-type.ts';
import type { SbomMediaType } from '../verification/sbom/sbom-media-type.ts';

/** What a document is by its media types and by what it says of itself. */
export type ArtifactKind =
  | { readonly kind: 'index' | 'image' }
  | { readonly kind: 'signature'; readonly form: SignedFormat }
  | {
      readonly kind: 'attestation';
      /** `InTotoStatement` is one that nobody signed. */
      readonly form: 'SigstoreBundle' | 'DsseEnvelope' | 'InTotoStatement';
      readonly predicateTypes: readonly string[];
    }
  | { readonly kind: 'sbom'; readonly format: SbomMediaType['format'] }
  /** Type of the artifact, or media type of an entry of an index. */
  | { readonly kind: 'other'; readonly type?: string };

const inTotoType = 'application/vnd.in-toto+json';
const bundleContent = 'dev.sigstore.bundle.content';
const bundlePredicateType = 'dev.sigstore.bundle.predicateType';
const signPredicateType = 'https://sigstore.dev/cosign/sign/v1';
/** Of layers: cosign's, and BuildKit's ("attestation-storage.md"). */
const predicateTypeAnnotations = ['predicateType', 'in-toto.io/predicate-type'];
/** Most predicate types that are named. */
const maxPredicateTypes = 8;

/** @param claims what its signatures say, which tells a signature from an attestation where both come in one form. */
export function artifactKind(manifest: Manifest, claims: readonly ClaimedSignature[] = []): ArtifactKind {
  const { artifactType, layers } = manifest;
  const form = signatureLayers(manifest)?.format;
  const claimed = claims.flatMap(({ predicateType }) => predicateType ?? []);
  switch (form) {
    case 'CosignSimpleSigning':
    case 'NotationSignature':
      return { kind: 'signature', form };
    case 'DsseEnvelope':
      return { kind: 'attestation', form, predicateTypes: named([...claimed, ...layerPredicates(manifest)]) };
    case 'SigstoreBundle':
      return bundleKind(manifest, claims);
    case undefined:
  }
  if (notationLayout.isOfType(manifest)) return { kind: 'signature', form: 'NotationSignature' };
  const types = [artifactType ?? '', ...layers.map(({ mediaType }) => mediaType)];
  if (types.includes(inTotoType))
    return { kind: 'attestation', form: 'InTotoStatement', predicateTypes: named(layerPredicates(manifest)) };
  const format = types.map((type) => parseSbomMediaType(type)?.format).find((found) => found !== undefined);
  return format === undefined ? other(artifactType) : { kind: 'sbom', format };
}

const other = (type: string | undefined): ArtifactKind => ({
  kind: 'other',
  ...(type === undefined ? {} : { type: excerpt(type) }),
});

/** What the bundle itself says counts before what its annotations say. */
function bundleKind(
  { annotations, artifactType }: Manifest,
  claims: readonly ClaimedSignature[],
): ArtifactKind {
  const form = 'SigstoreBundle';
  const read = claims.find(({ kind }) => kind !== undefined);
  const predicateType = read === undefined ? annotations[bundlePredicateType] : read.predicateType;
  const isSignature =
    read === undefined
      ? predicateType === signPredicateType || annotations[bundleContent] === 'message-signature'
      : read.kind === 'signature';
  if (isSignature) return { kind: 'signature', form };
  if (predicateType === undefined) return other(artifactType);
  return { kind: 'attestation', form, predicateTypes: named([predicateType]) };
}

const layerPredicates = ({ layers }: Manifest): string[] =>
  layers.flatMap(({ annotations }) => predicateTypeAnnotations.flatMap((name) => annotations[name] ?? []));

const named = (types: readonly string[]): string[] =>
  [...new Set(types.map(excerpt))].slice(0, maxPredicateTypes);
