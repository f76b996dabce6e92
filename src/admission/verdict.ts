import type { FailureCode } from '../failures/catalogue.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Evidence, Mechanism } from '../policy/evidence.ts';
import type { Exemption } from '../policy/exceptions.ts';
import type { Mode } from '../policy/model/artifact-policy.ts';
import type { ArtifactKind } from './artifact-kind.ts';

export type CheckOutcome = 'passed' | 'failed' | 'inconclusive';

/** Something that was looked at and did not count. */
export interface Miss extends Failure {
  /** Absent when it could have been either. */
  readonly about?: Evidence['kind'];
  readonly artifact?: Digest;
  readonly mechanism?: Mechanism;
  /** From the image to the artifact, as {@link Evidence.path}; absent when it did not get that far. */
  readonly path?: readonly Digest[];
  readonly signer?: string;
}

/** An artifact that holds nothing that could have counted. */
export interface PassedOver {
  readonly kind: ArtifactKind;
  readonly mechanism: Mechanism;
  readonly path: readonly Digest[];
}

/** Everything that was looked at for one image, whatever became of it. */
export interface LookedAt {
  readonly evidence: readonly Evidence[];
  readonly misses: readonly Miss[];
  readonly passedOver: readonly PassedOver[];
  /** Why there may be more. */
  readonly gaps: readonly Failure[];
}

/** One requirement of one policy on one image. */
export interface Check {
  /** `prod-release`, or `shop/own` for one of a namespace. */
  readonly policy: string;
  readonly mode: Mode;
  readonly requirement: string;
  readonly outcome: CheckOutcome;
  /** Whether this check stands in the way of the workload, its policy's mode and onInconclusive applied. */
  readonly blocks: boolean;
  /** Absent when passed. */
  readonly code?: FailureCode;
  readonly message: string;
  /** For the log only, see {@link Failure.cause}. */
  readonly cause?: unknown;
  /** Why it was not judged: it passed by an exception. */
  readonly exemption?: Exemption;
  /** What satisfied it. */
  readonly evidence: readonly Evidence[];
  /** What was looked at and did not count, closest first. */
  readonly misses: readonly Miss[];
}

export interface ImageVerdict {
  /** As written in the workload. */
  readonly image: string;
  /** Fully qualified; absent when the reference does not parse. */
  readonly reference?: string;
  /** Absent when no check needed it or it could not be resolved. */
  readonly digest?: Digest;
  /** Field paths with container names: `spec.containers[0].image (app)`. */
  readonly fields: readonly ImageField[];
  readonly outcome: CheckOutcome;
  readonly checks: readonly Check[];
  /** Absent when nothing was looked for. */
  readonly lookedAt?: LookedAt;
}

export interface ImageField {
  /** `spec.template.spec.initContainers[1].image` */
  readonly path: string;
  /** Container or volume name, as the workload claims it. */
  readonly name: string;
  readonly role: 'container' | 'initContainer' | 'ephemeralContainer' | 'imageVolume';
}

export type VerdictOutcome = 'admitted' | 'denied' | 'inconclusive';

/** The answer for one workload. */
export interface Verdict {
  /** `inconclusive` only when nothing failed for certain; not allowed either. */
  readonly outcome: VerdictOutcome;
  readonly allowed: boolean;
  readonly workload: WorkloadIdentity;
  /** Only the images that were judged. */
  readonly images: readonly ImageVerdict[];
  /** A failure of the review as a whole: unsupported kind, policies not loaded. */
  readonly failure?: Failure;
  /** Nothing is written on behalf of a dry run. */
  readonly dryRun: boolean;
  readonly requests: { readonly total: number; readonly sequential: number };
  readonly durationMs: number;
}

export interface WorkloadIdentity {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
