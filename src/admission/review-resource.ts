import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { secondText } from '../failures/time-text.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import { isJsonObject } from '../oci/strict-json.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { compileIssuer } from '../policy/compile-issuer.ts';
import { compilePolicy } from '../policy/compile.ts';
import type { CompileSupport } from '../policy/compile.ts';
import { ExpressionChecks } from '../policy/expression-checks.ts';
import { compileException, dayMs, defaultMaxExceptionMs } from '../policy/exceptions.ts';
import type { ArtifactPolicyException } from '../policy/model/artifact-policy-exception.ts';
import { groupVersion } from '../policy/model/metadata.ts';
import { isPolicy, parseResource } from '../policy/model/resource.ts';
import type { Resource } from '../policy/model/resource.ts';
import type { TrustedIssuer } from '../policy/model/trusted-issuer.ts';
import { notReadyOf } from '../policy/not-ready.ts';
import { newlyBeyond } from '../policy/policy-bounds.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import { unknownNames } from '../policy/readiness.ts';
import { findAlike } from '../policy/issuers-alike.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { refusedResource } from './answer.ts';
import type { ReviewAnswer } from './answer.ts';
import { mapBounded } from './map-bounded.ts';
import { unchanged } from './pin-images.ts';
import type { Clock, NamespaceSource } from './ports.ts';
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

/** What is wrong for good, and what may become right: an issuer that is applied later, a ConfigMap that is not there yet. */
interface Findings {
  readonly refusal?: Failure;
  readonly warnings: readonly string[];
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
): Promise<Findings> {
  const snapshot = ports.snapshot();
  if (isPolicy(resource)) {
    const known = ports.resources().filter(isPolicy);
    const beyond = newlyBeyond(known, resource);
    if (beyond !== undefined) return { refusal: beyond, warnings: [] };
    const support = ports.support();
    const checks = new ExpressionChecks(support.checkExpression);
    await checks.prepare([resource], turn);
    const issuers = snapshot?.issuers ?? new Map<string, never>();
    const policy = compilePolicy(resource, issuers, { ...support, checkExpression: checks.of });
    return sort(notReadyOf(policy).map(({ requirement, failure }) => ({ ...failure, where: requirement })));
  }
  if (resource.kind === 'TrustedIssuer')
    return lookAtIssuer(resource, snapshot, withoutMirrors(ports.support()), signal);
  const { refusal, warnings } = lookAtException(resource, old, ports);
  if (refusal !== undefined) return { refusal, warnings };
  const unknown = await unknownNamespaces(resource.spec.namespaces, ports.namespaces, signal);
  return { warnings: [...warnings, ...unknown.map((sentence) => `spec.namespaces: ${sentence}`)] };
}

/** Most that are asked for at once: reviews of workloads ask, too. */
const maxNamespacesAtOnce = 4;

/** A sentence of each that may be misspelt. */
async function unknownNamespaces(
  names: readonly string[],
  namespaces: NamespaceSource,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const unknown = await mapBounded(names, maxNamespacesAtOnce, async (name) => {
    try {
      await untilAborted(namespaces.labels(name, signal), signal);
      return [];
    } catch (error) {
      const { code, message } = toFailure(error);
      return code === 'NamespaceUnknown' ? [message] : [];
    }
  });
  return unknown.flat();
}

/** Asking a mirror begins to read it: that waits until the issuer is applied, for a review has no effects and anybody may send one. */
const withoutMirrors = (support: CompileSupport): CompileSupport => ({
  ...support,
  material: (reference) =>
    reference.kind === 'tuf'
      ? failure('TrustMaterialMissing', 'Its TUF mirror is read once it is applied.')
      : support.material(reference),
});

/** What somebody else may mend by applying something else. */
const mayCome = new Set(['PolicyNotReady', 'TrustMaterialMissing', 'TrustMaterialInvalid']);

function sort(problems: readonly (Failure & { readonly where: string })[]): Findings {
  const refusal = problems.find(({ code }) => !mayCome.has(code));
  if (refusal === undefined) {
    return { warnings: problems.map(({ code, message, where }) => `${code}: ${where}: ${message}`) };
  }
  const { code, message, where } = refusal;
  return { refusal: { code, message: `${where}: ${message}` }, warnings: [] };
}

/** Issuers are compared with those in force for so long at most, milliseconds: a warning may come of it, no refusal. */
const maxComparingMs = 1000;

async function lookAtIssuer(
  resource: TrustedIssuer,
  snapshot: PolicySnapshot | undefined,
  support: CompileSupport,
  signal: AbortSignal,
): Promise<Findings> {
  const issuer = compileIssuer(resource, support);
  if ('code' in issuer) {
    const { code, message } = issuer;
    return mayCome.has(code) ? { warnings: [`${code}: ${message}`] } : { refusal: issuer, warnings: [] };
  }
  const others = [...(snapshot?.issuers.values() ?? [])].filter(
    (other): other is ResolvedIssuer => !('code' in other) && other.name !== issuer.name,
  );
  const ending = AbortSignal.any([signal, AbortSignal.timeout(maxComparingMs)]);
  try {
    const alike = await new Turn('', ending).complete(findAlike(issuer, others));
    if (alike === undefined) return { warnings: [] };
    return {
      warnings: [
        `TrustedIssuer ${alike.name} trusts some of the same: a signature counts once for minimumIssuers, whichever of the two is named.`,
      ],
    };
  } catch (error) {
    if (!ending.aborted) throw error;
    return {
      warnings: ['Whether another TrustedIssuer trusts some of the same could not be told in time.'],
    };
  }
}

function lookAtException(
  resource: ArtifactPolicyException,
  old: JsonObject | undefined,
  { snapshot, clock, maxExceptionMs = defaultMaxExceptionMs }: ResourceReviewPorts,
): Findings {
  const { metadata, spec } = resource;
  const nowMs = clock.nowMs();
  const expiresAtMs = Date.parse(spec.expiresAt);
  const isNew =
    old === undefined || (old['spec'] as JsonObject | undefined)?.['expiresAt'] !== spec.expiresAt;
  const madeAtMs = Date.parse(metadata.creationTimestamp ?? '');
  const lastMs = (Number.isNaN(madeAtMs) ? nowMs : madeAtMs) + maxExceptionMs;
  if (isNew && expiresAtMs > lastMs) {
    const days = maxExceptionMs / dayMs;
    const message = `spec.expiresAt ${spec.expiresAt} is more than ${days} days after the exception was made: ${secondText(lastMs)} is the latest.`;
    const remedy = old === undefined ? '' : ' To except longer, make another one.';
    return { refusal: { code: 'PolicyInvalid', message: `${message}${remedy}` }, warnings: [] };
  }
  // Harmless, and a repository of manifests holds such ones for years.
  const ended =
    expiresAtMs <= nowMs ? [`It excepts nothing: spec.expiresAt ${spec.expiresAt} has passed.`] : [];
  const byTag = compileException(resource, maxExceptionMs)
    .images.filter(({ byDigest }) => !byDigest)
    .map(({ text }) => `${text} names no digest: whatever the tag means next is excepted, too.`);
  const current = snapshot();
  const unknown = current === undefined ? [] : unknownNames(spec.policies, current);
  return { warnings: [...ended, ...unknown.map((sentence) => `${sentence}.`), ...byTag] };
}
