import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { ImageReference, Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Document, Index, Manifest } from '../oci/manifest.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { TrustReference } from '../policy/resolved-issuer.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { RequestTrace } from './request-trace.ts';
import type { Verdict } from './verdict.ts';
import type { Workload } from './workload.ts';

/** What a registry or its token service is shown. */
export type Account =
  | { readonly username: string; readonly password: string }
  /** Exchanged at the token service (OAuth 2 refresh token); a registry itself is never shown it. */
  | { readonly identityToken: string };

/** On whose account registries are asked: no tenant's requests may stand in the way of all others'. */
export interface Tenant {
  /** For people, and different for each. */
  readonly name: string;
  /** How much of what a tenant may have is this one's: above 0, at most 1. */
  readonly share: number;
}

/** Who waits in queues of ours. */
export interface QueuedCaller {
  readonly tenant: Tenant;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Told when it has to wait in a queue, and when that is over. */
  readonly setQueued: (isQueued: boolean) => void;
}

/** Credentials are a value with an identity: caches and single flight are keyed by its scope. */
export interface Credentials {
  /**
   * Equal scopes may see what the other fetched from this repository; `anonymous` where no credentials apply.
   * Holds no secret.
   */
  scope(registry: string, repository: string): string;
  /**
   * Undefined for anonymous access. Never the account of another registry.
   * @param caller on whose account it is asked for, where it has to be; absent = nobody else asks.
   */
  account(registry: string, repository: string, caller?: QueuedCaller): Promise<Account | undefined>;
  /** Where they come from or why there are none, a sentence for whoever is refused; holds no secret. */
  explain?(registry: string, repository: string): string | undefined;
  /** Where several accounts may be the right one: each for itself, in the order to try them. Absent = only this one. */
  alternatives?(registry: string, repository: string): readonly Credentials[];
}

export const anonymousScope = 'anonymous';
export const anonymous: Credentials = {
  scope: () => anonymousScope,
  account: () => Promise.resolve(undefined),
};

/** Which credentials a workload's images are read with. */
export interface CredentialSource {
  credentialsFor(workload: Workload, signal: AbortSignal): Promise<Credentials>;
}

/** Whether a decision waits for a request, or it is made off the critical path. */
export type RequestPurpose = 'decision' | 'background';

/** What every registry operation of one decision shares. */
export interface RegistryAccess {
  /** Namespace of the workload: on its account requests are made, and its share of queues is used. */
  readonly tenant: string;
  /** A decision's, when absent. Background work is on an account of its own, with a smaller share. */
  readonly purpose?: RequestPurpose;
  readonly credentials: Credentials;
  /** Ends this caller's wait; shared work goes on. */
  readonly signal: AbortSignal;
  readonly trace: RequestTrace;
  /** Oldest acceptable listing or tag look-up in milliseconds; undefined = the cache's own lifetime. */
  readonly maxListingAgeMs?: number;
}

export interface ResolvedImage {
  readonly digest: Digest;
  /** As the registry states it; a hint. */
  readonly mediaType?: string;
}

/** A manifest or index by digest, within a repository. */
export interface Subject {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
}

/** Which kinds of artifact the open requirements can use; others may be skipped, or come last. */
export interface Wanted {
  readonly signatures: boolean;
  readonly attestations: boolean;
  /** Bare documents under a tag of their own, as `cosign attach sbom` left them. */
  readonly sboms: boolean;
  /** Of attestations: what the open requirements name. */
  readonly predicateTypes?: readonly string[];
  /** Listed manifests that may be fetched for it, where that is less than the bound on any subject. */
  readonly maxFetches?: number;
}

/** Where indexes that contain an image may be found beside those that listings name. */
export interface IndexHints {
  /** Tag that the image reference names beside its digest. */
  readonly tag?: string;
  /** Tags that policies name. */
  readonly indexTags: readonly string[];
}

