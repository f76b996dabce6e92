import { anonymousScope } from '../admission/ports.ts';
import type { Credentials } from '../admission/ports.ts';
import type { FoundSecrets, PullSecret } from '../admission/pull-secret.ts';
import { toFailure } from '../failures/failure.ts';
import { compareCredentialKeys } from './credential-key.ts';
import { accountOf, entryFinder, parseDockerConfig } from './docker-config.ts';
import type { DockerConfig } from './docker-config.ts';

/** Most accounts that are tried for one repository. */
const maxAlternatives = 4;
/** Of all secrets of one workload together: whoever writes it writes them, and all is gone through for each review. */
const maxBytes = 512 * 1024;
const maxKeys = 1000;
/** Each is matched against each repository. */
const maxWildcards = 100;

/** One account of those that may be the right one for a repository. */
interface Alternative {
  readonly credentials: Credentials;
  readonly name: string;
}

/**
 * Credentials of a workload. As with the kubelet every entry of its secrets that stands for a repository is tried, the
 * most specific key first, the secret named first where two are equal, and then the account of the installation. A
 * secret that does not parse is passed over, and said.
 */
export function pullCredentials({ secrets, missing }: FoundSecrets, others: Credentials): Credentials {
  const { configs, faults } = parseWithinBounds(secrets);
  faults.unshift(...missing);
  const entries = configs.flatMap(({ name, entries: own }) => own.map((entry) => ({ ...entry, name })));
  const find = entryFinder(entries.toSorted((one, other) => compareCredentialKeys(one.key, other.key)));
  const alternativesFor = rememberByRepository((registry, repository) => {
    const all: Alternative[] = find(registry, repository).map((entry) => ({
      credentials: {
        scope: () => entry.scope,
        account: () => accountOf(entry, registry, entry.name),
      },
      name: entry.name,
    }));
    const isAnonymous = others.scope(registry, repository) === anonymousScope;
    if (all.length === 0 || !isAnonymous) all.push({ credentials: others, name: 'the installation' });
    const scopes = all.map(({ credentials }) => credentials.scope(registry, repository));
    return all.filter((_, index) => scopes.indexOf(scopes[index] ?? '') === index).slice(0, maxAlternatives);
  });
  return {
    // What was read with any of them is shared with those who have them all.
    scope: (registry, repository) =>
      alternativesFor(registry, repository)
        .map(({ credentials }) => credentials.scope(registry, repository))
        .join(' '),
    account: async (registry, repository, caller) =>
      alternativesFor(registry, repository)[0]?.credentials.account(registry, repository, caller),
    alternatives: (registry, repository) =>
      alternativesFor(registry, repository).map(({ credentials }) => credentials),
    explain: (registry, repository) => {
      const all = alternativesFor(registry, repository);
      const [one] = all;
      if (one === undefined || one.credentials === others)
        return others.scope(registry, repository) === anonymousScope
          ? whyNone(registry, configs, faults)
          : others.explain?.(registry, repository);
      return all.length === 1
        ? `The account is that of ${one.name}.`
        : `None of the accounts of ${all.map(({ name }) => name).join(', ')} may read it.`;
    },
  };
}

/** In the order of the secrets; what is beyond the bounds is passed over. */
function parseWithinBounds(secrets: readonly PullSecret[]): { configs: DockerConfig[]; faults: string[] } {
  const configs: DockerConfig[] = [];
  const faults: string[] = [];
  const left = { bytes: maxBytes, keys: maxKeys, wildcards: maxWildcards };
  for (const secret of secrets) {
    if (secret.bytes.byteLength > left.bytes) {
      faults.push(
        `${secret.name} is passed over: with it, the pull secrets have more than ${maxBytes} bytes`,
      );
      continue;
    }
    left.bytes -= secret.bytes.byteLength;
    const config = parseOnce(secret);
    if (typeof config === 'string') {
      faults.push(config);
      continue;
    }
    const keys = config.entries.length;
    const wildcards = config.entries.filter(({ key }) => key.hasWildcard).length;
    if (keys > left.keys || wildcards > left.wildcards) {
      faults.push(
        `${secret.name} is passed over: with it, the pull secrets have more than ${maxKeys} keys, or ${maxWildcards} with *`,
      );
      continue;
    }
    left.keys -= keys;
    left.wildcards -= wildcards;
    configs.push(config);
  }
  return { configs, faults };
}

function whyNone(registry: string, configs: readonly DockerConfig[], faults: readonly string[]): string {
  const silent = configs.map(({ name }) => `${name} has no entry for ${registry}`);
  const reasons = [...silent, ...faults];
  return reasons.length === 0
    ? 'The workload names no pull secret.'
    : sentence(reasons.slice(0, maxReasons), reasons.length - maxReasons);
}

/** A workload has few repositories, and each is asked for many times. */
function rememberByRepository<T extends object>(
  find: (registry: string, repository: string) => T,
): (registry: string, repository: string) => T {
  const found = new Map<string, T>();
  return (registry, repository) => {
    const key = `${registry}/${repository}`;
    const value = found.get(key) ?? find(registry, repository);
    found.set(key, value);
    return value;
  };
}

/** For a service that was told to read no pull secrets: whoever is refused is told. */
export const withoutPullSecrets = (others: Credentials): Credentials => ({
  scope: (registry, repository) => others.scope(registry, repository),
  account: (registry, repository, caller) => others.account(registry, repository, caller),
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
