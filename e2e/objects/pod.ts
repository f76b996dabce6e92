/** A container named `app`. */
export function podSpec(image: string, more: object = {}): object {
  return { containers: [{ name: 'app', image }], ...more };
}

/** A Pod with a generated name, unless one is given. */
export function pod(namespace: string, spec: object, name?: string): object {
  const named = name === undefined ? { generateName: 'app-' } : { name };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, ...named }, spec };
}

/** Kinds with a pod template. */
export type TemplateKind =
  | 'Deployment'
  | 'ReplicaSet'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'Job'
  | 'CronJob'
  | 'ReplicationController'
  | 'PodTemplate';

/** An object of the kind whose template has this Pod's spec. */
export function templated(kind: TemplateKind, namespace: string, name: string, spec: object): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec };
  const job = { template: { spec: { restartPolicy: 'Never', ...spec } } };
  const object = { kind, metadata: { namespace, name } };
  switch (kind) {
    case 'Deployment':
    case 'ReplicaSet':
    case 'DaemonSet':
      return { apiVersion: 'apps/v1', ...object, spec: { selector: { matchLabels: labels }, template } };
    case 'StatefulSet':
      return {
        apiVersion: 'apps/v1',
        ...object,
        spec: { serviceName: name, selector: { matchLabels: labels }, template },
      };
    case 'Job':
      return { apiVersion: 'batch/v1', ...object, spec: job };
    case 'CronJob':
      return {
        apiVersion: 'batch/v1',
        ...object,
        spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: job } },
      };
    case 'ReplicationController':
      return { apiVersion: 'v1', ...object, spec: { replicas: 1, selector: labels, template } };
    case 'PodTemplate':
      return { apiVersion: 'v1', ...object, template };
  }
}
