import { RefwardenError } from '../../failures/failure.ts';
import { describeSigner } from '../../policy/evidence.ts';
import type { Signer, TrustedTime, VerifiedEvidence } from '../../policy/evidence.ts';
import type { KeyIssuer } from '../../policy/resolved-issuer.ts';
import { describeTime } from '../relative-time.ts';

const sources: Readonly<Record<TrustedTime['source'], string>> = {
  TransparencyLog: 'its log entry',
  SignedTimestamp: 'its timestamp',
};

/**
 * That the key counted when it signed. A signature that nothing dates counts as made now: whoever holds a key that was
 * retired can leave out what dates it.
 * @param times the earliest first.
 * @returns until when that holds.
 * @throws RefwardenError `SignedOutsideValidity`.
 */
export function checkKeyValidity(
  { notBeforeMs = -Infinity, notAfterMs = Infinity }: KeyIssuer,
  signer: Signer,
  [earliest]: readonly TrustedTime[],
  nowMs: number,
): Pick<VerifiedEvidence, 'validUntilMs'> {
  const signedAtMs = earliest?.timeMs ?? nowMs;
  if (signedAtMs >= notBeforeMs && signedAtMs < notAfterMs) {
    return earliest === undefined && notAfterMs !== Infinity ? { validUntilMs: notAfterMs } : {};
  }
  const bound =
    signedAtMs < notBeforeMs
      ? `counts only from ${describeTime(notBeforeMs, nowMs)}`
      : `${notAfterMs > nowMs ? 'stops' : 'stopped'} counting ${describeTime(notAfterMs, nowMs)}`;
  const made =
    earliest === undefined
      ? 'nothing trusted says when the signature was made'
      : `the signature was made ${describeTime(signedAtMs, nowMs)} by ${sources[earliest.source]}`;
  throw new RefwardenError('SignedOutsideValidity', `The ${describeSigner(signer)} ${bound}, and ${made}.`);
}
