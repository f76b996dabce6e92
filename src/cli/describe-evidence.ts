import { printable } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import { describeSigner } from '../policy/evidence.ts';
import type { Evidence } from '../policy/evidence.ts';

/** What was proven, by whom, when, of what, and where it was found. */
export function describeEvidence({
  kind,
  predicateType,
  sbom,
  signer,
  subject,
  mechanism,
  artifact,
  signedAtMs,
  timeSource,
  format,
  tolerated = [],
}: Evidence): string {
  const what =
    sbom !== undefined
      ? `SBOM ${sbom.format} ${sbom.version}`
      : kind === 'attestation'
        ? `attestation ${predicateType ?? ''}`
        : 'signature';
  const source = timeSource === undefined ? '' : ` (${timeSource})`;
  const when = signedAtMs === undefined ? '' : ` at ${new Date(signedAtMs).toISOString()}${source}`;
  const although = tolerated.map(({ code, message }) => `; although ${code}: ${message}`).join('');
  return printable(
    `${what} of ${shortDigest(subject)} by ${describeSigner(signer)}${when}; ${format} in ${shortDigest(artifact)}, found by ${mechanism}${although}`,
  );
}
