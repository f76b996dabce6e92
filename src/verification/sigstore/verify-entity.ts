import type { KeyObject } from 'node:crypto';
import { EXTENSION_OID_SCT, RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { VerificationError, Verifier } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import type { FailureCode } from '../../failures/catalogue.ts';
import type { Demand } from '../../policy/resolved-issuer.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import { checkLoggedSigner } from './log-entry.ts';
import { signatureContent } from './signed-entity.ts';
import type { SignedEntity } from './signed-entity.ts';
import type { TrustedRoot } from './trusted-root.ts';

interface Demands {
  readonly sct: Demand;
  readonly transparencyLog: Demand;
  readonly signedTimestamp: Demand;
}

/** Who is to have made the signature. */
interface ClaimedSigner {
  readonly key: KeyObject;
  /** Where the key comes from, when it is not a listed one. */
  readonly certificate?: SigningCertificate;
}

/**
 * Verifies the signature with its certificate chain, log entries and timestamps. What is not
 * demanded still counts when it verifies, and is otherwise set aside as if it had been stripped, which whoever pushed the
 * artifact could have done. A certificate always needs one trusted time: it is long expired when an image is admitted.
 * @returns every trusted time, milliseconds since the epoch; empty for a key without any.
 * @throws RefwardenError with the code of what fails when everything is taken together.
 */
export function verifyEntity(
  entity: SignedEntity,
  signer: ClaimedSigner,
  root: TrustedRoot,
  demands: Demands,
  nowMs: number,
): readonly number[] {
  const { logEntries, timestamps } = entity;
  if (demands.transparencyLog === 'Required' && logEntries.length === 0) {
    throw new RefwardenError('TransparencyLogMissing', 'The signature has no entry of a transparency log.');
  }
  if (demands.signedTimestamp === 'Required' && timestamps.length === 0) {
    throw new RefwardenError('TrustedTimeMissing', 'The signature has no signed timestamp.');
  }
  const selections = [entity];
  if (logEntries.length > 0 && timestamps.length > 0) {
    if (demands.signedTimestamp === 'NotRequired') selections.push({ ...entity, timestamps: [] });
    if (demands.transparencyLog === 'NotRequired') selections.push({ ...entity, logEntries: [] });
  }
  const demandsNone = demands.transparencyLog === 'NotRequired' && demands.signedTimestamp === 'NotRequired';
  if (demandsNone && signer.certificate === undefined) {
    selections.push({ ...entity, logEntries: [], timestamps: [] });
  }
  let first: RefwardenError | undefined;
  for (const selection of selections) {
    try {
      return verifyTogether(selection, signer, root, demands, nowMs);
    } catch (thrown) {
      first ??= named(thrown);
    }
  }
  throw first ?? new RefwardenError('InternalError', 'No selection of the material was tried.');
}

function verifyTogether(
  entity: SignedEntity,
  { key, certificate }: ClaimedSigner,
  root: TrustedRoot,
  demands: Demands,
  nowMs: number,
): readonly number[] {
  const timestamps = entity.timestamps.map((der) => RFC3161Timestamp.parse(der));
  // Only a promise (SET) signs the integrated time; next to a bare inclusion proof it is anybody's claim.
  const dated = entity.logEntries.filter(
    (entry) => entry.inclusionPromise !== undefined && Number(entry.integratedTime) > 0,
  );
  for (const entry of entity.logEntries) checkLoggedSigner(entry, key, certificate?.der);
  const verifier = new Verifier(
    { ...root, publicKey: () => ({ publicKey: key, validFor: () => true }) },
    {
      ctlogThreshold: certificate !== undefined && demands.sct === 'Required' ? 1 : 0,
      tlogThreshold: demands.transparencyLog === 'Required' ? 1 : 0,
      timestampThreshold: certificate === undefined ? 0 : 1,
    },
  );
  // Without a policy: its SAN policy is an unanchored pattern. The identity is compared by the caller.
  verifier.verify({
    signature: signatureContent(entity),
    key:
      certificate === undefined
        ? { $case: 'public-key', hint: '' }
        : {
            $case: 'certificate',
            certificate:
              demands.sct === 'Required' ? certificate.x509 : new WithoutScts(certificate.x509.root),
          },
    tlogEntries: [...entity.logEntries],
    timestamps: [
      ...dated.map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...timestamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
  });
  const times = [
    ...dated.map((entry) => Number(entry.integratedTime) * 1000),
    ...timestamps.map((timestamp) => timestamp.signingTime.getTime()),
  ];
  checkLogWindows(entity.logEntries, root, times.length > 0 ? times : [nowMs]);
  return times;
}

/**
 * The library verifies every SCT that it meets, even when none is demanded, and meets them in a clone. An issuer that
 * demands none must not fail for one of a log that it does not know.
 */
class WithoutScts extends X509Certificate {
  override clone(): X509Certificate {
    const copy = super.clone();
    const { extensions } = copy; // the live list of the parsed certificate
    const index = extensions.findIndex((extension) => extension.subs[0]?.toOID() === EXTENSION_OID_SCT);
    if (index >= 0) extensions.splice(index, 1);
    return copy;
  }
}

/** The library checks a log key's validity for promises only, not for inclusion proofs. */
function checkLogWindows(
  entries: readonly TransparencyLogEntry[],
  root: TrustedRoot,
  timesMs: readonly number[],
): void {
  for (const { logId } of entries) {
    const inWindow = root.tlogs.some(
      ({ logID, validFor }) =>
        logID.equals(logId.keyId) &&
        timesMs.some((time) => validFor.start.getTime() <= time && time <= validFor.end.getTime()),
    );
    if (!inWindow) {
      throw new RefwardenError(
        'TransparencyLogMissing',
        'The log entry is of a log whose key was not valid at the time.',
      );
    }
  }
}

/** What the library throws, as a failure of ours. Its own texts are not repeated: they hold parts of the artifact. */
function named(thrown: unknown): RefwardenError {
  if (thrown instanceof RefwardenError) return thrown;
  if (!(thrown instanceof VerificationError)) {
    return new RefwardenError(
      'PayloadInvalid',
      'A certificate, log entry or timestamp of the signature does not parse.',
      thrown,
    );
  }
  const [code, message] = describe(thrown);
  return new RefwardenError(code, message, thrown);
}

function describe({ code, message }: VerificationError): [FailureCode, string] {
  switch (code) {
    case 'TIMESTAMP_ERROR':
      return [
        'TrustedTimeMissing',
        'No log entry or signed timestamp of the trusted root says when it was signed.',
      ];
    case 'CERTIFICATE_ERROR':
      return message.includes('SCT')
        ? [
            'CertificateTransparencyMissing',
            'The signing certificate has no valid SCT of a log of the trusted root.',
          ]
        : [
            'CertificateInvalid',
            'The signing certificate does not chain to the trusted root, or was not valid when it signed.',
          ];
    case 'SIGNATURE_ERROR':
      return ['SignatureInvalid', 'The signature does not verify over the signed content.'];
    case 'PUBLIC_KEY_ERROR':
      return ['SignerNotTrusted', 'The key was not valid when it signed.'];
    default:
      return [
        'TransparencyLogMissing',
        'The log entry does not verify, or was made for another signature or content.',
      ];
  }
}
