import { toFailure } from '../failures/failure.ts';
import { secondText } from '../failures/time-text.ts';
import type { JsonObject } from '../oci/strict-json.ts';
import { compileException, dayMs, defaultMaxExceptionMs } from '../policy/exceptions.ts';
import type { ArtifactPolicyException } from '../policy/model/artifact-policy-exception.ts';
import { unknownNames } from '../policy/readiness.ts';
import { mapBounded } from './map-bounded.ts';
import type { NamespaceSource } from './ports.ts';
import type { ResourceFindings } from './resource-findings.ts';
import type { ResourceReviewPorts } from './review-resource.ts';
import { untilAborted } from './until-aborted.ts';

/** What is to be said of an exception that is applied. @param old as it stood; undefined for a new one. */
export async function reviewException(
  resource: ArtifactPolicyException,
  old: JsonObject | undefined,
  ports: ResourceReviewPorts,
  signal: AbortSignal,
): Promise<ResourceFindings> {
  const { refusal, warnings } = lookAtException(resource, old, ports);
  if (refusal !== undefined) return { refusal, warnings };
  const unknown = await unknownNamespaces(resource.spec.namespaces, ports.namespaces, signal);
  return { warnings: [...warnings, ...unknown.map((sentence) => `spec.namespaces: ${sentence}`)] };
}

function lookAtException(
  resource: ArtifactPolicyException,
  old: JsonObject | undefined,
  { snapshot, clock, maxExceptionMs = defaultMaxExceptionMs }: ResourceReviewPorts,
): ResourceFindings {
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
