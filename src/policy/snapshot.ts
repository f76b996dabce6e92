import type { Failure } from '../failures/failure.ts';
import type { Assertion, AssertionSet, ExpressionRoot } from './assertions.ts';
import type { ImagePattern } from '../image/pattern.ts';
import type { Repository } from '../image/reference.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { SbomFormat } from './evidence.ts';
import type { Mode, NamespaceSelector } from './model/artifact-policy.ts';
import type { Resource } from './model/resource.ts';
import type { ResolvedIssuer } from './resolved-issuer.ts';

export const noMatchAnswers = ['Admit', 'Warn', 'Deny'] as const;
export type NoMatch = (typeof noMatchAnswers)[number];

/** The policies in force, compiled once when they were applied. Immutable. */
export interface PolicySnapshot {
  /** What it was compiled of, as it was parsed. */
  readonly resources: ReadonlySet<Resource>;
  readonly policies: readonly CompiledPolicy[];
  readonly index: PolicyIndex;
  readonly exceptions: ExceptionIndex;
  /** Every TrustedIssuer by name, or why it cannot be used. */
  readonly issuers: ReadonlyMap<string, ResolvedIssuer | Failure>;
  /** What happens to an image that no policy matches. */
  readonly noMatch: NoMatch;
}

/** Exceptions by each namespace that they name. */
export type ExceptionIndex = ReadonlyMap<string, readonly CompiledException[]>;

export interface CompiledException {
  readonly name: string;
  readonly images: readonly ImagePattern[];
  /** By name: tenants edit labels. */
  readonly namespaces: readonly string[];
  /** By name of a ClusterArtifactPolicy: names of its requirements. */
  readonly policies: ReadonlyMap<string, ReadonlySet<string> | 'All'>;
  readonly reason: string;
  /** It counts before this time, milliseconds since the epoch. */
  readonly endsAtMs: number;
}

export interface CompiledPolicy {
  readonly name: string;
  /** Present for an ArtifactPolicy: it matches only there. */
  readonly namespace?: string;
  readonly mode: Mode;
  readonly workloads: 'Pods' | 'All';
  readonly onInconclusive: 'Deny' | 'Admit';
  readonly namespaces?: NamespaceSelector;
  /** Whether the labels of the namespace must be known: to select by, or because an expression names them. */
  readonly needsLabels: boolean;
  readonly images: readonly ImagePattern[];
  readonly excludeImages: readonly ImagePattern[];
  /** Whether what it selects counts as matched: not where it selects all, because what it would select cannot be told. */
  readonly covers: boolean;
  /** Further repositories in which artifacts are looked for. */
  readonly evidenceRepositories: readonly Repository[];
  /** Tags of the image's repository whose indexes may contain it. */
  readonly indexTags: readonly string[];
  /** Never empty: a policy that asks for nothing would admit what it guards. */
  readonly requirements: readonly [CompiledRequirement, ...CompiledRequirement[]];
}

interface ReadyRequirement {
  readonly name: string;
  readonly notReady?: undefined;
}

/** A requirement that cannot be applied; it counts as failed under the mode of its policy. */
export interface UnreadyRequirement {
  readonly kind: 'unready';
  readonly name: string;
  readonly notReady: Failure;
}

interface IssuedRequirement extends ReadyRequirement {
  readonly issuers: readonly [ResolvedIssuer, ...ResolvedIssuer[]];
  /** An index that does not satisfy by itself does so by its children of these platforms. */
  readonly platforms?: 'All' | readonly Platform[];
}

export interface SignatureRequirement extends IssuedRequirement {
  readonly kind: 'signature';
  readonly minimumIssuers: number;
  readonly inheritFromIndex: boolean;
}

export interface SbomRequirement extends IssuedRequirement {
  readonly kind: 'sbom';
  readonly formats: readonly SbomFormat[];
  readonly maxAgeMs?: number;
  readonly assertions?: AssertionSet;
}

export interface AttestationRequirement extends IssuedRequirement {
  readonly kind: 'attestation';
  readonly predicateType: string;
  readonly maxAgeMs?: number;
  readonly assertions?: AssertionSet;
}

export interface PinnedRequirement extends ReadyRequirement {
  readonly kind: 'pinned';
}

/** Requirements that evidence satisfies. */
export type EvidenceRequirement = SignatureRequirement | SbomRequirement | AttestationRequirement;
/** Requirements that stand alone, or as one alternative of several. */
export type SingleRequirement = EvidenceRequirement | PinnedRequirement | UnreadyRequirement;

/** Any one of the alternatives satisfies; one that is not ready never does. */
export interface AnyOfRequirement extends ReadyRequirement {
  readonly kind: 'anyOf';
  readonly alternatives: readonly [SingleRequirement, ...SingleRequirement[]];
}

/** Expressions over what satisfied the other requirements of the policy. */
export interface CrossCheckRequirement extends ReadyRequirement {
  readonly kind: 'crossCheck';
  /** Those of the requirements: where one is met by the children of an index, this is judged of each child. */
  readonly platforms?: 'All' | readonly Platform[];
  readonly checks: readonly Assertion[];
  /** What the expressions name. */
  readonly uses: readonly ExpressionRoot[];
  /** The requirements of the policy, whose evidence they see; each has to be met, or there is nothing to check. */
  readonly over: readonly CheckedRequirement[];
}

export interface CheckedRequirement {
  /** Evidence has to satisfy one. */
  readonly alternatives: readonly EvidenceRequirement[];
  /** Being named by a digest is one more. */
  readonly orPinned: boolean;
}

export type CompiledRequirement = SingleRequirement | AnyOfRequirement | CrossCheckRequirement;

/** Finds the policies that may match, so that a review does not pay for those that cannot. */
export interface PolicyIndex {
  readonly cluster: RegistryIndex;
  /** Policies of one namespace. */
  readonly byNamespace: ReadonlyMap<string, RegistryIndex>;
  /** Whether any policy asks for labels of namespaces: one for Pods, one for pod templates. */
  readonly needsLabels: { readonly ofPods: boolean; readonly ofTemplates: boolean };
}

export interface RegistryIndex {
  readonly all: readonly CompiledPolicy[];
  /** Policies whose every pattern names its registry, by each that they name. */
  readonly byRegistry: ReadonlyMap<string, readonly CompiledPolicy[]>;
  /** The others: a pattern of theirs takes many registries. */
  readonly anyRegistry: readonly CompiledPolicy[];
}
