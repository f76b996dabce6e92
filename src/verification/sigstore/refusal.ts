import { toFailure } from '../../failures/failure.ts';
import type { FailureCode } from '../../failures/catalogue.ts';
import { describeIdentity } from '../identity.ts';
import { excerpt } from '../excerpt.ts';
import type { Rejection } from '../verification.ts';
import type { SigstoreContext } from './sigstore-form.ts';

/** Most issuers that one message names. */
const maxNamedIssuers = 3;

/** How near to acceptance an issuer's refusal is; the nearest of a signature is the one that people read. */
const nearness = {
  /** Somebody else signed, or the signer could not be proven. */
  otherSigner: 0,
  unproven: 1,
  /** The issuer itself is broken, and might have accepted. */
  brokenIssuer: 2,
  /** The signature names the issuer's key, and content or signature was altered. */
  altered: 3,
  /** Everything holds, but for another identity. */
  otherIdentity: 4,
  /** It is the issuer's, and a log entry, timestamp or SCT is missing or bad. */
  lacksMaterial: 5,
} as const;
type Nearness = keyof typeof nearness;

const operatorFaults: ReadonlySet<FailureCode> = new Set([
  'IssuerInvalid',
  'TrustMaterialInvalid',
  'TrustMaterialMissing',
]);

/** Why one issuer does not take a signature for its own. */
export interface Refusal extends Rejection {
  readonly nearness: Nearness;
}

export function refuse(near: Nearness, code: FailureCode, message: string): Refusal {
  return { nearness: near, code, message };
}

/** What was thrown, as a refusal; an operator's fault is told apart from the artifact's. */
export function refuseFor(near: Nearness, thrown: unknown): Refusal {
  const { code, message } = toFailure(thrown);
  return refuse(operatorFaults.has(code) ? 'brokenIssuer' : near, code, message);
}

/** @param shownSigner who the artifact says signed it, for refusals that prove nobody. */
export function nearestRefusal(
  refusals: readonly Refusal[],
  issuers: SigstoreContext['issuers'],
  shownSigner: string | undefined,
): Rejection {
  const [best] = refusals.toSorted((a, b) => nearness[b.nearness] - nearness[a.nearness]);
  if (best === undefined) return { code: 'SignerNotTrusted', message: 'No issuer is trusted here.' };
  const { code, message, signer = shownSigner } = best;
  return {
    code,
    message: code === 'SignerNotTrusted' ? `${message} Policy trusts ${describeIssuers(issuers)}.` : message,
    ...(signer === undefined ? {} : { signer }),
  };
}

function describeIssuers(issuers: SigstoreContext['issuers']): string {
  const named = issuers.slice(0, maxNamedIssuers).map((issuer) => {
    switch (issuer.kind) {
      case 'key':
        return `${issuer.name} (a key)`;
      case 'keyless': {
        const [identity] = issuer.identities;
        return identity === undefined
          ? issuer.name
          : `${issuer.name}: ${excerpt(describeIdentity(identity))}`;
      }
    }
  });
  const more = issuers.length - named.length;
  return `${named.join('; ')}${more > 0 ? ` and ${more} more` : ''}`;
}
