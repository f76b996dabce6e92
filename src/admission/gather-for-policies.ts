import { formatImageReference, repositoryName } from '../image/reference.ts';
import type { ImageReference } from '../image/reference.ts';
import type { Digest } from '../image/digest.ts';
import type { ExpressionContext } from '../policy/assertions.ts';
import { evidenceRequirements } from '../policy/requirements.ts';
import type { CompiledPolicy, CompiledRequirement } from '../policy/snapshot.ts';
import { gatherChildren } from './gather-children.ts';
import { gatherForVerdict } from './gather-for-verdict.ts';
import { isSatisfied } from './inquiry.ts';
import type { Demand, Inquiry } from './inquiry.ts';
import type { ImageFindings } from './judge-requirement.ts';
import type { RegistryAccess } from './ports.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** What expressions may read of the workload. */
export type WorkloadContext = Pick<ExpressionContext, 'workload' | 'namespaceObject'>;

/** An image as the workload names it, and what that was resolved to. */
export interface ResolvedReference {
  readonly reference: ImageReference;
  readonly digest: Digest;
}

/** Whether anything has to be looked for on behalf of the policy. */
export const asksForEvidence = ({ requirements }: CompiledPolicy, reference: ImageReference): boolean =>
  requirements.some(
    (requirement) => requirement.kind === 'crossCheck' || demandOf(requirement, reference).length > 0,
  );

/** Gathers evidence for each of the policies, once for all that look in the same places. */
export async function gatherForPolicies(
  ports: VerifyPorts,
  image: ResolvedReference,
  policies: readonly CompiledPolicy[],
  about: WorkloadContext,
  access: RegistryAccess,
): Promise<ReadonlyMap<CompiledPolicy, ImageFindings>> {
  const found = new Map<CompiledPolicy, ImageFindings>();
  await Promise.all(
    groupByPlaces(policies).map(async (group) => {
      const findings = await gatherForGroup(ports, image, group, about, access);
      for (const policy of group) found.set(policy, findings);
    }),
  );
  return found;
}

/**
 * Policies that look in the same places share one search. Others have one of their own, so that a fault of a
 * repository that only one policy names leaves the checks of the others as they are (threat 24).
 */
function groupByPlaces(policies: readonly CompiledPolicy[]): CompiledPolicy[][] {
  const placesOf = ({ evidenceRepositories, indexTags }: CompiledPolicy): string =>
    JSON.stringify([evidenceRepositories.map(repositoryName).toSorted(), indexTags.toSorted()]);
  return [...Map.groupBy(policies, placesOf).values()];
}

async function gatherForGroup(
  ports: VerifyPorts,
  image: ResolvedReference,
  policies: readonly CompiledPolicy[],
  about: WorkloadContext,
  access: RegistryAccess,
): Promise<ImageFindings> {
  const { digest } = image;
  const inquiry = inquire(image, policies, about);
  const own = await gatherForVerdict(ports, inquiry, access);
  const nowMs = ports.clock.nowMs();
  const demands = inquiry.demands
    .filter((demand) => !isSatisfied(demand, own.evidence, digest, nowMs))
    .map(ofChildren)
    .filter(({ alternatives }) => alternatives.length > 0);
  const crossChecks = inquiry.crossChecks.filter(
    ({ requirement }) =>
      requirement.platforms !== undefined && own.crossChecks.get(requirement)?.holds !== true,
  );
  if (demands.length === 0 && crossChecks.length === 0) return { digest, own };
  const metAbove = new Set(
    crossChecks
      .flatMap(({ requirement }) => requirement.over)
      .filter((each) => isSatisfied(each, own.evidence, digest, nowMs)),
  );
  const children = await gatherChildren(ports, { ...inquiry, demands, crossChecks, metAbove }, access);
  return { digest, own, ...(children === undefined ? {} : { children }) };
}

/** Those of the alternatives that the children of an index may meet in its stead. */
const ofChildren = ({ alternatives, blocks }: Demand): Demand => ({
  alternatives: alternatives.filter(({ platforms }) => platforms !== undefined),
  blocks,
});

function inquire(
  { reference, digest }: ResolvedReference,
  policies: readonly CompiledPolicy[],
  about: WorkloadContext,
): Inquiry {
  const each = policies.flatMap(({ mode, requirements }) =>
    requirements.map((requirement) => ({ blocks: mode === 'Enforce', requirement })),
  );
  const { registry, repository, tag = '' } = reference;
  const image = { ...reference, digest };
  const [first] = policies;
  return {
    image,
    demands: each.flatMap(({ blocks, requirement }) =>
      demandOf(requirement, reference).map((alternatives) => ({ alternatives, blocks })),
    ),
    crossChecks: each.flatMap(({ blocks, requirement }) =>
      requirement.kind === 'crossCheck' ? [{ blocks, requirement }] : [],
    ),
    isByDigest: reference.digest !== undefined,
    context: {
      ...about,
      image: { reference: formatImageReference(image), registry, repository, tag, digest },
    },
    elsewhere: first?.evidenceRepositories ?? [],
    indexTags: first?.indexTags ?? [],
  };
}

/** The alternatives of which evidence has to satisfy one; none where the reference satisfies by itself. */
function demandOf(requirement: CompiledRequirement, { digest }: ImageReference): Demand['alternatives'][] {
  const isPinned =
    digest !== undefined &&
    requirement.kind === 'anyOf' &&
    requirement.alternatives.some(({ kind }) => kind === 'pinned');
  const alternatives = isPinned ? [] : evidenceRequirements(requirement);
  return alternatives.length === 0 ? [] : [alternatives];
}
