import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import type { RegistryStore } from './registry-store.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** What registries served of the ORAS artifacts-spec: the path of draft.1, and that of rc.1 and rc.2. */
export type OrasApi = 'draft' | 'rc';

/** The discovery mechanisms that a registry offers. Tags always work. */
export interface Mechanisms {
  /** The founding proposal's `GET /v2/<name>/manifests/<reference>/references`. */
  readonly references: boolean;
  /** The referrers API of OCI distribution 1.1. */
  readonly referrers: boolean;
  /** Paths of the ORAS artifacts-spec; absent for none. */
  readonly oras?: readonly OrasApi[];
}

/** What every route works with: one request on one repository. */
export interface RouteContext {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly repository: string;
  /** The last variable part of the path: tag, digest or upload id. Empty where the route has none. */
  readonly reference: string;
  readonly store: RegistryStore;
  readonly uploads: UploadSessions;
  readonly mechanisms: Mechanisms;
  /** Descriptors in one page of the referrers and ORAS APIs. */
  readonly referrersPageSize: number;
  /** Manifests up to this many bytes stand in listings as `data`; 0 for none. */
  readonly inlineDataBytes: number;
  /** Whether the sender may read another repository, for mounts. */
  readonly mayPull: (repository: string) => boolean;
}

export type Route = (context: RouteContext) => Answer | Promise<Answer>;
