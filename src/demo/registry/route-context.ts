import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import type { RegistryStore } from './registry-store.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** The discovery mechanisms that a registry offers. Tags always work. */
export interface Mechanisms {
  /** The founding proposal's `GET /v2/<name>/manifests/<reference>/references`. */
  readonly references: boolean;
  /** The referrers API of OCI distribution 1.1. */
  readonly referrers: boolean;
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
  readonly referrersPageSize: number;
  /** Whether the sender may read another repository, for mounts. */
  readonly mayPull: (repository: string) => boolean;
}

export type Route = (context: RouteContext) => Answer | Promise<Answer>;
