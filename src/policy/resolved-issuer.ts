/** A text rule of an identity. Patterns are RE2 and match the whole text. */
export type TextRule = { readonly exact: string } | { readonly pattern: string };

/** One identity that a keyless issuer accepts: every part given must hold. */
export interface IdentityRule {
  /** OIDC issuer, exact. */
  readonly issuer: string;
  /** Any one subject alternative name of the certificate must match. */
  readonly subject?: TextRule;
  /** Fulcio certificate extensions by name (see `fulcioExtensions`), each must be present and match. */
  readonly extensions: readonly { readonly name: FulcioExtension; readonly rule: TextRule }[];
}

/** Names of Fulcio's certificate extensions and the last arc of their OID 1.3.6.1.4.1.57264.1.N (Fulcio oid-info.md). */
export const fulcioExtensions = {
  buildSignerURI: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryURI: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerURI: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigURI: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationURI: 21,
  sourceRepositoryVisibilityAtSigning: 22,
  deploymentEnvironment: 23,
} as const;
export type FulcioExtension = keyof typeof fulcioExtensions;

export type Demand = 'Required' | 'NotRequired';

interface IssuerBase {
  readonly name: string;
  /** SHA-256 over the issuer's spec and its trust material; caches of evidence are keyed by it. */
  readonly fingerprint: string;
}

/** Sigstore trusted root (protobuf-specs `TrustedRoot` as JSON text). */
export interface TrustedRootMaterial {
  readonly json: string;
  readonly fingerprint: string;
}

/** Longest PEM of a key, in characters; RSA 8192 takes 1,500. */
export const maxPemLength = 8192;

/** How many distinct logs and authorities must vouch for what is `Required`: 1 each where nothing is said. */
export interface Thresholds {
  readonly sct?: number | undefined;
  readonly transparencyLog?: number | undefined;
  readonly signedTimestamp?: number | undefined;
}

export interface KeyIssuer extends IssuerBase {
  readonly kind: 'key';
  /** PEM SubjectPublicKeyInfo: ECDSA P-256/384/521, RSA >= 2048 or Ed25519. */
  readonly pem: string;
  readonly transparencyLog: Demand;
  /** `NotRequired` when absent. */
  readonly signedTimestamp?: Demand;
  readonly thresholds?: Thresholds;
  /** Present when log or timestamp is required, or when one is to say when it was signed. */
  readonly trustedRoot?: TrustedRootMaterial;
  /** Signatures made earlier, and later, do not count; milliseconds since the epoch. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface KeylessIssuer extends IssuerBase {
  readonly kind: 'keyless';
  readonly identities: readonly IdentityRule[];
  readonly trustedRoot: TrustedRootMaterial;
  readonly sct: Demand;
  /** With both `NotRequired`, one trusted time from either is still required. */
  readonly transparencyLog: Demand;
  readonly signedTimestamp: Demand;
  readonly thresholds?: Thresholds;
}

/** What a Notation signature is validated for beside its integrity, which is always enforced. */
export type NotationValidation = 'authenticity' | 'authenticTimestamp' | 'expiry' | 'revocation';
/** What a validation that fails does: refuse the signature, be told beside it, or not be made at all. */
export type NotationAction = 'enforce' | 'log' | 'skip';

export const trustStoreTypes = ['ca', 'signingAuthority', 'tsa'] as const;

/** Certificates of one purpose (Notary Project trust-store-trust-policy.md "Trust Store"). */
export interface TrustStoreMaterial {
  readonly type: (typeof trustStoreTypes)[number];
  /** Where they come from, for messages. */
  readonly name: string;
  /** PEM, one or more. */
  readonly certificates: string;
}

/** A trust policy of the Notary Project. */
export interface NotationIssuer extends IssuerBase {
  readonly kind: 'notation';
  readonly level: 'strict' | 'permissive' | 'audit';
  readonly override: Readonly<Partial<Record<NotationValidation, NotationAction>>>;
  readonly trustStores: readonly TrustStoreMaterial[];
  /** `*` alone, or `x509.subject:` with a distinguished name each. */
  readonly trustedIdentities: readonly string[];
  readonly verifyTimestamp: 'always' | 'afterCertExpiry';
}

/** An issuer with its trust material: plain data, so that it can cross to a worker. */
export type ResolvedIssuer = KeyIssuer | KeylessIssuer | NotationIssuer;

/** Where trust material comes from; ConfigMaps are those of the release namespace. */
export type TrustReference =
  | { readonly kind: 'builtIn'; readonly name: BuiltInRoot }
  | { readonly kind: 'configMap'; readonly name: string; readonly key: string }
  | { readonly kind: 'file'; readonly name: string }
  | TufReference;

export type BuiltInRoot = 'PublicGood' | 'GitHub';

/** A target of a TUF repository. */
export interface TufReference {
  readonly kind: 'tuf';
  /** http or https, without user, query and fragment. */
  readonly mirror: string;
  /** The root.json to start from, JSON text; absent = the one that ships for this mirror. */
  readonly root?: string;
  readonly target: string;
}
