import { failure } from '../failures/failure.ts';
import { compileIssuer } from '../policy/compile-issuer.ts';
import type { CompileSupport } from '../policy/compile.ts';
import { findAlike } from '../policy/issuers-alike.ts';
import type { TrustedIssuer } from '../policy/model/trusted-issuer.ts';
import type { Resource } from '../policy/model/resource.ts';
import { isPolicy } from '../policy/model/resource.ts';
import { issuersNamedBy } from '../policy/named-issuers.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import { mayCome } from './resource-findings.ts';
import type { ResourceFindings } from './resource-findings.ts';

/** Issuers are compared with those in force for so long at most, milliseconds: a warning may come of it, no refusal. */
const maxComparingMs = 1000;

/** What is to be said of an issuer that is applied. */
export async function reviewIssuer(
  resource: TrustedIssuer,
  snapshot: PolicySnapshot | undefined,
  support: CompileSupport,
  signal: AbortSignal,
): Promise<ResourceFindings> {
  const issuer = compileIssuer(resource, withoutMirrors(support));
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

/** Asking a mirror begins to read it: that waits until the issuer is applied, for a review has no effects and anybody may send one. */
const withoutMirrors = (support: CompileSupport): CompileSupport => ({
  ...support,
  material: (reference) =>
    reference.kind === 'tuf'
      ? failure('TrustMaterialMissing', 'Its TUF mirror is read once it is applied.')
      : support.material(reference),
});

/** Most policies that a warning names. */
const maxNamed = 10;

/** A warning where policies name the issuer that is deleted. */
export function warnOfDeletion(issuer: string, resources: readonly Resource[]): readonly string[] {
  const naming = resources
    .filter(isPolicy)
    .filter((policy) => issuersNamedBy(policy).has(issuer))
    .map(({ kind, metadata: { name, namespace } }) =>
      namespace === undefined ? `${kind} ${name}` : `${kind} ${name} of namespace ${namespace}`,
    );
  if (naming.length === 0) return [];
  const more = naming.length > maxNamed ? ` and ${naming.length - maxNamed} more` : '';
  return [
    `TrustedIssuer ${issuer} is asked for by ${naming.slice(0, maxNamed).join(', ')}${more}: what they select is refused, under their mode, until there is one of this name again.`,
  ];
}
