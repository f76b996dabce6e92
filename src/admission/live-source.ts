import type { Failure } from '../failures/failure.ts';
import type { CheckExpression } from '../policy/compile-requirement.ts';
import type { IssuerTrust } from '../policy/compile-issuer.ts';
import type { Json } from '../oci/strict-json.ts';
import type { Resource } from '../policy/model/resource.ts';
import type { NoMatch } from '../policy/snapshot.ts';
import type { NamespaceSource, PolicySource } from './ports.ts';

/** Data of a ConfigMap that may hold trust material; undefined when there is none of that name. */
export type ConfigMapLookup = (name: string) => Readonly<Record<string, string>> | undefined;

/** How whatever a live source reads is compiled to a snapshot. */
export interface SnapshotOptions {
  /** Called at each compilation, with the ConfigMaps of that moment. */
  readonly trustFor: (configMaps: ConfigMapLookup) => IssuerTrust;
  readonly checkExpression: CheckExpression;
  /** Registers whom to tell when trust material changed by itself, to compile anew; returns how to end that. */
  readonly onTrustChange?: (changed: () => void) => () => void;
  readonly noMatch: NoMatch;
  /** Longest time that an exception counts after it was made, milliseconds. */
  readonly maxExceptionMs?: number | undefined;
}

/** Something whose newest version is not in force. */
export interface StaleOrigin {
  /** A file, a directory, or an object of the API server. */
  readonly origin: string;
  readonly failure: Failure;
}

export interface LiveSourceStatus {
  /** A first complete load succeeded. Stays true: a later fault leaves the last known state in force. */
  readonly ready: boolean;
  /** What stands in the way of being ready, a sentence each; empty when ready. */
  readonly missing: readonly string[];
  readonly stale: readonly StaleOrigin[];
  /** By watch: when it last was known to be current, milliseconds since the epoch; undefined = never yet. */
  readonly lastSyncMs: Readonly<Record<string, number | undefined>>;
}

/** The newest version of an object of the API server. */
export interface LiveObject {
  readonly kind: Resource['kind'];
  readonly name: string;
  readonly namespace?: string | undefined;
  /** `metadata.generation`; 0 when there is none. */
  readonly generation: number;
  /** As it stands. */
  readonly status: Json | undefined;
  /** Or why it does not parse. */
  readonly resource: Resource | Failure;
}

/** Policies, namespaces and trust material that follow a directory or a cluster. */
export interface LiveSource extends PolicySource, NamespaceSource {
  configMap(name: string): ReturnType<ConfigMapLookup>;
  /** Objects that have a status to write; absent where there is none, as in files. */
  objects?(): Iterable<LiveObject>;
  status(): LiveSourceStatus;
  /** Ends all watching; what was last in force stays answerable. */
  close(): Promise<void>;
}
