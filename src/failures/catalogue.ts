/**
 * What a failure means for a check:
 * - `failed`: policy was judged and is not met.
 * - `inconclusive`: it could not be judged (registry down, limit hit); never "nothing found".
 * - `invalid`: somebody's input is wrong (a policy, a review, a command line).
 * - `internal`: a defect of Refwarden; never a pass.
 */
export type FailureKind = 'failed' | 'inconclusive' | 'invalid' | 'internal';

export interface FailureDefinition {
  readonly kind: FailureKind;
  /** One sentence: what happened. */
  readonly summary: string;
  /** One sentence: what the reader can do. */
  readonly remedy: string;
  /** Whether the same request may succeed later with nothing changed by hand. */
  readonly retryable: boolean;
}

const failed = (summary: string, remedy: string): FailureDefinition => ({
  kind: 'failed',
  summary,
  remedy,
  retryable: false,
});
const inconclusive = (summary: string, remedy: string, retryable = true): FailureDefinition => ({
  kind: 'inconclusive',
  summary,
  remedy,
  retryable,
});
const invalid = (summary: string, remedy: string): FailureDefinition => ({
  kind: 'invalid',
  summary,
  remedy,
  retryable: false,
});
const internal = (summary: string, remedy: string): FailureDefinition => ({
  kind: 'internal',
  summary,
  remedy,
  retryable: true,
});

/**
 * Every failure that Refwarden can name. Codes are stable: the same word is message prefix, event reason,
 * metric label and report reason. `docs/reference/failures.md` is generated from here.
 */
