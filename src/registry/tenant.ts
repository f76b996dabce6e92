import type { RegistryAccess } from '../admission/ports.ts';

/** On whose account registries are asked: no tenant's requests may stand in the way of all others'. */
export interface Tenant {
  /** For people, and different for each. */
  readonly name: string;
  /** How much of what a tenant may have is this one's: above 0, at most 1. */
  readonly share: number;
}

/** What is asked off the critical path takes at most this part of what a namespace may have. */
const backgroundShare = 1 / 4;
const background: Tenant = { name: 'Background work', share: backgroundShare };

export function tenantOf({ tenant, purpose }: RegistryAccess): Tenant {
  return purpose === 'background' ? background : { name: `Namespace ${JSON.stringify(tenant)}`, share: 1 };
}
