import type { KeyObject } from 'node:crypto';
import { EXTENSION_OID_SCT, X509Certificate } from '@sigstore/core';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { Verifier } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import type { TrustedTime } from '../../policy/evidence.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import type { Demands } from './demands.ts';
import { explainCertificateFailure } from './explain-certificate-failure.ts';
import { libraryFailure } from './library-failure.ts';
import { checkLoggedSigner } from './log-entry.ts';
import { isSignedBy, signatureContent } from './signed-entity.ts';
import type { SignedEntity } from './signed-entity.ts';
import { authorityOf, SignedTimestamp } from './signed-timestamp.ts';
import type { TrustedRoot } from './trusted-root.ts';
import { isDated, trustedTimes } from './trusted-times.ts';

/** Who is to have made the signature. */
interface ClaimedSigner {
  readonly key: KeyObject;
  /** Where the key comes from, when it is not a listed one. */
  readonly certificate?: SigningCertificate;
}

/** What a signature is verified against. */
interface Trust {
  readonly signer: ClaimedSigner;
  readonly root: TrustedRoot;
  readonly demands: Demands;
  readonly nowMs: number;
}

type Material = Pick<SignedEntity, 'logEntries' | 'timestamps'>;

/**
 * Verifies the signature with its certificate chain, log entries and timestamps. Of these, what
 * does not verify is set aside as if it had been stripped, which whoever pushed the artifact could have done; what is left
 * must meet the demands. A certificate always needs one trusted time: it is long expired when an image is admitted.
 * @returns every trusted time, the earliest first; empty for a key without any.
 * @throws RefwardenError with the code of what fails when everything is taken together.
 */
export function verifyEntity(entity: SignedEntity, trust: Trust): readonly TrustedTime[] {
  const { logEntries, timestamps } = entity;
  try {
    return verifyTogether(entity, trust);
  } catch (thrown) {
    const { certificate, key } = trust.signer;
    const failed =
      certificate === undefined || thrown instanceof RefwardenError
        ? libraryFailure(thrown)
        : explainCertificateFailure(libraryFailure(thrown), entity, certificate, trust.nowMs);
    // What is left must be less, and able to mend it: a flood of bad signatures must not cost the most.
    const mendable = failed.code !== 'CertificateTransparencyMissing' && isSignedBy(entity, key);
    const count = logEntries.length + timestamps.length;
    if (!mendable || count === 0 || (count === 1 && certificate !== undefined)) throw failed;
    const sound = count === 1 ? { logEntries: [], timestamps: [] } : soundMaterial(entity, trust);
    if (sound.logEntries.length + sound.timestamps.length === count) throw failed;
    // Some hold, but too few: that says more than what is wrong with the rest.
    const { transparencyLog, signedTimestamp } = trust.demands;
    if (sound.logEntries.length > 0)
      requireCount('TransparencyLogMissing', sound.logEntries.length, transparencyLog);
    if (sound.timestamps.length > 0)
      requireCount('TrustedTimeMissing', sound.timestamps.length, signedTimestamp);
    try {
      return verifyTogether({ ...entity, ...sound }, trust);
    } catch {
      throw failed;
    }
  }
}

/**
 * What verifies by itself, one of each log and authority: two of one count once, and at one time are a duplicate to the
 * library.
 */
function soundMaterial(entity: SignedEntity, trust: Trust): Material {
  const lenient = { ...trust, demands: { sct: 0, transparencyLog: 0, signedTimestamp: 0 } };
  const firstOfEach = <Part>(
    parts: readonly Part[],
    sourceOf: (part: Part) => string | undefined,
    materialOf: (part: Part) => Material,
  ): Part[] => {
    const found = new Map<string | undefined, Part>();
    for (const part of parts) {
      try {
        const source = sourceOf(part);
        if (found.has(source)) continue;
        verifyTogether({ ...entity, ...materialOf(part) }, lenient, true);
        found.set(source, part);
      } catch {
        // set aside
      }
    }
    return [...found.values()];
  };
  return {
    logEntries: firstOfEach(entity.logEntries, logOf, (entry) => ({ logEntries: [entry], timestamps: [] })),
    timestamps: firstOfEach(
      entity.timestamps,
      (der) => authorityOf(SignedTimestamp.parse(der), entity.timestampedBytes, trust.root),
      (der) => ({ logEntries: [], timestamps: [der] }),
    ),
  };
}

/** @param alone an entry without a time of its own is verified without the certificate, which needs one. */
function verifyTogether(entity: SignedEntity, trust: Trust, alone = false): readonly TrustedTime[] {
  const { signer, root, demands, nowMs } = trust;
  const { key, certificate } = signer;
  requireCount('TransparencyLogMissing', new Set(entity.logEntries.map(logOf)).size, demands.transparencyLog);
  requireCount('TrustedTimeMissing', entity.timestamps.length, demands.signedTimestamp);
  for (const entry of entity.logEntries) checkLoggedSigner(entry, key, certificate?.der);
  const timestamps = entity.timestamps.map((der) => SignedTimestamp.parse(der));
  const dated = entity.logEntries.filter(isDated);
  const times = trustedTimes(dated, timestamps);
  const chained = alone && times.length === 0 ? undefined : certificate;
  const verifier = new Verifier(
    { ...root, publicKey: () => ({ publicKey: key, validFor: () => true }) },
    {
      ctlogThreshold: demands.sct,
      tlogThreshold: Math.min(demands.transparencyLog, 1),
      timestampThreshold: chained === undefined ? 0 : 1,
    },
  );
  // Without a policy: its SAN policy is an unanchored pattern. The identity is compared by the caller.
  verifier.verify({
    signature: signatureContent(entity),
    key:
      chained === undefined
        ? { $case: 'public-key', hint: '' }
        : {
            $case: 'certificate',
            certificate: demands.sct > 0 ? chained.x509 : new WithoutScts(chained.x509.root),
          },
    tlogEntries: [...entity.logEntries],
    timestamps: [
      ...dated.map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...timestamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
  });
  checkLogWindows(entity.logEntries, root, times.length > 0 ? times.map(({ timeMs }) => timeMs) : [nowMs]);
  const authorities = timestamps.map((timestamp) => authorityOf(timestamp, entity.timestampedBytes, root));
  requireCount('TrustedTimeMissing', new Set(authorities).size, demands.signedTimestamp);
  return times;
}

const logOf = ({ logId }: TransparencyLogEntry): string => logId.keyId.toString('hex');

const counted = {
  TransparencyLogMissing: {
    none: 'The signature has no entry of a transparency log.',
    few: (found: number, wanted: number) =>
      `The signature is in ${found} distinct transparency logs, and ${wanted} are required.`,
  },
  TrustedTimeMissing: {
    none: 'The signature has no signed timestamp.',
    few: (found: number, wanted: number) =>
      `The signature has timestamps of ${found} distinct authorities, and ${wanted} are required.`,
  },
};

function requireCount(code: keyof typeof counted, found: number, wanted: number): void {
  if (found >= wanted) return;
  const { none, few } = counted[code];
  throw new RefwardenError(code, found === 0 && wanted === 1 ? none : few(found, wanted));
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
