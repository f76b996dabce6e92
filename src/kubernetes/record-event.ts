import { RefwardenError } from '../failures/failure.ts';
import type { ApiClient } from './api-client.ts';

const timeoutMs = 5000;
const maxAnswerBytes = 64 * 1024;

/** About an object of the whole cluster. */
export interface ClusterEvent {
  readonly kind: string;
  readonly name: string;
  /** UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
}

/**
 * A warning that `kubectl describe` of the object shows. Events about objects of the whole cluster are kept in
 * namespace `default`.
 * @throws RefwardenError `ClusterUnavailable`
 */
export async function recordEvent(
  api: ApiClient,
  { kind, name, reason, message }: ClusterEvent,
  signal: AbortSignal,
): Promise<void> {
  const now = new Date().toISOString();
  const object = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace: 'default' },
    involvedObject: { apiVersion: 'admissionregistration.k8s.io/v1', kind, name },
    ...{ reason, message, type: 'Warning' },
    source: { component: 'refwarden' },
    ...{ firstTimestamp: now, lastTimestamp: now, count: 1 },
  };
  const bounds = { maxBytes: maxAnswerBytes, timeoutMs, signal };
  const { status, content } = await api.write(
    '/api/v1/namespaces/default/events',
    { method: 'POST', object },
    bounds,
  );
  if (content === undefined) {
    throw new RefwardenError(
      'ClusterUnavailable',
      `The API server answered ${status} to an event: allow the verb create on resources ["events"] of apiGroups [""] in a Role of namespace default.`,
    );
  }
}
