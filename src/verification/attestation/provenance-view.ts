/** What expressions see of SLSA provenance, the same for v0.2 and v1. What the predicate does not say is empty. */
export interface ProvenanceView {
  /** Id of the builder. */
  readonly builder: string;
  readonly buildType: string;
  /** The repository, without `git+`, `.git` and reference: `https://github.com/acme/shop`. */
  readonly sourceUri: string;
  /** `refs/tags/v1.4.0`, as far as it is said. */
  readonly sourceRef: string;
  /** Commit of the source, as hex. */
  readonly sourceDigest: string;
  readonly invocationId: string;
  /** As text. */
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly materials: readonly ProvenanceMaterial[];
}

export interface ProvenanceMaterial {
  readonly uri: string;
  /** Hex by algorithm. */
  readonly digest: Readonly<Record<string, string>>;
}
