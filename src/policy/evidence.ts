import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';

/** Where artifacts, and indexes that contain an image, are looked for; settings of a registry choose among these. */
export const mechanisms = ['References', 'Referrers', 'FallbackTag', 'CosignTag', 'Oras', 'TagScan'] as const;
/**
 * How an artifact or an index was found: by what was asked, in an index that was at hand, by a tag that the reference
 * or a policy names, among indexes seen before, or in an image layout on disk.
 */
export type Mechanism = (typeof mechanisms)[number] | 'InIndex' | 'IndexTag' | 'KnownIndex' | 'Layout';

/** Who signed, as proven by the signature: never a claim of an annotation. */
export type Signer =
  | {
      readonly kind: 'key';
      /** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
      readonly keyFingerprint: string;
    }
  | {
      readonly kind: 'keyless';
      /** OIDC issuer and subject alternative name of the Fulcio certificate. */
      readonly issuer: string;
      readonly subject: string;
      /** `sha256:<hex>` of the DER certificate. */
      readonly certificateFingerprint: string;
      /** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
      readonly keyFingerprint: string;
    }
  | {
      readonly kind: 'notation';
      /** Distinguished name of the signing certificate, as a trusted identity is written. */
      readonly subject: string;
      /** `sha256:<hex>` of the DER certificate. */
      readonly certificateFingerprint: string;
      /** `sha256:<hex>` of the DER SubjectPublicKeyInfo. */
      readonly keyFingerprint: string;
    };

export const sbomFormats = ['SPDX', 'CycloneDX'] as const;
export type SbomFormat = (typeof sbomFormats)[number];

/** Whether the expressions of an assertion hold; `failure` is of the first that does not. */
export type AssertionResult = { readonly holds: true } | { readonly holds: false; readonly failure: Failure };

/** A time that something trusted says: the signature existed then. */
export interface TrustedTime {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly source: 'TransparencyLog' | 'SignedTimestamp';
}

/** What verification proves from bytes and trust material alone. */
export interface VerifiedEvidence {
  readonly kind: 'signature' | 'attestation';
  /** Name of the TrustedIssuer that accepted it. */
  readonly issuer: string;
  readonly signer: Signer;
  /** The digest that the signed content names; one of those that were asked for. */
  readonly subject: Digest;
  /** The form that carried it. */
  readonly format:
    | 'CosignSimpleSigning'
    | 'SigstoreBundle'
    | 'DsseEnvelope'
    | 'NotationSignature'
    // Unsigned by themselves: a signature of the artifact, or of an index that contains it, vouches for them.
    | 'BareStatement'
    | 'BareSbom';
  /** Attestations only. */
  readonly predicateType?: string;
  /** Attestations whose predicate parses as an SBOM of a known format. */
  readonly sbom?: { readonly format: SbomFormat; readonly version: string };
  /** What was asked of its content, by the fingerprint of the assertions; only of those that apply to its type. */
  readonly assertions?: Readonly<Record<string, AssertionResult>>;
  /** Earliest trusted time of signing, milliseconds since the epoch; absent when nothing trusted says it. */
  readonly signedAtMs?: number;
  /** What says so. */
  readonly timeSource?: TrustedTime['source'];
  /** What does not hold and its issuer does not enforce: it counts all the same. */
  readonly tolerated?: readonly Failure[];
  /** The evidence stops counting then, milliseconds since the epoch; absent when it depends on no expiry. */
  readonly validUntilMs?: number;
}

/** Verified evidence together with where it was found. */
export interface Evidence extends VerifiedEvidence {
  readonly mechanism: Mechanism;
  /** Digest of the manifest that carries it. */
  readonly artifact: Digest;
  /** Indexes of which the signed one is the last, each proven to contain the one before, and the first the image. */
  readonly indexes: readonly Digest[];
  /** From the image to the artifact: image, indexes on the way, artifact. */
  readonly path: readonly Digest[];
}

/**
 * What tells signers apart for `minimumIssuers`; two that share any of it are one: the key itself, and the identity,
 * where certificates come and go for one identity or one key.
 */
export function signerIdentities(signer: Signer): readonly [string, ...string[]] {
  switch (signer.kind) {
    case 'key':
      return [`key ${signer.keyFingerprint}`];
    case 'keyless':
      return [`key ${signer.keyFingerprint}`, `keyless ${JSON.stringify([signer.issuer, signer.subject])}`];
    case 'notation':
      return [`key ${signer.keyFingerprint}`, `notation ${signer.subject}`];
  }
}

/** The signer for people. */
export function describeSigner(signer: Signer): string {
  switch (signer.kind) {
    case 'key':
      return `key ${signer.keyFingerprint.slice(0, 'sha256:'.length + 12)}`;
    case 'keyless':
      return `${signer.subject} (${signer.issuer})`;
    case 'notation':
      return signer.subject;
  }
}
