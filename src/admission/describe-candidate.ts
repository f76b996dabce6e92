import { failure, toFailure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import { readClaimedSignatures, signatureLayers } from '../verification/claimed-signatures.ts';
import type { ClaimedSignature } from '../verification/claimed-signatures.ts';
import { excerpt } from '../verification/excerpt.ts';
import type { Manifest } from '../oci/manifest.ts';
import { artifactKind } from './artifact-kind.ts';
import type { ArtifactNode, LayerTotal } from './artifact-tree.ts';
import type { ArtifactSource, Candidate, RegistryAccess, Subject } from './ports.ts';

/** Newest signatures of one artifact that are read for what they say. */
const maxClaimLayers = 4;
/** Largest layer that is read for it, bytes: a signature takes some kilobytes, an attestation of a large SBOM megabytes. */
const maxClaimLayerBytes = 256 * 1024;

const createdAnnotations = ['org.opencontainers.image.created', 'io.cncf.oras.artifact.created'];

type Description = Pick<
  ArtifactNode,
  'kind' | 'sizeBytes' | 'layers' | 'created' | 'signatures' | 'unreadSignatures'
>;

/**
 * An artifact by its manifest, and by what its small signatures say of themselves. Never throws: a layer that cannot be
 * read is a flaw of its signature.
 */
export async function describeCandidate(
  candidate: Candidate,
  subject: Subject,
  source: ArtifactSource,
  access: RegistryAccess,
): Promise<Description> {
  const { manifest, sizeBytes } = candidate;
  const { signatures, unread } = await readClaims(candidate, subject, source, access);
  return {
    ...describeManifest(manifest),
    kind: artifactKind(manifest, signatures),
    sizeBytes,
    signatures,
    unreadSignatures: unread,
  };
}

/** What the manifest alone says. */
export function describeManifest({ layers, annotations }: Pick<Manifest, 'annotations' | 'layers'>): {
  layers: LayerTotal;
  created?: string;
} {
  const created = createdAnnotations.map((name) => annotations[name]).find((text) => text !== undefined);
  return {
    layers: { count: layers.length, sizeBytes: layers.reduce((sum, { size }) => sum + size, 0) },
    ...(created === undefined ? {} : { created: excerpt(created) }),
  };
}

async function readClaims(
  candidate: Candidate,
  subject: Subject,
  source: ArtifactSource,
  access: RegistryAccess,
): Promise<{ signatures: ClaimedSignature[]; unread: number }> {
  const found = signatureLayers(candidate.manifest);
  if (found === undefined) return { signatures: [], unread: 0 };
  const due = found.layers.slice(-maxClaimLayers).filter(({ size }) => size <= maxClaimLayerBytes);
  const read = due.map(async (layer) => {
    try {
      const bytes = await candidate.fetchLayer(layer, access);
      const document = found.needsDocument ? await source.fetchDocument(subject, access) : undefined;
      const { digest } = subject;
      const signed = { digest, ...(document === undefined ? {} : { document }) };
      return readClaimedSignatures(found.format, bytes, layer, signed);
    } catch (thrown) {
      const { code, message } = toFailure(thrown);
      return [{ flaw: failure(code, printable(message)) }];
    }
  });
  return { signatures: (await Promise.all(read)).flat(), unread: found.layers.length - due.length };
}
