import { RefwardenError } from '../failures/failure.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { Json, JsonObject } from '../oci/strict-json.ts';
import type { ImageField, WorkloadIdentity } from './verdict.ts';

/** Most image fields read from one workload; a larger one is refused whole. */
export const maxWorkloadImages = 512;
/** Most that are compared with those of before. */
const maxReadImages = 16_384;

export interface WorkloadImage {
  /** As written. */
  readonly image: string;
  readonly fields: readonly ImageField[];
}

/** What is judged: a workload reduced to its images. */
export interface Workload extends WorkloadIdentity {
  /** A pod template rather than a Pod. */
  readonly isTemplate: boolean;
  readonly dryRun: boolean;
  /** Distinct by text. */
  readonly images: readonly WorkloadImage[];
  /** Whose credentials its images are pulled with; undefined for one that does not come from a cluster. */
  readonly pull?: PullSecretNames;
}

export interface PullSecretNames {
  /** Names in the namespace of the workload. */
  readonly secrets: readonly string[];
  readonly serviceAccount: string;
}

/** A kind that holds a PodSpec. */
interface WorkloadKind {
  /** Empty for the core group. */
  readonly group: string;
  /** As URLs and webhook rules name it. */
  readonly resource: string;
  /** Where its PodSpec is. */
  readonly path: readonly string[];
}

/** Kubernetes API reference. */
export const workloadKinds: Readonly<Record<string, WorkloadKind>> = {
  Pod: { group: '', resource: 'pods', path: ['spec'] },
  PodTemplate: { group: '', resource: 'podtemplates', path: ['template', 'spec'] },
  ReplicationController: {
    group: '',
    resource: 'replicationcontrollers',
    path: ['spec', 'template', 'spec'],
  },
  Deployment: { group: 'apps', resource: 'deployments', path: ['spec', 'template', 'spec'] },
  ReplicaSet: { group: 'apps', resource: 'replicasets', path: ['spec', 'template', 'spec'] },
  StatefulSet: { group: 'apps', resource: 'statefulsets', path: ['spec', 'template', 'spec'] },
  DaemonSet: { group: 'apps', resource: 'daemonsets', path: ['spec', 'template', 'spec'] },
  Job: { group: 'batch', resource: 'jobs', path: ['spec', 'template', 'spec'] },
  CronJob: {
    group: 'batch',
    resource: 'cronjobs',
    path: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  },
};

/** Subresources of these kinds that cannot change an image. */
const imagelessSubresources: ReadonlySet<string> = new Set(['status', 'scale']);

/**
 * Reads the images that a review brings in. None are left when nothing new can run: a deletion, an object
 * that is being deleted, an update that keeps its images (controllers patch finished pods and scale old
 * ReplicaSets by plain UPDATE).
 * @throws RefwardenError `WorkloadUnsupported` for a kind it does not know, `WorkloadInvalid` for one misshapen.
 */
export function readWorkload(request: AdmissionRequest): Workload {
  const { kind, operation, object, oldObject } = request;
  const source = Object.hasOwn(workloadKinds, kind.kind) ? workloadKinds[kind.kind] : undefined;
  const isScale = kind.group === 'autoscaling' && kind.kind === 'Scale';
  if (!isScale && source?.group !== kind.group) {
    throw new RefwardenError(
      'WorkloadUnsupported',
      `${kind.group === '' ? 'core' : kind.group}/${kind.version} ${kind.kind} is no kind whose images are read; known are ${Object.keys(workloadKinds).join(', ')}.`,
    );
  }
  const identity = { kind: kind.kind, namespace: request.namespace, name: workloadName(request) };
  const workload = { ...identity, isTemplate: kind.kind !== 'Pod', dryRun: request.dryRun };
  const nothingNew = { ...workload, images: [] };
  if (operation === 'DELETE') return nothingNew;
  if (operation === 'CONNECT') {
    throw new RefwardenError(
      'WorkloadUnsupported',
      `Operation CONNECT on ${kind.kind} brings no workload to judge.`,
    );
  }
  if (isScale || imagelessSubresources.has(request.subResource ?? '')) return nothingNew;
  if (source === undefined || object === undefined) {
    throw new RefwardenError(
      'WorkloadInvalid',
      `request.object of a ${operation} of ${kind.kind} is missing.`,
    );
  }
  // Read from what is stored: the new object may claim anything.
  if (operation === 'UPDATE' && oldObject !== undefined && isBeingDeleted(oldObject)) return nothingNew;
  const before = operation === 'UPDATE' && oldObject !== undefined ? readImages(oldObject, source.path) : [];
  const images = newImages(readImages(object, source.path), before);
  // What is stored may hold more, and can be scaled and made smaller all the same.
  if (images.reduce((sum, { fields }) => sum + fields.length, 0) > maxWorkloadImages) {
    throw new RefwardenError(
      'WorkloadInvalid',
      `The workload has more than ${maxWorkloadImages} image fields that are new.`,
    );
  }
  return {
    ...workload,
    images,
    pull: readPullSecrets(podSpec(object, source.path, source.path.join('.')) ?? {}),
  };
}

