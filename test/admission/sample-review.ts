import type { AdmissionRequest, Operation } from '../../src/admission/admission-review.ts';
import type { JsonObject } from '../../src/oci/strict-json.ts';

const groups: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  ReplicaSet: 'apps',
  StatefulSet: 'apps',
  DaemonSet: 'apps',
  Job: 'batch',
  CronJob: 'batch',
};

/** Where each kind keeps its PodSpec, as the Kubernetes API reference says. */
export const podSpecPaths = {
  Pod: 'spec',
  PodTemplate: 'template.spec',
  ReplicationController: 'spec.template.spec',
  Deployment: 'spec.template.spec',
  ReplicaSet: 'spec.template.spec',
  StatefulSet: 'spec.template.spec',
  DaemonSet: 'spec.template.spec',
  Job: 'spec.template.spec',
  CronJob: 'spec.jobTemplate.spec.template.spec',
} as const;
export type WorkloadKind = keyof typeof podSpecPaths;

/** An object of the kind around a PodSpec. */
export function objectOf(
  kind: WorkloadKind,
  podSpec: JsonObject,
  metadata: JsonObject = { name: 'app' },
): JsonObject {
  const nested = podSpecPaths[kind]
    .split('.')
    .reverse()
    .reduce<JsonObject>((inner, key) => ({ [key]: inner }), podSpec);
  const [outermost] = podSpecPaths[kind].split('.');
  return { metadata, ...(outermost === undefined ? {} : { [outermost]: nested[outermost] }) };
}

export const containers = (...images: string[]): JsonObject => ({
  containers: images.map((image, i) => ({ name: `c${i}`, image })),
});

/** A request to create a Pod of one image, changed as a test needs it. */
export function requestOf(
  kind: string,
  operation: Operation,
  change: Partial<AdmissionRequest> = {},
): AdmissionRequest {
  return {
    uid: 'b7a1c2d4',
    kind: { group: groups[kind] ?? '', version: 'v1', kind },
    operation,
    namespace: 'shop',
    name: 'app',
    dryRun: false,
    username: 'dev',
    ...change,
  };
}