/** An artifact whose own, digest-verified manifest refers to the subject (or carries cosign's tag for it). */
export interface Candidate {
  readonly kind: 'candidate';
  readonly mechanism: Mechanism;
  /** Where it was found. */
  readonly repository: Repository;
  readonly digest: Digest;
  readonly manifest: Manifest;
  /** Size of the manifest itself, bytes. */
  readonly sizeBytes: number;
  /** Fetches a layer of this manifest: size-checked and digest-verified. */
  fetchLayer(layer: Descriptor, access: RegistryAccess): Promise<Uint8Array>;
  /** To be called when it proved something: what it was found by is asked first for the repository's next image. */
  proved(): void;
}

/** Something was listed that cannot be used; reported only if nothing satisfies. */
export interface UnusableReferrer {
  readonly kind: 'unusable';
  readonly mechanism: Mechanism;
  readonly digest?: Digest;
  readonly failure: Failure;
}

/** An index that is proven by hash to contain the digest as a runnable child. */
export interface ParentIndex {
  readonly kind: 'parent';
  readonly mechanism: Mechanism;
  readonly digest: Digest;
  readonly index: Index;
}

/** The last item of every discovery. A stream that ends without it counts as incomplete. */
export interface DiscoveryEnd {
  readonly kind: 'end';
  /** Every mechanism answered and everything it listed was looked at. */
  readonly complete: boolean;
  /** Why not, when incomplete. */
  readonly failures: readonly Failure[];
  /** Age of the oldest listing that was relied on, milliseconds. */
  readonly listingAgeMs: number;
}

export type ReferrerEvent = Candidate | UnusableReferrer | DiscoveryEnd;
export type ParentEvent = ParentIndex | UnusableReferrer | DiscoveryEnd;

/**
 * The registry side of a decision. Every method throws RefwardenError only. Discoveries are lazy, so that the caller
 * stops as soon as policy is satisfied, and come in batches that may be looked at together. Faults come as events, never
 * as an end of the list.
 */
export interface ArtifactSource {
  /** Digest of an image; a reference with a digest costs no request. */
  resolve(image: ImageReference, access: RegistryAccess): Promise<ResolvedImage>;
  /** @param elsewhere further repositories in which artifacts of the subject are looked for. */
  referrers(
    subject: Subject,
    wanted: Wanted,
    access: RegistryAccess,
    elsewhere?: readonly Repository[],
  ): AsyncIterable<readonly ReferrerEvent[]>;
  /** The indexes that contain the subject: one step up. */
  parents(subject: Subject, hints: IndexHints, access: RegistryAccess): AsyncIterable<readonly ParentEvent[]>;
  /** The attestation manifests that an index holds for its child (BuildKit, "attestation-storage.md"). */
  attestationsIn(
    index: Index,
    child: Subject,
    access: RegistryAccess,
  ): AsyncIterable<readonly ReferrerEvent[]>;
  /** A manifest or index, parsed. */
  fetchParsed(subject: Subject, access: RegistryAccess): Promise<Document>;
  /** The bytes of a manifest or index, digest-verified: some signatures cover them rather than their digest. */
  fetchDocument(subject: Subject, access: RegistryAccess): Promise<Uint8Array>;
}

/** The policies in force; undefined until the first load succeeded. */
export interface PolicySource {
  snapshot(): PolicySnapshot | undefined;
}

/** Trust material that issuers name. Synchronous: it is loaded before it is asked for. */
export interface TrustSource {
  /** Text of a ConfigMap key of the release namespace, of a file in the trust directory, or built in. */
  material(reference: TrustReference): string | Failure;
}

export interface NamespaceSource {
  /** @throws RefwardenError `NamespaceUnknown`: unknown is never "no labels". */
  labels(namespace: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
}

/** Feeds log, metrics, events and reports; called once for each decision. */
export interface VerdictRecorder {
  record(verdict: Verdict): void;
}

/** How a request to a registry ended; `refused` is 401 or 403, the first step of many logins. */
export type RequestOutcome = 'ok' | 'notFound' | 'refused' | 'rateLimited' | 'timeout' | 'error';

export interface FinishedRequest {
  readonly outcome: RequestOutcome;
  readonly purpose: RequestPurpose;
  readonly durationMs: number;
}

/** Feeds metrics; called once for each request that was sent. */
export interface RequestRecorder {
  record(request: FinishedRequest): void;
}
