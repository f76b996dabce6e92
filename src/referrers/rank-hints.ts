import type { Wanted } from '../admission/ports.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import { emptyConfig, isIndexType } from '../oci/media-types.ts';
import { parseSbomMediaType } from '../verification/sbom/sbom-media-type.ts';

const notationType = 'application/vnd.cncf.notary.signature';
const bundleType = 'application/vnd.dev.sigstore.bundle';
/** cosign 3 signs images by a statement of this type, in a bundle. */
const signPredicateType = 'https://sigstore.dev/cosign/sign/v1';

/** Types of artifacts that carry signatures or attestations of forms that are verified here. */
const signatureTypes: ReadonlySet<string> = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  notationType,
]);
const attestationTypes: ReadonlySet<string> = new Set([
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.in-toto+json',
  'application/vnd.dev.cosign.artifact.att.v1+json',
  'application/vnd.dev.cosign.artifact.sbom.v1+json',
]);

/** What registries state when a manifest has no type of its own, or state of it (ACR states nothing). */
const tellingNothing: ReadonlySet<string> = new Set([
  emptyConfig,
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** 0 what is wanted, 1 likely, 2 unknown, 3 of the other kind, 4 foreign, 5 an index. */
function rank({ mediaType, artifactType, predicateType }: ListedArtifact, wanted: Wanted): number {
  if (mediaType !== undefined && isIndexType(mediaType)) return 5;
  if (artifactType === undefined || tellingNothing.has(artifactType)) return 2;
  const isSignature = predicateType === signPredicateType || signatureTypes.has(artifactType);
  if (isSignature) return wanted.signatures ? 0 : 3;
  if (predicateType !== undefined) {
    if (wanted.predicateTypes?.includes(predicateType) === true) return 0;
    return wanted.attestations ? 1 : 3;
  }
  if (artifactType.startsWith(bundleType)) return 1;
  if (attestationTypes.has(artifactType) || parseSbomMediaType(artifactType) !== undefined)
    return wanted.attestations ? 1 : 3;
  return 4;
}

/**
 * The likely ones first. Hints only order: what they call foreign is looked at last, and before that the list
 * has not been looked through.
 */
export function rankByHints(entries: readonly ListedArtifact[], wanted: Wanted): ListedArtifact[] {
  return entries.toSorted((a, b) => rank(a, wanted) - rank(b, wanted));
}

/** Indexes first, for the walk up. */
export function rankIndexesFirst(entries: readonly ListedArtifact[]): ListedArtifact[] {
  const isIndex = ({ mediaType = '' }: ListedArtifact): number => (isIndexType(mediaType) ? 0 : 1);
  return entries.toSorted((a, b) => isIndex(a) - isIndex(b));
}
