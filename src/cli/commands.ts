import type { ArtifactTree } from '../admission/artifact-tree.ts';
import type { Verdict } from '../admission/verdict.ts';
import type { Workload } from '../admission/workload.ts';
import type { Failure } from '../failures/failure.ts';
import type { ImageReference } from '../image/reference.ts';
import type { NoMatch } from '../policy/snapshot.ts';

/** Exit codes of every command. */
export const exitCodes = { admitted: 0, denied: 1, usage: 2, inconclusive: 3 } as const;

/** How registries are reached; shared by the commands that ask them. */
export interface RegistryOptions {
  /** Path of a registries.yaml. */
  readonly registries?: string;
  /** Hosts that are spoken to without TLS. */
  readonly plainHttp: readonly string[];
  /** Path of a Docker config.json with credentials. */
  readonly dockerConfig?: string;
  /** Path of the kubelet's CredentialProviderConfig. */
  readonly credentialProviders?: string;
  /** Directory of the programs that it names. */
  readonly credentialProviderDir?: string;
  /** Directory that keeps content by digest across restarts. */
  readonly cacheDir?: string;
  /** Of the process: clouds say there which identity it has; absent = empty. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface PolicyOptions {
  readonly trustDir?: string;
  readonly noMatch: NoMatch;
  /** Longest time that an exception counts after it was made, milliseconds. */
  readonly maxExceptionMs?: number;
}

export interface CheckOptions extends RegistryOptions, PolicyOptions {
  /** An OCI image layout, directory or tar: it is read instead of registries. */
  readonly layout?: string;
  readonly policies: string;
  readonly namespace: string;
  readonly output: 'text' | 'json';
  readonly explain: boolean;
  readonly timeoutSeconds: number;
}

export const treeOutputs = ['text', 'json', 'dot', 'mermaid'] as const;

export interface TreeOptions extends RegistryOptions {
  /** An OCI image layout, directory or tar: it is read instead of registries. */
  readonly layout?: string;
  readonly output: (typeof treeOutputs)[number];
  readonly timeoutSeconds: number;
}

export interface ServeOptions extends RegistryOptions, PolicyOptions {
  /** Directory of policies; without it they come from the cluster. */
  readonly policies?: string;
  readonly kubeconfig?: string;
  readonly releaseNamespace: string;
  readonly listen: string;
  readonly operationsListen: string;
  readonly certificate: ServedCertificate;
  /** Settings of the webhooks (YAML): they are registered with the API server, and kept there. */
  readonly webhooks?: string;
  readonly clientCa?: string;
  /** Pull secrets of workloads are read from the cluster. */
  readonly pullSecrets: boolean;
  /** Pods are pinned to the digests that are judged, and admitted only so. */
  readonly pinning: boolean;
  readonly logLevel: string;
}

/** Where the serving certificate comes from. */
export type ServedCertificate =
  | {
      readonly kind: 'Files';
      readonly certFile: string;
      readonly keyFile: string;
      /** PEM file of the authority that signed it, which the API server is told of. */
      readonly caFile?: string;
    }
  /** Made and renewed by Refwarden itself, in a Secret of this name. */
  | { readonly kind: 'Secret'; readonly name: string };

export interface RemoveWebhooksOptions {
  readonly kubeconfig?: string;
  readonly settings?: string;
}

export interface WebhooksOptions {
  /** PEM file of the authority of the serving certificate. */
  readonly ca: string;
  readonly settings?: string;
  readonly releaseNamespace: string;
  readonly pinning: boolean;
}

export interface DemoOptions {
  readonly once: boolean;
  readonly output: 'text' | 'json';
}

/** Decides by the policies of a directory; the engine behind `check`. */
export interface Checker {
  decide(workload: Workload, signal: AbortSignal): Promise<Verdict>;
  /** Why exceptions that name the image do not count for it in the namespace, a sentence each. */
  uncountedExceptions(image: ImageReference, namespace: string): readonly string[];
  close(): Promise<void>;
}

/** Looks at what a registry holds around an image; the engine behind `tree`. */
export interface Explorer {
  /**
   * @param onProgress called with the count of what was found so far.
   * @throws RefwardenError when the image itself cannot be resolved or read.
   */
  explore(
    image: ImageReference,
    signal: AbortSignal,
    onProgress: (found: number) => void,
  ): Promise<ArtifactTree>;
  close(): Promise<void>;
}

/** What was asked of the demo's webhook, over the wire, and what came back. */
export interface DemoAnswer {
  readonly image: string;
  readonly what: string;
  readonly expected: Verdict['outcome'];
  readonly answer: Verdict['outcome'];
  /** Absent when admitted. */
  readonly code?: string;
  readonly expectedCode?: string;
  readonly message: string;
  /** Registry requests, counted at the wire. */
  readonly requests: number;
}

/** A running demo; `close` ends registries and webhook. */
export interface Demo {
  readonly answers: readonly DemoAnswer[];
  /** Commands that a reader may try while it runs. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

export interface DemoRegistryOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  /** Comma-separated names, as in the settings of registries. */
  readonly mechanisms: string;
  /** `DIRECTORY=REPOSITORY` each: OCI image layouts to start with. */
  readonly layouts: readonly string[];
}

/** The embedded registry, running alone. */
export interface DemoRegistry {
  /** `host:port`, as image references name it. */
  readonly host: string;
  /** What can be discovered there, and by what. */
  readonly mechanisms: readonly string[];
  /** Commands that a reader may try while it runs. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

/** What the command line needs from the rest of the house; `compose/` provides it. */
export interface Engine {
  /** @param signal ends the wait for trust material that has to be fetched first. */
  openChecker(options: CheckOptions, signal: AbortSignal): Promise<Checker>;
  openExplorer(options: TreeOptions): Promise<Explorer>;
  /** Serves until the signal ends it. */
  serve(options: ServeOptions, signal: AbortSignal): Promise<void>;
  /** The webhook configurations of the API server, as YAML. */
  webhooks(options: WebhooksOptions): Promise<string>;
  /** Takes the webhooks away from the API server. @returns what was done, a sentence. */
  removeWebhooks(options: RemoveWebhooksOptions, signal: AbortSignal): Promise<string>;
  startDemo(): Promise<Demo>;
  startDemoRegistry(options: DemoRegistryOptions): Promise<DemoRegistry>;
  /** The built-in trusted root of the public Sigstore instance, as JSON text. */
  publicGoodRoot(): string | Failure;
}

/** Where a command writes, and what the terminal can show. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly errIsTerminal: boolean;
  readonly color: boolean;
}
