import type { CompiledPolicy, PolicyIndex, RegistryIndex } from './snapshot.ts';

export function indexPolicies(policies: readonly CompiledPolicy[]): PolicyIndex {
  const cluster = policies.filter(({ namespace }) => namespace === undefined);
  const own = Map.groupBy(policies, ({ namespace }) => namespace);
  const asking = policies.filter(({ needsLabels }) => needsLabels);
  return {
    cluster: indexByRegistry(cluster),
    byNamespace: new Map(
      [...own].flatMap(([namespace, those]): [string, RegistryIndex][] =>
        namespace === undefined ? [] : [[namespace, indexByRegistry(those)]],
      ),
    ),
    needsLabels: {
      ofPods: asking.length > 0,
      ofTemplates: asking.some(({ workloads }) => workloads === 'All'),
    },
  };
}

/** @param registry narrows to what may select an image from there; undefined for all. */
export function candidatePolicies(
  { cluster, byNamespace }: PolicyIndex,
  namespace: string,
  registry: string | undefined,
): readonly CompiledPolicy[] {
  const own = byNamespace.get(namespace);
  return own === undefined
    ? ofRegistry(cluster, registry)
    : [...ofRegistry(cluster, registry), ...ofRegistry(own, registry)];
}

function ofRegistry(
  { all, byRegistry, anyRegistry }: RegistryIndex,
  registry: string | undefined,
): readonly CompiledPolicy[] {
  if (registry === undefined) return all;
  const named = byRegistry.get(registry);
  return named === undefined ? anyRegistry : [...anyRegistry, ...named];
}

function indexByRegistry(policies: readonly CompiledPolicy[]): RegistryIndex {
  const byRegistry = new Map<string, CompiledPolicy[]>();
  const anyRegistry: CompiledPolicy[] = [];
  for (const policy of policies) {
    const registries = policy.images.map(({ registry }) => registry).filter((one) => one !== undefined);
    if (registries.length < policy.images.length) {
      anyRegistry.push(policy);
      continue;
    }
    for (const registry of new Set(registries)) {
      const known = byRegistry.get(registry);
      if (known === undefined) byRegistry.set(registry, [policy]);
      else known.push(policy);
    }
  }
  return { all: policies, byRegistry, anyRegistry };
}