/**
 * What an update does not keep. No controller adds ephemeral containers: one that is new is judged, though another container has its
 * image, for a tag may mean something else by now.
 */
function newImages(images: readonly WorkloadImage[], before: readonly WorkloadImage[]): WorkloadImage[] {
  const known = new Map(before.map(({ image, fields }) => [image, namesOfEphemeral(fields)]));
  return images.flatMap(({ image, fields }) => {
    const kept = known.get(image);
    const added =
      kept === undefined
        ? fields
        : fields.filter(({ role, name }) => role === 'ephemeralContainer' && !kept.has(name));
    return added.length === 0 ? [] : [{ image, fields: added }];
  });
}

const namesOfEphemeral = (fields: readonly ImageField[]): ReadonlySet<string> =>
  new Set(fields.flatMap(({ role, name }) => (role === 'ephemeralContainer' ? [name] : [])));

/** Read as the kubelet reads them: what is not a name is none. */
function readPullSecrets({
  imagePullSecrets,
  serviceAccountName,
  serviceAccount,
}: JsonObject): PullSecretNames {
  const account = [serviceAccountName, serviceAccount].find(
    (name) => typeof name === 'string' && name !== '',
  );
  return {
    secrets: namesOf(imagePullSecrets),
    serviceAccount: typeof account === 'string' ? account : 'default',
  };
}

/** Names in a list of references to objects of one namespace, each once. */
export function namesOf(references: Json | undefined): readonly string[] {
  const names = (Array.isArray(references) ? references : []).map((entry) =>
    isJsonObject(entry) ? nameOf(entry) : '',
  );
  return [...new Set(names.filter((name) => name !== ''))];
}

/** Generated names are not known at admission. */
function workloadName({ name, object }: AdmissionRequest): string {
  if (name !== '') return name;
  const metadata = isJsonObject(object?.['metadata']) ? object['metadata'] : {};
  if (typeof metadata['name'] === 'string' && metadata['name'] !== '') return metadata['name'];
  return typeof metadata['generateName'] === 'string' ? `${metadata['generateName']}*` : '';
}

function isBeingDeleted(object: JsonObject): boolean {
  const metadata = object['metadata'];
  return (
    isJsonObject(metadata) &&
    typeof metadata['deletionTimestamp'] === 'string' &&
    metadata['deletionTimestamp'] !== ''
  );
}

const containerLists = [
  { field: 'initContainers', role: 'initContainer' },
  { field: 'containers', role: 'container' },
  { field: 'ephemeralContainers', role: 'ephemeralContainer' },
] as const;

function readImages(object: JsonObject, path: readonly string[]): WorkloadImage[] {
  const where = path.join('.');
  const spec = podSpec(object, path, where);
  if (spec === undefined) return [];
  const found = new Map<string, ImageField[]>();
  let count = 0;
  const add = (image: Json | undefined, field: ImageField): void => {
    // Kubernetes lets a template leave the image to a later mutation; an empty one never runs.
    if (image === undefined || image === null || image === '') return;
    if (typeof image !== 'string') throw new RefwardenError('WorkloadInvalid', `${field.path} is not text.`);
    if (++count > maxReadImages) {
      throw new RefwardenError(
        'WorkloadInvalid',
        `The workload has more than ${maxReadImages} image fields.`,
      );
    }
    const fields = found.get(image);
    if (fields === undefined) found.set(image, [field]);
    else fields.push(field);
  };
  for (const { field, role } of containerLists) {
    for (const [i, container] of objects(spec[field], `${where}.${field}`).entries()) {
      add(container['image'], { path: `${where}.${field}[${i}].image`, name: nameOf(container), role });
    }
  }
  for (const [i, volume] of objects(spec['volumes'], `${where}.volumes`).entries()) {
    const image = volume['image'];
    if (image === undefined || image === null) continue;
    if (!isJsonObject(image))
      throw new RefwardenError('WorkloadInvalid', `${where}.volumes[${i}].image is not an object.`);
    add(image['reference'], {
      path: `${where}.volumes[${i}].image.reference`,
      name: nameOf(volume),
      role: 'imageVolume',
    });
  }
  return [...found].map(([image, fields]) => ({ image, fields }));
}

function podSpec(object: JsonObject, path: readonly string[], where: string): JsonObject | undefined {
  let node: Json | undefined = object;
  for (const [i, key] of path.entries()) {
    node = node[key];
    // A ReplicationController or PodTemplate may have no template; then nothing can run from it.
    if ((node === undefined || node === null) && key === 'template') return undefined;
    if (!isJsonObject(node)) {
      throw new RefwardenError(
        'WorkloadInvalid',
        `${path.slice(0, i + 1).join('.')} is not an object (images are read from ${where}).`,
      );
    }
  }
  return node;
}

function objects(list: Json | undefined, where: string): JsonObject[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new RefwardenError('WorkloadInvalid', `${where} is not a list.`);
  return list.map((entry, i) => {
    if (!isJsonObject(entry)) throw new RefwardenError('WorkloadInvalid', `${where}[${i}] is not an object.`);
    return entry;
  });
}

const nameOf = (holder: JsonObject): string => (typeof holder['name'] === 'string' ? holder['name'] : '');
