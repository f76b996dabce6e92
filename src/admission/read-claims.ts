import { failure, toFailure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import { readClaimedSignatures, signatureLayers } from '../verification/claimed-signatures.ts';
import type { ClaimedSignature } from '../verification/claimed-signatures.ts';
import { artifactKind } from './artifact-kind.ts';
import type { ArtifactNode } from './artifact-tree.ts';
import type { ArtifactSource, Candidate, RegistryAccess, Subject } from './ports.ts';

/** Newest signatures of one artifact that are read for what they say. */
const maxClaimLayers = 4;
/** Largest layer that is read for it, bytes: a signature takes some kilobytes, an attestation of a large SBOM megabytes. */
const maxClaimLayerBytes = 256 * 1024;

/**
 * What the small signatures of an artifact say of themselves, and what kind of artifact that makes it. Never throws: a
 * layer that cannot be read is a flaw of its signature.
 */
export async function readClaims(
  candidate: Candidate,
  subject: Subject,
  source: ArtifactSource,
  access: RegistryAccess,
): Promise<Pick<ArtifactNode, 'kind' | 'signatures' | 'unreadSignatures'>> {
  const { manifest } = candidate;
  const found = signatureLayers(manifest);
  if (found === undefined) return { kind: artifactKind(manifest), signatures: [], unreadSignatures: 0 };
  const { format, layers, needsDocument } = found;
  const due = layers.slice(-maxClaimLayers).filter(({ size }) => size <= maxClaimLayerBytes);
  const read = due.map(async (layer): Promise<readonly ClaimedSignature[]> => {
    try {
      const bytes = await candidate.fetchLayer(layer, access);
      const document = needsDocument ? await source.fetchDocument(subject, access) : undefined;
      const signed = { digest: subject.digest, ...(document === undefined ? {} : { document }) };
      return readClaimedSignatures(format, bytes, layer, signed);
    } catch (thrown) {
      const { code, message } = toFailure(thrown);
      return [{ flaw: failure(code, printable(message)) }];
    }
  });
  const signatures = (await Promise.all(read)).flat();
  return {
    kind: artifactKind(manifest, signatures),
    signatures,
    unreadSignatures: layers.length - due.length,
  };
}
