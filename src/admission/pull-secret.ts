/** A Secret with a Docker configuration. */
export interface PullSecret {
  /** `secret NAME in namespace NAMESPACE`. */
  readonly name: string;
  readonly form: 'config.json' | 'dockercfg';
  readonly bytes: Uint8Array;
}

/** What came of looking for the pull secrets of a workload. */
export interface FoundSecrets {
  readonly secrets: readonly PullSecret[];
  /** What was not found or could not be read, each the end of a sentence: `secret a in namespace b does not exist`. */
  readonly missing: readonly string[];
}
