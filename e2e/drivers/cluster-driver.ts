import type { CommandResult } from '../processes/run-command.ts';

/** A way to get a Kubernetes API server to test against. */
export interface ClusterDriver {
  readonly name: string;
  /** `false` where `restartApiServer` only rejects: skip the cases that need it. */
  readonly canRestartApiServer: boolean;
  readonly start: () => Promise<Cluster>;
}

export interface Cluster {
  readonly kubeconfigPath: string;
  /** The host under which the API server reaches a webhook that listens on this machine. */
  readonly webhookHost: string;
  /** Runs kubectl as cluster administrator. An exit code other than 0 is a result, not an error. */
  readonly kubectl: (args: readonly string[], stdin?: string) => Promise<CommandResult>;
  /** Kills the API server, starts it again with the same data and waits until it is ready. */
  readonly restartApiServer: () => Promise<void>;
  readonly stop: () => Promise<void>;
}
