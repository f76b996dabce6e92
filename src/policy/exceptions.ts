import { compileImagePattern } from '../image/pattern.ts';
import type { ImageReference } from '../image/reference.ts';
import { decidedImage } from './match.ts';
import type { TagBesideDigest } from './match.ts';
import { allRequirements } from './model/artifact-policy-exception.ts';
import type { ArtifactPolicyException } from './model/artifact-policy-exception.ts';
import type { CompiledException, CompiledPolicy, CompiledRequirement, ExceptionIndex } from './snapshot.ts';

export const dayMs = 86_400_000;
/** Longest time that an exception may be given, days. */
export const maxExceptionDays = 3650;
/** Longest time that an exception counts after it was made, where the installation says nothing else, milliseconds. */
export const defaultMaxExceptionMs = 90 * dayMs;

/** @param maxMs longest time after its creation, milliseconds; one that says no creation, as in a file, ends when it says. */
export function compileException(
  { metadata, spec }: ArtifactPolicyException,
  maxMs: number,
): CompiledException {
  const madeAtMs = Date.parse(metadata.creationTimestamp ?? '');
  const longestMs = Number.isNaN(madeAtMs) ? Infinity : madeAtMs + maxMs;
  return {
    name: metadata.name,
    images: spec.images.map(compileImagePattern),
    namespaces: spec.namespaces,
    policies: new Map(
      spec.policies.map(({ name, requirements }) => [
        name,
        requirements.includes(allRequirements) ? 'All' : new Set(requirements),
      ]),
    ),
    reason: spec.reason,
    endsAtMs: Math.min(Date.parse(spec.expiresAt), longestMs),
  };
}

export function indexExceptions(exceptions: readonly CompiledException[]): ExceptionIndex {
  const byNamespace = new Map<string, CompiledException[]>();
  for (const exception of exceptions) {
    for (const namespace of exception.namespaces) {
      const known = byNamespace.get(namespace);
      if (known === undefined) byNamespace.set(namespace, [exception]);
      else known.push(exception);
    }
  }
  return byNamespace;
}

export const exceptionsInForce = (
  index: ExceptionIndex,
  namespace: string,
  nowMs: number,
): readonly CompiledException[] => (index.get(namespace) ?? []).filter(({ endsAtMs }) => nowMs < endsAtMs);

/** One exception that covers image, namespace, policy and requirement: what several say is never put together. */
export interface Exemption {
  readonly requirement: string;
  readonly exception: CompiledException;
  /** It names the digest; otherwise whatever the tag means next is excepted, too. */
  readonly byDigest: boolean;
}

/** An exception that names the image, by its digest or not. */
type Applying = Pick<Exemption, 'exception' | 'byDigest'>;

/** What exceptions leave of a policy for one image. */
export interface ExceptedPolicy {
  /** Undefined when every requirement is excepted. */
  readonly rest: CompiledPolicy | undefined;
  readonly exemptions: readonly Exemption[];
  /**
   * Not where all is excepted whatever the tag means: a registry that is down may be why. Whether further exceptions name
   * the digest makes no difference, as whoever pins has not asked for it.
   */
  readonly asksForPinning: boolean;
}

/** @param tag what a tag beside a digest is worth: a claimed one excepts nothing. */
export function exceptPolicy(
  policy: CompiledPolicy,
  exceptions: readonly CompiledException[],
  image: ImageReference,
  tag: TagBesideDigest,
): ExceptedPolicy {
  const decided = decidedImage(image, tag);
  const applying = exceptionsOf(policy, exceptions).flatMap((exception): Applying[] =>
    exception.images
      .filter((pattern) => pattern.matches(decided))
      .map(({ byDigest }) => ({ exception, byDigest })),
  );
  if (applying.length === 0) return { rest: policy, exemptions: [], asksForPinning: true };
  const covering = ({ name }: CompiledRequirement): Applying[] =>
    applying.filter(({ exception }) => {
      const requirements = exception.policies.get(policy.name);
      return requirements === 'All' || requirements?.has(name) === true;
    });
  const covered = policy.requirements.map((requirement) => ({ requirement, by: covering(requirement) }));
  const [first, ...others] = covered.flatMap(({ requirement, by }) => (by.length === 0 ? [requirement] : []));
  return {
    rest: first === undefined ? undefined : { ...policy, requirements: [first, ...others] },
    exemptions: covered.flatMap(({ requirement: { name }, by }) => {
      const found = by.find(({ byDigest }) => byDigest) ?? by[0];
      return found === undefined ? [] : [{ requirement: name, ...found }];
    }),
    asksForPinning: covered.some(({ by }) => by.every(({ byDigest }) => byDigest)),
  };
}

/** Those that name the policy; a policy of a namespace is its owner's to change, and knows none. */
export const exceptionsOf = (
  { name, namespace }: CompiledPolicy,
  exceptions: readonly CompiledException[],
): readonly CompiledException[] =>
  namespace === undefined ? exceptions.filter(({ policies }) => policies.has(name)) : [];
