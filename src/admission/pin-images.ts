import { formatImageReference, parseImageReference } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { exceptionsInForce, exceptPolicy } from '../policy/exceptions.ts';
import { selectsImage } from '../policy/match.ts';
import type { CompiledException, CompiledPolicy } from '../policy/snapshot.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { pinAnnotations } from './answer.ts';
import type { JsonPatchOperation, ReviewAnswer } from './answer.ts';
import type { DecisionOptions, DecisionPorts } from './decide.ts';
import { mapBounded } from './map-bounded.ts';
import { openAccess } from './open-access.ts';
import type { RegistryAccess } from './ports.ts';
import { RequestTrace } from './request-trace.ts';
import { readNamespaceLabels, scopePolicies } from './scope-policies.ts';
import type { PolicyScope } from './scope-policies.ts';
import { untilAborted } from './until-aborted.ts';
import type { ImageField } from './verdict.ts';
import { readWorkload } from './workload.ts';
import type { Workload, WorkloadImage } from './workload.ts';

/** Holds what the fields of a Pod said before, as JSON by field path. */
const pinnedAnnotation = 'refwarden.dev/pinned-from';

/** Longest value of {@link pinnedAnnotation}, characters: all annotations of an object together may have 256 KiB. */
const maxAnnotationLength = 16 * 1024;
/** Most images of one Pod that are resolved at once. */
const maxImagesAtOnce = 8;

interface Pin {
  readonly from: string;
  readonly to: string;
  readonly fields: readonly ImageField[];
}

/** The answer of a mutating webhook that changes nothing. */
export const unchanged: ReviewAnswer = { allowed: true, message: '', warnings: [], auditAnnotations: {} };

/**
 * Answers the mutating webhook: the images of a Pod that a policy judges, named by the digest that their tags mean now. Never
 * throws and never refuses: what cannot be read or resolved stays as it is, and the validating webhook says what is wrong.
 */
export async function pinImages(
  request: AdmissionRequest,
  ports: DecisionPorts,
  { signal }: DecisionOptions,
): Promise<ReviewAnswer> {
  try {
    const workload = readWorkload(request);
    if (workload.isTemplate) return unchanged;
    const pins = await resolvePins(workload, ports, signal);
    return pins.length === 0 ? unchanged : { ...unchanged, ...describe(request, pins) };
  } catch {
    return unchanged;
  }
}

async function resolvePins(
  workload: Workload,
  ports: DecisionPorts,
  signal: AbortSignal,
): Promise<readonly Pin[]> {
  const snapshot = ports.policies.snapshot();
  if (workload.images.length === 0 || snapshot === undefined) return [];
  const labels = await readNamespaceLabels(snapshot, workload, ports.namespaces, signal);
  const scopeFor = scopePolicies(snapshot, workload, labels);
  const access = openAccess(workload, ports.credentials, signal, new RequestTrace());
  const turn = new Turn(workload.namespace, signal);
  const exceptions = exceptionsInForce(snapshot.exceptions, workload.namespace, ports.clock.nowMs());
  const isWanted = (reference: ImageReference): Promise<boolean> =>
    isToBePinned(reference, scopeFor(reference.registry), exceptions, turn);
  const pins = await mapBounded(workload.images, maxImagesAtOnce, (image) =>
    resolvePin(image, isWanted, ports, access),
  );
  return pins.filter((pin) => pin !== undefined);
}

/** What is only recorded, or excepted whatever its tag means, runs as it would without Refwarden. */
function isToBePinned(
  reference: ImageReference,
  { inScope, undetermined }: PolicyScope,
  exceptions: readonly CompiledException[],
  turn: Turn,
): Promise<boolean> {
  const asks = (policy: CompiledPolicy): boolean =>
    policy.mode !== 'Audit' &&
    selectsImage(policy, reference) &&
    exceptPolicy(policy, exceptions, reference, 'claimed').asksForPinning;
  return turn.some([...inScope, ...undetermined], asks);
}

async function resolvePin(
  { image, fields }: WorkloadImage,
  isWanted: (reference: ImageReference) => Promise<boolean>,
  { artifacts }: DecisionPorts,
  access: () => Promise<RegistryAccess>,
): Promise<Pin | undefined> {
  try {
    const reference = parseImageReference(image);
    if (reference.digest !== undefined || !(await isWanted(reference))) return undefined;
    const opened = await access();
    const { digest } = await untilAborted(artifacts.resolve(reference, opened), opened.signal);
    return { from: image, to: formatImageReference({ ...reference, digest }), fields };
  } catch {
    return undefined;
  }
}

function describe(
  request: AdmissionRequest,
  pins: readonly Pin[],
): Pick<ReviewAnswer, 'patch' | 'auditAnnotations'> {
  const replaced = pins.flatMap(({ to, fields }) =>
    fields.map(({ path }): JsonPatchOperation => ({ op: 'replace', path: jsonPointer(path), value: to })),
  );
  return {
    patch: [...replaced, ...annotate(request, pins)],
    auditAnnotations: pinAnnotations(pins),
  };
}

/** `spec.containers[0].image`, whose parts hold neither `/` nor `~`, as RFC 6901 writes it. */
const jsonPointer = (path: string): string => `/${path.replaceAll('.', '/').replace(/\[(\d+)\]/g, '/$1')}`;

function annotate({ object, subResource }: AdmissionRequest, pins: readonly Pin[]): JsonPatchOperation[] {
  // The API server takes nothing but the containers from this subresource.
  if (subResource === 'ephemeralcontainers') return [];
  const metadata: JsonObject = isJsonObject(object?.['metadata']) ? object['metadata'] : {};
  const annotations = metadata['annotations'];
  const value = JSON.stringify(
    Object.fromEntries(pins.flatMap(({ from, fields }) => fields.map(({ path }) => [path, from]))),
  );
  if (value.length > maxAnnotationLength) return [];
  return isJsonObject(annotations)
    ? [{ op: 'add', path: `/metadata/annotations/${pinnedAnnotation.replace('/', '~1')}`, value }]
    : [{ op: 'add', path: '/metadata/annotations', value: { [pinnedAnnotation]: value } }];
}
