import { randomUUID } from 'node:crypto';

/** An AdmissionReview of `admission.k8s.io/v1`, as the API server sends it when somebody creates a Pod. */
export interface PodReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly request: {
    readonly uid: string;
    readonly [field: string]: unknown;
  };
}

/** The review of `kubectl run app --image=<image>` in the namespace `default`. */
export function buildReview(image: string): PodReview {
  const pods = { group: '', version: 'v1', resource: 'pods' };
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind,
      resource: pods,
      requestKind: kind,
      requestResource: pods,
      name: 'app',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'kubernetes-admin', groups: ['system:authenticated'] },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app', namespace: 'default', labels: { run: 'app' } },
        spec: { containers: [{ name: 'app', image }] },
      },
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    },
  };
}
