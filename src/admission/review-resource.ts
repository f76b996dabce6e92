import { setTimeout as sleep } from 'node:timers/promises';
import { toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { CompileSupport } from '../policy/compile.ts';
import type { KnownIssuers } from '../policy/compile-requirement.ts';
import { ExpressionChecks } from '../policy/expression-checks.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy } from '../policy/model/artifact-policy.ts';
import { groupVersion } from '../policy/model/metadata.ts';
import { isPolicy, parseResource } from '../policy/model/resource.ts';
import type { Resource } from '../policy/model/resource.ts';
import { issuersNamedBy } from '../policy/named-issuers.ts';
import { notReadyOf } from '../policy/not-ready.ts';
import { newlyBeyond } from '../policy/policy-bounds.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { refusedResource } from './answer.ts';
import type { ReviewAnswer } from './answer.ts';
import { unchanged } from './pin-images.ts';
import type { Clock, NamespaceSource } from './ports.ts';
import { mayCome } from './resource-findings.ts';
import type { ResourceFindings } from './resource-findings.ts';
import { reviewException } from './review-exception.ts';
import { reviewIssuer, warnOfDeletion } from './review-issuer.ts';
import { untilAborted } from './until-aborted.ts';

export interface ResourceReviewPorts {
  /** What is in force; undefined before everything was read. */
  readonly snapshot: () => PolicySnapshot | undefined;
  readonly support: () => CompileSupport;
  /** Every one of the cluster, as it was last read. */
  readonly resources: () => readonly Resource[];
  /** Longest time that an exception counts after it was made, milliseconds. */
  readonly maxExceptionMs?: number | undefined;
  readonly clock: Clock;
  readonly namespaces: NamespaceSource;
}

/**
 * Refuses issuers, policies and exceptions that their schema lets pass and that can never do what they say, and warns of
 * what they wait for. Never throws.
 */
export async function reviewResource(
  request: AdmissionRequest,
  ports: ResourceReviewPorts,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReviewAnswer> {
  const { object, oldObject, operation, kind } = request;
  if (operation === 'DELETE' && kind.kind === 'TrustedIssuer') {
    return { ...unchanged, warnings: warnOfDeletion(nameOfDeleted(request), ports.resources()) };
  }
  if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return unchanged;
  // What does not change what it says may be labelled, finalized and deleted, whatever it says.
  if (oldObject !== undefined && (isBeingDeleted(oldObject) || saysTheSame(object, oldObject)))
    return unchanged;
  try {
    const where = request.namespace === '' ? 'cluster' : `namespace ${request.namespace}`;
    const metadata = { ...(object['metadata'] as JsonObject), ...named(request) };
    const resource = parseResource({ ...object, apiVersion: groupVersion, kind: kind.kind, metadata }, where);
    const turn = new Turn(request.namespace, signal);
    const { refusal, warnings } = await look(resource, oldObject, ports, turn, signal);
    return refusal === undefined ? { ...unchanged, warnings } : refusedResource(refusal);
  } catch (error) {
    return refusedResource(toFailure(error));
  }
}

/** Of a collection that is deleted each object is reviewed, without its name in the request. */
function nameOfDeleted({ name, oldObject }: AdmissionRequest): string {
  const metadata = oldObject?.['metadata'];
  const stored = isJsonObject(metadata) ? metadata['name'] : undefined;
  return typeof stored === 'string' ? stored : name;
}

/** A generated name is not known yet. */
const named = ({ name, namespace }: AdmissionRequest): JsonObject => ({
  name: name === '' ? 'generated' : name,
  ...(namespace === '' ? {} : { namespace }),
});

const isBeingDeleted = ({ metadata }: JsonObject): boolean =>
  isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string';
const saysTheSame = (object: JsonObject, old: JsonObject): boolean =>
  JSON.stringify(object['spec']) === JSON.stringify(old['spec']);

async function look(
  resource: Resource,
  old: JsonObject | undefined,
  ports: ResourceReviewPorts,
  turn: Turn,
  signal: AbortSignal,
): Promise<ResourceFindings> {
  if (isPolicy(resource)) {
    const known = ports.resources().filter(isPolicy);
    const beyond = newlyBeyond(known, resource);
    if (beyond !== undefined) return { refusal: beyond, warnings: [] };
    const support = ports.support();
    const checks = new ExpressionChecks(support.checkExpression);
    await checks.prepare([resource], turn);
    const issuers = await issuersOf(resource, ports, signal);
    const policy = compilePolicy(resource, issuers, { ...support, checkExpression: checks.of });
    return sort(notReadyOf(policy).map(({ requirement, failure }) => ({ ...failure, where: requirement })));
  }
  if (resource.kind === 'TrustedIssuer')
    return reviewIssuer(resource, ports.snapshot(), ports.support(), signal);
  return reviewException(resource, old, ports, signal);
}

/** What is applied together with a policy is seen a little later, milliseconds. */
const maxUnseenMs = 500;
const lookAgainMs = 50;

/** Waits a moment for issuers that the policy names and that were applied just before it. */
async function issuersOf(
  policy: ClusterArtifactPolicy | ArtifactPolicy,
  { snapshot }: ResourceReviewPorts,
  signal: AbortSignal,
): Promise<KnownIssuers> {
  const named = [...issuersNamedBy(policy)];
  const endMs = performance.now() + maxUnseenMs;
  for (;;) {
    const issuers = snapshot()?.issuers;
    if (issuers === undefined) return new Map();
    if (named.every((name) => issuers.has(name)) || performance.now() >= endMs) return issuers;
    await untilAborted(sleep(lookAgainMs), signal);
  }
}

function sort(problems: readonly (Failure & { readonly where: string })[]): ResourceFindings {
  const refusal = problems.find(({ code }) => !mayCome.has(code));
  if (refusal === undefined) {
    return { warnings: problems.map(({ code, message, where }) => `${code}: ${where}: ${message}`) };
  }
  const { code, message, where } = refusal;
  return { refusal: { code, message: `${where}: ${message}` }, warnings: [] };
}
