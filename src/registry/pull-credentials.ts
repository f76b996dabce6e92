import { anonymousScope } from '../admission/ports.ts';
import type { Credentials } from '../admission/ports.ts';
import type { FoundSecrets, PullSecret } from '../admission/pull-secret.ts';
import { toFailure } from '../failures/failure.ts';
import { compareCredentialKeys } from './credential-key.ts';
import { accountOf, entryFinder, parseDockerConfig } from './docker-config.ts';
import type { DockerConfig } from './docker-config.ts';

/**
 * Credentials of a workload: as with the kubelet, the most specific key of all its secrets decides, the secret named first
 * where two are equal, and then those of the installation. A secret that does not parse is passed over, and said.
 */
export function pullCredentials({ secrets, missing }: FoundSecrets, others: Credentials): Credentials {
  const faults = [...missing];
  const configs = secrets.flatMap((secret): DockerConfig[] => {
    const config = parseOnce(secret);
    if (typeof config !== 'string') return [config];
    faults.push(config);
    return [];
  });
  const entries = configs.flatMap(({ name, entries: own }) => own.map((entry) => ({ ...entry, name })));
  const find = entryFinder(entries.toSorted((one, other) => compareCredentialKeys(one.key, other.key)));
  return {
    scope: (registry, repository) => find(registry, repository)?.scope ?? others.scope(registry, repository),
    account: async (registry, repository) => {
      const entry = find(registry, repository);
      return entry === undefined
        ? others.account(registry, repository)
        : accountOf(entry, registry, entry.name);
    },
    explain: (registry, repository) => {
      const entry = find(registry, repository);
      if (entry !== undefined) return `The account is that of ${entry.name}.`;
      if (others.scope(registry, repository) !== anonymousScope)
        return others.explain?.(registry, repository);
      const silent = configs.map(({ name }) => `${name} has no entry for ${registry}`);
      const reasons = [...silent, ...faults];
      return reasons.length === 0
        ? 'The workload names no pull secret.'
        : sentence(reasons.slice(0, maxReasons), reasons.length - maxReasons);
    },
  };
}

/** For a service that was told to read no pull secrets: whoever is refused is told. */
export const withoutPullSecrets = (others: Credentials): Credentials => ({
  scope: (registry, repository) => others.scope(registry, repository),
  account: (registry, repository) => others.account(registry, repository),
  explain: (registry, repository) =>
    others.scope(registry, repository) === anonymousScope
      ? 'Pull secrets of workloads are not read here (--no-pull-secrets, pullSecrets.mode of the chart).'
      : others.explain?.(registry, repository),
});

/** A secret is the same object as long as it is remembered: it is parsed once for all workloads that name it. */
const parsed = new WeakMap<PullSecret, DockerConfig | string>();

/** @returns why it does not parse, a sentence without its full stop. */
function parseOnce(secret: PullSecret): DockerConfig | string {
  let config = parsed.get(secret);
  if (config === undefined) {
    try {
      config = parseDockerConfig(secret.bytes, secret.name, secret.form);
    } catch (error) {
      config = toFailure(error).message.replace(/\.$/, '');
    }
    parsed.set(secret, config);
  }
  return config;
}

/** Most reasons in one message. */
const maxReasons = 4;

function sentence(reasons: readonly string[], more: number): string {
  const text = reasons.join('; ') + (more > 0 ? `; and ${more} more` : '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
