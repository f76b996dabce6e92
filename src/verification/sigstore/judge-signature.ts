import { RefwardenError, toFailure } from '../../failures/failure.ts';
import type { FailureCode } from '../../failures/catalogue.ts';
import type { Signer } from '../../policy/evidence.ts';
import type { KeyIssuer, KeylessIssuer, ResolvedIssuer } from '../../policy/resolved-issuer.ts';
import type { VerificationContext } from '../artifact-form.ts';
import type { CompiledTrust } from '../compiled-trust.ts';
import { describeIdentity, matchesIdentity } from '../identity.ts';
import { spkiHash } from '../keys.ts';
import { printable } from '../printable.ts';
import { verifyBytes } from '../signature-schemes.ts';
import { parseSigningCertificate } from '../signing-certificate.ts';
import type { SigningCertificate } from '../signing-certificate.ts';
import type { Rejection } from '../verification.ts';
import { checkBounds } from './signed-material.ts';
import type { SignedMaterial } from './signed-material.ts';
import { verifyVouchers } from './verify-vouchers.ts';

/** One issuer takes the signature for its own. What the signed content says is not looked at yet. */
export interface Acceptance {
  readonly issuer: string;
  readonly signer: Signer;
  /** Earliest trusted time, milliseconds since the epoch. */
  readonly signedAtMs?: number;
}

export type Judgement =
  | { readonly accepted: readonly [Acceptance, ...Acceptance[]] }
  | { readonly accepted: readonly []; readonly rejection: Rejection };

/** How near to acceptance a refusal is; the nearest is the one that people read. */
interface Refusal extends Rejection {
  readonly nearness: number;
}

const nearness = {
  otherSigner: 0,
  unproven: 1,
  brokenIssuer: 2,
  altered: 3,
  otherIdentity: 4,
  lacksVoucher: 5,
} as const;
/** Codes that mean: this signer would do, and something is missing or altered. */
const nearnessByCode: Readonly<Partial<Record<FailureCode, number>>> = {
  IssuerInvalid: nearness.brokenIssuer,
  TrustMaterialInvalid: nearness.brokenIssuer,
  TrustMaterialMissing: nearness.brokenIssuer,
  SignatureInvalid: nearness.altered,
};

/** Most issuers that one message names. */
const maxNamedIssuers = 3;

/** Puts one signature before every issuer. Never throws for what the signature holds. */
export function judgeSignature(material: SignedMaterial, context: VerificationContext): Judgement {
  const { issuers, trust, nowMs } = context;
  let certificate: SigningCertificate | RefwardenError | undefined;
  try {
    checkBounds(material);
    if (material.certificate !== undefined) certificate = parseSigningCertificate(material.certificate);
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    if (thrown.code !== 'CertificateInvalid') return { accepted: [], rejection: toFailure(thrown) };
    certificate = thrown; // a listed key may still have made the signature
  }
  const results = issuers.map((issuer) =>
    issuer.kind === 'key'
      ? judgeByKey(material, issuer, trust, nowMs)
      : judgeByCertificate(material, certificate, issuer, trust, nowMs),
  );
  const [first, ...rest] = results.filter((result) => 'issuer' in result);
  if (first !== undefined) return { accepted: [first, ...rest] };
  return {
    accepted: [],
    rejection: nearest(
      results.filter((result) => 'code' in result),
      issuers,
    ),
  };
}

