import { anonymousScope } from '../admission/ports.ts';
import type { Credentials } from '../admission/ports.ts';

/** Credentials of the first, and of the second where the first has none. */
export function firstOf(first: Credentials, second: Credentials): Credentials {
  const of = (registry: string, repository: string): Credentials =>
    first.scope(registry, repository) === anonymousScope ? second : first;
  return {
    scope: (registry, repository) => of(registry, repository).scope(registry, repository),
    account: (registry, repository, caller) => of(registry, repository).account(registry, repository, caller),
    explain: (registry, repository) => of(registry, repository).explain?.(registry, repository),
  };
}
