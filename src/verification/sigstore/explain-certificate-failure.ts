import { RefwardenError } from '../../failures/failure.ts';
import { describeTime } from '../relative-time.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import { SignedTimestamp } from './signed-timestamp.ts';
import type { SignedEntity } from './signed-entity.ts';
import { isDated, trustedTimes } from './trusted-times.ts';

/** The failure of a certificate with the times that matter. They are claims: what failed has proven none. */
export function explainCertificateFailure(
  failed: RefwardenError,
  material: Pick<SignedEntity, 'logEntries' | 'timestamps'>,
  { x509 }: SigningCertificate,
  nowMs: number,
): RefwardenError {
  const say = (text: string): RefwardenError => new RefwardenError(failed.code, text, failed.cause);
  try {
    const [notBeforeMs, notAfterMs] = [x509.notBefore.getTime(), x509.notAfter.getTime()];
    const expired = `expired ${describeTime(notAfterMs, nowMs)}`;
    if (failed.code === 'TrustedTimeMissing' && notAfterMs < nowMs) {
      return say(`${failed.message} The certificate ${expired}.`);
    }
    if (failed.code !== 'CertificateInvalid') return failed;
    const times = trustedTimes(
      material.logEntries.filter(isDated),
      material.timestamps.map((der) => SignedTimestamp.parse(der)),
    ).map(({ timeMs }) => timeMs);
    const late = times.find((timeMs) => timeMs > notAfterMs);
    if (late !== undefined) {
      return say(`The signing certificate ${expired}, and signed ${describeTime(late, nowMs)}.`);
    }
    const early = times.find((timeMs) => timeMs < notBeforeMs);
    if (early === undefined) return failed;
    const from = describeTime(notBeforeMs, nowMs);
    return say(`The signing certificate is valid from ${from}, and signed ${describeTime(early, nowMs)}.`);
  } catch {
    return failed; // a time in it does not parse, or is none of the calendar
  }
}
