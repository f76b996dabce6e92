import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { mayRun } from '../oci/manifest.ts';
import type { Index } from '../oci/manifest.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';
import { formatPlatform } from '../oci/platform.ts';
import { excerpt } from '../verification/excerpt.ts';
import type { ArtifactKind } from './artifact-kind.ts';

/** One digest that an index lists, with what all of its entries say. */
export interface IndexChild {
  readonly digest: Digest;
  readonly kind: ArtifactKind;
  /** Whether some node might run it. */
  readonly mayRun: boolean;
  readonly sizeBytes: number;
  readonly platforms: readonly string[];
  readonly flaw?: Failure;
  /** The index with no more than the attestations that it holds for this child; absent without any. */
  readonly holder?: Index;
}

/**
 * The children of an index in its order. An attestation of another child (BuildKit, "attestation-storage.md") is found
 * through that child; one of nothing that the index holds dangles.
 */
export function indexChildren(index: Index): IndexChild[] {
  const isShown = (entry: Descriptor): boolean => mayRun(entry) || attested(entry) === undefined;
  const held = new Set<string>(index.manifests.filter(isShown).map(({ digest }) => digest));
  const attestations = Map.groupBy(index.manifests, (entry) => attested(entry) ?? '');
  const shown = index.manifests.filter((entry) => isShown(entry) || !held.has(attested(entry) ?? ''));
  return [...Map.groupBy(shown, ({ digest }) => digest)].flatMap(([digest, entries]) => {
    const [first] = entries;
    if (first === undefined) return [];
    const about = attested(first);
    const runs = entries.some(mayRun);
    const ofThis = attestations.get(digest);
    return {
      digest,
      kind: entryKind(first, runs),
      mayRun: runs,
      sizeBytes: first.size,
      platforms: platformsOf(entries),
      ...(runs || about === undefined ? {} : { flaw: dangling(about) }),
      ...(ofThis === undefined ? {} : { holder: { ...index, manifests: ofThis } }),
    };
  });
}

/** Distinct platforms, fit to be shown; those that name no node are left out. */
export function platformsOf(entries: readonly Descriptor[]): string[] {
  const named = entries.flatMap((entry) =>
    entry.platform === undefined || !mayRun(entry) ? [] : [excerpt(formatPlatform(entry.platform))],
  );
  return [...new Set(named)];
}

/** What an entry says that it attests. */
function attested({ annotations, mediaType }: Descriptor): string | undefined {
  const isAttestation = annotations['vnd.docker.reference.type'] === 'attestation-manifest';
  return isAttestation && isManifestType(mediaType)
    ? (annotations['vnd.docker.reference.digest'] ?? '')
    : undefined;
}

function entryKind({ mediaType }: Descriptor, runs: boolean): ArtifactKind {
  if (isIndexType(mediaType)) return { kind: 'index' };
  return runs && isManifestType(mediaType) ? { kind: 'image' } : { kind: 'other', type: excerpt(mediaType) };
}

function dangling(about: string): Failure {
  const named = about === '' ? 'nothing' : excerpt(about);
  return failure('SubjectMissing', `It attests ${named}, which the index does not hold.`);
}