export const failureCatalogue = {
  // What an image lacks.
  SignatureMissing: failed(
    'No signature was found for the image.',
    'Sign the image by its digest and push the signature to its repository.',
  ),
  SbomMissing: failed(
    'No SBOM attestation was found for the image.',
    'Attest an SBOM for the image by its digest and push it to its repository.',
  ),
  AttestationMissing: failed(
    'No attestation of the predicate type that policy asks for was found.',
    'Attest the image by its digest with the predicate type that policy names.',
  ),
  NotPinned: failed(
    'The image is named by tag, and policy asks for a digest.',
    'Name the image as repository@sha256:... .',
  ),
  TooFewIssuers: failed(
    'Fewer distinct issuers signed the image than policy asks for.',
    'Have further issuers of the policy sign the image, each with a key or identity of its own.',
  ),
  NoPolicyMatches: failed(
    'No policy matches the image, and the installation refuses images without a policy.',
    'Write a policy whose images match it, or run with --unmatched Admit.',
  ),

  // Why something that was found does not count.
  SignerNotTrusted: failed(
    'The artifact is signed, but not by an issuer that the policy trusts.',
    'Sign with a key or identity of a listed issuer, or add the signer as a TrustedIssuer.',
  ),
  SignatureInvalid: failed(
    'The signature does not verify over the content.',
    'Sign the image again; the signature or what it covers was altered.',
  ),
  SubjectMismatch: failed(
    'The signed content names another image.',
    'Sign this very digest; a signature of another image does not count.',
  ),
  PredicateTypeMismatch: failed(
    'The attestation has another predicate type than policy asks for.',
    'Attest with the predicate type that policy names.',
  ),
  PayloadInvalid: failed(
    'The signed payload is not of the form that its type requires.',
    'Make the artifact again with a current signing tool.',
  ),
  CertificateInvalid: failed(
    'The signing certificate does not chain to the trusted root or was not valid when it signed.',
    'Sign again, or add the certificate authority to the trusted root of the issuer.',
  ),
  CertificateRevoked: failed(
    'The authority has revoked a certificate of the signature.',
    'Sign again with a certificate that is not revoked; find out why this one was.',
  ),
  SignatureExpired: failed(
    'The signature says that it counts until a time that has passed.',
    'Sign again; or have the issuer log expiry instead of enforcing it, if old signatures are to count.',
  ),
  CertificateTransparencyMissing: failed(
    'The signing certificate carries no valid proof of certificate transparency (SCT).',
    'Sign with a certificate authority that logs its certificates, or set sct: NotRequired on the issuer.',
  ),
  TransparencyLogMissing: failed(
    'The signature has no valid entry of a trusted transparency log.',
    'Sign with the transparency log on, or set transparencyLog: NotRequired on the issuer.',
  ),
  TrustedTimeMissing: failed(
    'Nothing trusted says when the certificate signed: no log entry and no signed timestamp.',
    'Sign with a transparency log or a timestamp authority of the trusted root.',
  ),
  SignedOutsideValidity: failed(
    'The key did not count when the signature was made: it is outside notBefore and notAfter of its issuer.',
    'Sign with the key that counts now; or have signatures logged or timestamped, so that those made in time go on counting.',
  ),
  EvidenceTooOld: failed(
    'The evidence is older than policy allows.',
    'Make the attestation again, or raise maxAge.',
  ),
  EvidenceUndated: failed(
    'Policy limits the age of the evidence, and nothing trusted says when it was made.',
    'Attest keyless: only a short-lived certificate says when, a signature by a key can be dated anew by anybody. Or drop maxAge.',
  ),
  AssertionFailed: failed(
    'What an attestation says does not hold against an expression of the policy.',
    'Mend what the message of the policy names, or correct the expression.',
  ),
  VoucherMissing: failed(
    'The artifact is unsigned, and no signature that counts covers it.',
    "Sign the artifact's manifest, or the index that contains it, as an issuer of the policy; or attest its content.",
  ),
  FormatUnsupported: failed(
    'The artifact is of a form that this version does not verify.',
    'See the documentation for the supported forms.',
  ),
  ManifestAmbiguous: failed(
    'A document can be read as more than one kind (manifest and index).',
    'Push the artifact again with a current tool; such a document is refused.',
  ),
  ManifestInvalid: failed(
    'A manifest or index does not follow the OCI image specification.',
    'Push the artifact again with a current tool.',
  ),
  DigestMismatch: failed(
    'Content does not hash to the digest that names it.',
    'The registry or something before it altered content: compare with another copy.',
  ),
  SizeMismatch: failed(
    'Content has another size than its descriptor states.',
    'The registry or something before it altered content: compare with another copy.',
  ),
  SubjectMissing: failed(
    'The artifact does not refer to the image.',
    'It names another subject or none: attach it to this image.',
  ),
  PlatformMissing: failed(
    'An index holds no image for a platform that policy asks for.',
    'Build the image for that platform, or take the platform out of the policy.',
  ),
  ParentUnproven: failed(
    'A parent index does not contain the image as a runnable platform.',
    'Sign the image itself, or the index that contains it.',
  ),
  ArtifactMissing: failed(
    'An artifact is listed, but it is no longer there.',
    'Push the artifact again; it was deleted or garbage-collected.',
  ),

  // Why a check could not be judged.
  RegistryUnavailable: inconclusive(
    'The registry did not answer as it should.',
    'Try again; if it stays, look at the registry and at the network path to it.',
  ),
  RegistryTimeout: inconclusive(
    'The registry did not answer in time.',
    'Try again: what arrives meanwhile is kept; if it stays, look at the registry.',
  ),
  RegistryUnauthorized: inconclusive(
    'The registry refused the credentials, or asks for some.',
    'Give credentials that may pull from the repository.',
    false,
  ),
  RegistryRateLimited: inconclusive(
    'The registry limits the rate of requests.',
    'Try again later, or use credentials with a higher limit.',
  ),
  RegistryRefused: inconclusive(
    'A request was refused before it was sent: the address is not allowed.',
    'Allow the host by name if it is meant: an entry of registries (in the chart, or --registries FILE), or --plain-http HOST.',
    false,
  ),
  RegistryProtocolError: inconclusive(
    'The registry answered with something that is not its protocol.',
    'Look at what answers at that address; a proxy or login page may stand before it.',
  ),
  ImageNotFound: inconclusive(
    'There is no such image.',
    'Check the name and tag; private registries answer this also without credentials.',
    false,
  ),
  ArtifactTooLarge: inconclusive(
    'An artifact or answer is larger than the limit.',
    'Raise the limit if the artifact is meant to be so large.',
    false,
  ),
  TooManyReferrers: inconclusive(
    'More artifacts refer to the image than are looked at, and none of those satisfied policy.',
    'Remove stale referrers from the repository, or raise the limit.',
    false,
  ),
  DeadlineExceeded: inconclusive(
    'The decision was not reached within the time that the caller gave.',
    'Try again: in a cluster the work goes on and the next try finds its result; on the command line raise --timeout.',
  ),
  Overloaded: inconclusive('Too many reviews are waiting.', 'Try again; add replicas if it stays.'),
  RequestBudgetSpent: inconclusive(
    'The requests that a namespace may make to a registry within a minute are spent.',
    'Try again when the message says; if the load is meant, raise the limit, see the documentation of registries.',
  ),
  ImageAmbiguous: inconclusive(
    'An image layout has more than one image of that name.',
    'Name the image by its digest.',
    false,
  ),
  LayoutTooLarge: inconclusive(
    'An image layout holds more than is looked at.',
    'Copy only the image and what refers to it into a layout.',
    false,
  ),
  LayoutUnreadable: inconclusive(
    'A file of an image layout cannot be read.',
    'Mend what the message names; links within a layout are not followed, copy it with cp -L.',
    false,
  ),
  RevocationUnknown: inconclusive(
    'Nothing authentic says whether a certificate of the signature is revoked.',
    'Try again; if it stays, see that the responder or list of revoked certificates that the message names can be reached.',
  ),
  NamespaceUnknown: inconclusive(
    'The labels of the namespace are not known, so it is not known which policies apply.',
    'Try again; on the command line, add a manifest of the Namespace to the policy directory.',
  ),
  ClusterUnavailable: inconclusive(
    'The Kubernetes API server did not answer as it should.',
    'Try again; if it stays, look at the API server and at the permissions of the account.',
  ),
  PoliciesNotLoaded: inconclusive(
    'No policies have been loaded yet.',
    'Wait until the process is ready; its log says what is missing.',
  ),

  ImageNotPinned: inconclusive(
    'The image is named by a tag alone, which may mean another image by the time it is pulled.',
    'Try again. If it stays so, look whether the MutatingWebhookConfiguration of Refwarden is in place, or name the image by digest.',
  ),

  ExpressionTooCostly: inconclusive(
    'An expression of a policy took more steps or time than it may.',
    'Write it with fewer and shallower loops, or attest less; see the limits of expressions.',
    false,
  ),
  VerifierStopped: inconclusive(
    'Verification was stopped: it took too long, ran out of memory or broke down.',
    'Try again; if it stays, look at the size of what is attested and at the log of the process.',
  ),

  // What is wrong with somebody's input.
  ImageReferenceInvalid: invalid(
    'The image reference does not follow the grammar.',
    'Write it as registry/repository:tag or registry/repository@sha256:... in lower case.',
  ),
  ImagePatternInvalid: invalid(
    'The image pattern does not follow the grammar.',
    'Write it as host/path, with * inside a segment and ** across segments.',
  ),
  DigestUnsupported: invalid('The digest algorithm is not supported.', 'Use sha256 or sha512.'),
  JsonInvalid: invalid('The document is not acceptable JSON.', 'Mend the document where the message says.'),
  ReviewInvalid: invalid(
    'The request is not an AdmissionReview that this webhook can judge.',
    'Send an admission.k8s.io/v1 AdmissionReview; check the webhook configuration.',
  ),
  ReviewTooLarge: invalid(
    'The request is larger than a review can be.',
    'Make the object smaller; the API server itself takes objects up to 3 MiB.',
  ),
  WorkloadUnsupported: invalid(
    'The kind of object is not one whose images this webhook reads.',
    'Narrow the rules of the webhook configuration to the documented kinds.',
  ),
  WorkloadInvalid: invalid(
    'The workload does not have the shape of its kind.',
    'Correct what the message names.',
  ),
  PolicyInvalid: invalid('A policy does not follow its schema.', 'Correct what the message names.'),
  PolicyNotReady: invalid(
    'A policy cannot be applied, so what it guards is refused under its mode.',
    'Mend what the message names, for example an issuer that there is not.',
  ),
  ExpressionInvalid: invalid(
    'An expression of a policy cannot be used.',
    'Correct it where the message says; the documentation of expressions lists what may be named.',
  ),
  IssuerInvalid: invalid(
    'A trusted issuer cannot be used.',
    'Correct the key, identity or pattern that the message names.',
  ),
  TrustMaterialMissing: invalid(
    'Trust material that an issuer names cannot be read.',
    'Provide the file or ConfigMap that the message names, or mend what keeps the TUF mirror from being read.',
  ),
  TrustMaterialInvalid: invalid(
    'Trust material does not parse.',
    'Provide a valid trusted root or key; the message says what is wrong.',
  ),
  LayoutInvalid: invalid(
    'What was given is no OCI image layout, or only part of one.',
    'Give the directory or plain tar that oras, skopeo, regctl, docker or cosign save wrote; copy it again if it is cut short.',
  ),
  ConfigurationInvalid: invalid(
    'The configuration or command line is wrong.',
    'Correct what the message names: a file, a setting or an option.',
  ),

  InternalError: internal(
    'Refwarden failed in a way that it should not.',
    'Try again; if it stays, report it with the log of the process.',
  ),
} as const satisfies Record<string, FailureDefinition>;

export type FailureCode = keyof typeof failureCatalogue;