function judgeByKey(
  material: SignedMaterial,
  issuer: KeyIssuer,
  trust: CompiledTrust,
  nowMs: number,
): Acceptance | Refusal {
  try {
    const { key, fingerprint } = trust.key(issuer.pem);
    const claimed = isHintOf(material.keyHint, spkiHash(key));
    if (!verifyBytes(material.signedBytes, key, material.signature)) {
      return claimed
        ? {
            ...refusal(
              'SignatureInvalid',
              `The signature names the key of ${issuer.name}, which does not verify it.`,
            ),
            signer: `key ${fingerprint}`,
          }
        : refusal('SignerNotTrusted', 'No listed key verifies the signature.');
    }
    const accepted: Acceptance = {
      issuer: issuer.name,
      signer: { kind: 'key', keyFingerprint: fingerprint },
    };
    if (issuer.transparencyLog === 'NotRequired') return accepted;
    if (issuer.trustedRoot === undefined) {
      return refusal(
        'TrustMaterialMissing',
        `Issuer ${issuer.name} requires a transparency log and has no trusted root.`,
      );
    }
    try {
      const demands = {
        sct: 'NotRequired',
        transparencyLog: 'Required',
        signedTimestamp: 'NotRequired',
      } as const;
      return {
        ...accepted,
        ...dated(verifyVouchers(material, { key }, trust.root(issuer.trustedRoot), demands, nowMs)),
      };
    } catch (thrown) {
      return { ...toFailure(thrown), nearness: nearness.lacksVoucher, signer: `key ${fingerprint}` };
    }
  } catch (thrown) {
    return fromThrown(thrown);
  }
}

function judgeByCertificate(
  material: SignedMaterial,
  certificate: SigningCertificate | RefwardenError | undefined,
  issuer: KeylessIssuer,
  trust: CompiledTrust,
  nowMs: number,
): Acceptance | Refusal {
  if (certificate === undefined)
    return refusal('SignerNotTrusted', 'The signature was made by a key and carries no certificate.');
  if (certificate instanceof RefwardenError) return fromThrown(certificate);
  const subject = printable(certificate.subjects.join(', '));
  const signer = `${subject} (${printable(certificate.issuer)})`;
  try {
    const matches = matchesIdentity(certificate, issuer.identities, trust.pattern);
    const { key } = certificate;
    const times = verifyVouchers(
      material,
      { key, certificate },
      trust.root(issuer.trustedRoot),
      issuer,
      nowMs,
    );
    if (!matches) {
      return {
        ...refusal('SignerNotTrusted', `Signed by ${signer}.`),
        nearness: nearness.otherIdentity,
        signer,
      };
    }
    const identity = { issuer: certificate.issuer, subject: certificate.subjects.join(', ') };
    return {
      issuer: issuer.name,
      signer: { kind: 'keyless', ...identity, certificateFingerprint: certificate.fingerprint },
      ...dated(times),
    };
  } catch (thrown) {
    return { ...fromThrown(thrown), signer: `claimed ${signer}` };
  }
}

/** cosign's hint is the base64 of the SHA-256 of the DER key; others write it in hexadecimal. */
function isHintOf(hint: string | undefined, hash: Buffer): boolean {
  return (
    hint !== undefined &&
    (hint === hash.toString('base64') || hint.replace(/^sha256:/i, '') === hash.toString('hex'))
  );
}

const dated = (timesMs: readonly number[]): { signedAtMs?: number } =>
  timesMs.length === 0 ? {} : { signedAtMs: Math.min(...timesMs) };

function refusal(code: FailureCode, message: string): Refusal {
  return { code, message, nearness: nearnessByCode[code] ?? nearness.otherSigner };
}

function fromThrown(thrown: unknown): Refusal {
  const { code, message } = toFailure(thrown);
  return { code, message, nearness: nearnessByCode[code] ?? nearness.unproven };
}

function nearest(refusals: readonly Refusal[], issuers: readonly ResolvedIssuer[]): Rejection {
  const [best] = refusals.toSorted((a, b) => b.nearness - a.nearness);
  if (best === undefined) return { code: 'SignerNotTrusted', message: 'No issuer is trusted here.' };
  const { code, message, signer } = best;
  return {
    code,
    message: code === 'SignerNotTrusted' ? `${message} Policy trusts ${describeIssuers(issuers)}.` : message,
    ...(signer === undefined ? {} : { signer }),
  };
}

function describeIssuers(issuers: readonly ResolvedIssuer[]): string {
  const named = issuers.slice(0, maxNamedIssuers).map((issuer) => {
    if (issuer.kind === 'key') return `${issuer.name} (a key)`;
    const [identity] = issuer.identities;
    return identity === undefined ? issuer.name : `${issuer.name}: ${printable(describeIdentity(identity))}`;
  });
  const more = issuers.length - named.length;
  return `${named.join('; ')}${more > 0 ? ` and ${more} more` : ''}`;
}
