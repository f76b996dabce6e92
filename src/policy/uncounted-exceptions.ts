import type { ImageReference } from '../image/reference.ts';
import { compileException } from './exceptions.ts';
import type { ArtifactPolicyException } from './model/artifact-policy-exception.ts';
import { readinessOf } from './readiness.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Most namespaces that a sentence names. */
const maxNamed = 5;

/** Why exceptions that name the image do not count for it in the namespace, a sentence each. @param nowMs since the epoch. */
export function uncountedExceptions(
  snapshot: PolicySnapshot,
  image: ImageReference,
  namespace: string,
  nowMs: number,
): readonly string[] {
  return [...snapshot.resources].flatMap((resource) => {
    if (resource.kind !== 'ArtifactPolicyException') return [];
    const why = names(resource, image) ? whyUncounted(resource, snapshot, namespace, nowMs) : undefined;
    return why === undefined ? [] : [`ArtifactPolicyException ${resource.metadata.name}: ${why}`];
  });
}

const names = (exception: ArtifactPolicyException, image: ImageReference): boolean =>
  compileException(exception, Infinity).images.some((pattern) => pattern.matches(image));

function whyUncounted(
  exception: ArtifactPolicyException,
  snapshot: PolicySnapshot,
  namespace: string,
  nowMs: number,
): string | undefined {
  const { namespaces } = exception.spec;
  if (!namespaces.includes(namespace)) {
    const more = namespaces.length > maxNamed ? ', ...' : '';
    return `It is for ${namespaces.slice(0, maxNamed).join(', ')}${more}, not for namespace ${namespace}.`;
  }
  const readiness = readinessOf(exception, snapshot, nowMs);
  const counts = readiness === undefined || readiness.isReady || readiness.reason === 'PartlyUnknown';
  return counts ? undefined : readiness.message;
}
