import type { ArtifactKind } from '../admission/artifact-kind.ts';
import type { ArtifactNode } from '../admission/artifact-tree.ts';
import { shortDigest } from '../image/digest.ts';
import type { ClaimedSignature, ClaimedSigner } from '../verification/claimed-signatures.ts';

const formNames = {
  CosignSimpleSigning: 'cosign simple signing',
  SigstoreBundle: 'Sigstore bundle',
  DsseEnvelope: 'DSSE envelope',
  InTotoStatement: 'in-toto statement without signature',
  NotationSignature: 'Notation',
} as const;
const keyHexDigits = 12;

/** `attestation https://slsa.dev/provenance/v1 (Sigstore bundle)`. */
export function describeKind(kind: ArtifactKind): string {
  switch (kind.kind) {
    case 'signature':
      return `signature (${formNames[kind.form]})`;
    case 'attestation':
      return `${['attestation', kind.predicateTypes.join(', ')].filter(Boolean).join(' ')} (${formNames[kind.form]})`;
    case 'sbom':
      return `SBOM (${kind.format})`;
    case 'other':
      return `artifact of ${kind.type === undefined ? 'no type' : `type ${kind.type}`}`;
    case 'index':
    case 'image':
      return kind.kind;
  }
}

/** Short digest, sizes, platforms and date: what is the same on every line. */
export function describeFacts({ digest, sizeBytes, layers, platforms, created }: ArtifactNode): string[] {
  return [
    shortDigest(digest),
    ...(sizeBytes === undefined ? [] : [formatBytes(sizeBytes)]),
    ...(layers === undefined
      ? []
      : [`${layers.count} layer${layers.count === 1 ? '' : 's'} of ${formatBytes(layers.sizeBytes)}`]),
    ...platforms,
    ...(created === undefined ? [] : [`dated ${created}`]),
  ];
}

/** One line for each signature; each says that it is a claim. */
export function describeSignatures({ signatures, unreadSignatures }: ArtifactNode): string[] {
  const lines = signatures.map(({ signer, flaw }: ClaimedSignature) => {
    const who =
      signer === undefined
        ? 'names no signer (unverified)'
        : `claimed signer ${describeClaimedSigner(signer)} (unverified)`;
    return flaw === undefined ? who : `${who}; ${flaw.code}: ${flaw.message}`;
  });
  const unread = unreadSignatures === 1 ? '1 signature was' : `${unreadSignatures} signatures were`;
  return unreadSignatures === 0 ? lines : [...lines, `${unread} not read for a signer`];
}

function describeClaimedSigner(signer: ClaimedSigner): string {
  if (signer.kind === 'certificate') return `${signer.subject} (${signer.issuer})`;
  return 'fingerprint' in signer
    ? `key ${signer.fingerprint.slice(0, 'sha256:'.length + keyHexDigits)}`
    : `key with the hint ${JSON.stringify(signer.hint)}`;
}

const units = ['KiB', 'MiB', 'GiB', 'TiB'];

/** `528 B`, `1.2 MiB`. */
function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1] ?? ''}`;
}
